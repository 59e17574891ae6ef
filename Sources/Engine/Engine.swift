package import Relay
package import Store
package import System
import Wire

/// Who waits for what, and when it is durable.
///
/// The engine is called by the loop and by nobody else. In a turn it applies what has arrived to
/// the queues; `endTurn` commits one transaction per workspace with work and says which files the
/// barrier must sync; `barrierPassed` hands the outcome to the queues. Every answer leaves
/// through `replies`.
package final class Engine {
  package let limits: Limits
  package let publicURL: String
  let data: DataDirectory
  let random: Random
  let log: Log
  let boot: UInt32
  let receiptKey: [UInt8]
  package let registry: Registry
  /// A final error of the process: everybody who waits is told "unknown", and the process ends.
  package var fatal: StoreError? {
    didSet { if fatal != nil { diskGuard.end() } }
  }
  package private(set) var isShuttingDown = false

  var desks: [WorkspaceID: Desk] = [:]
  var touched: [Desk] = []
  /// Which desks' files are open, and in which order they are closed.
  var files = OpenFiles()
  /// Files that this turn has synced so that they can be closed.
  var syncsAsked = 0
  var receipts = HeldReceipts()
  let fileWaiters: FileWaiters
  /// What comes due in workspaces, those without a desk too.
  var alarms = Alarms()
  /// Fences of queues that have left memory are not given again.
  var fenceFloor: UInt64 = 0
  /// The time of the turn at work, for what closes files.
  var turnNow = Now(instant: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0)) {
    didSet { repeatedLog.turn(at: turnNow.instant) }
  }
  var sweepList = SweepList()
  /// Workspaces in which there is something to read, in the order in which they get their turn.
  var scanning: [WorkspaceID] = []
  var logCare: LogCare
  var heldCallers = HeldCallers()
  /// Callers of CancelTask, and the task that they mean.
  var cancels: [CallID: (Addressee, WorkspaceID, Seq)] = [:]
  /// Operators who wait for their verb to be durable.
  var operations: [CallID: RunningOperation] = [:]
  private var lastCallID: CallID = 0
  var rounds = Rounds()
  var progressToNote = ProgressToNote()
  /// Tokens have been revoked: whoever is parked with one is to be sent away.
  package var tokensEnded: (Now) -> Void = { _ in }
  /// Workspaces whose file could not be opened, for good.
  var unopenable: Set<WorkspaceID> = []
  /// Files with messages that had no row at the start.
  var unregistered: Set<WorkspaceID> = []
  var retentionTurns: RetentionTurns
  var fileWatch = FileWatch()
  let cacheAccount: CacheAccount
  /// Whether a poll's connection has ended; the server knows.
  package var isPollGone: (PollID) -> Bool = { _ in false }
  let archives: ArchiveRuns
  package let metrics = Metrics()
  let repeatedLog: RepeatedLog
  let diskGuard: DiskGuard
  package let replies: Replies
  var readyProbe: ReadyProbe
  /// What files that are closed again held when they were.
  var lastKnown = LastKnownDepths()

  var clocks: Clocks

  #if PLANTS
    package var plant: ServerPlant?
  #endif

  package init(
    data: DataDirectory, limits: Limits, publicURL: String, random: Random, log: Log
  ) throws(StoreError) {
    self.data = data
    self.limits = limits
    replies = Replies(limits, metrics)
    fileWaiters = FileWaiters(limits)
    cacheAccount = CacheAccount(bytesMax: limits.cacheBytesMax)
    repeatedLog = RepeatedLog(log, every: limits.repeatedLineEvery)
    diskGuard = DiskGuard(data, limits, metrics, log, repeatedLog)
    readyProbe = ReadyProbe(limits)
    logCare = LogCare(limits)
    retentionTurns = RetentionTurns(limits)
    clocks = Clocks(limits, metrics, log)
    self.publicURL = publicURL
    self.random = random
    self.log = log
    let newKey = Base64.encodeURL(random.bytes(32))
    (receiptKey, boot) = try data.whileFull { () throws(StoreError) in
      (Array(try data.registry.receiptKey(orNew: newKey).utf8), try data.registry.raiseBoot())
    }
    archives = ArchiveRuns(limits, boot: boot, log)
    progressToNote.registry = data.registry.progress
    registry = try Registry(
      data: data, limits: limits, publicURL: publicURL, random: random, log: log,
      repeatedLog: repeatedLog, metrics: metrics, diskGuard: diskGuard, replies: replies)
    registry.attach(to: self)
    for (id, depth) in try data.registry.depths() { lastKnown.remember(id, depth) }
  }

  /// Before the first turn: nothing is opened here.
  package func start(now: Now) {
    turnNow = now
    compareWithRegistry(now: now)
    setAlarms(now)
    registry.removals.start()
  }

  /// Names the next call or poll.
  package func nextCall() -> CallID {
    lastCallID += 1
    return lastCallID
  }

  // MARK: desks

  func touch(_ desk: Desk) {
    if desk.isTouched { return }
    desk.isTouched = true
    touched.append(desk)
  }

  func failed(_ error: StoreError, workspace: WorkspaceID) {
    if error.isFinalForProcess || error.isFinalForWorkspace {
      log.error(
        "store_failed",
        ["workspace": .text(workspace.text), "error": .text(error.description)])
    } else {
      repeatedLog.error("store_failed", workspace: workspace, error.description)
    }
    if error.isFinalForProcess { fatal = error }
  }

  /// No more polls, and no caller is held any longer: each gets what it gets when its hold is over.
  package func shutDown(now: Now) {
    isShuttingDown = true
    stopArchiving("the relay was told to stop", now: now)
    fileWaiters.refuseAll(now: now)
    for desk in desks.values where desk.failure == nil {
      touch(desk)
      desk.queue.endPolls(now: now)
      carryOut(desk, now: now)
    }
    for (call, place) in heldCallers.all {
      holdEnded(HeldCallers.Hold(at: now.instant, place: place, call: call), now: now)
    }
  }

  /// Workspaces whose file a final error has closed.
  package var failedWorkspaces: [WorkspaceID] {
    (desks.values.filter { $0.failure != nil }.map(\.id) + unopenable)
      .sorted { $0.bytes < $1.bytes }
  }

  /// The message that a held call waits for.
  package func messageID(of call: CallID) -> MessageID? {
    guard let place = heldCallers[call], let desk = desks[place.workspace],
      let message = desk.queue.message(place.seq)
    else { return nil }
    return desk.messageID(message)
  }

  /// Nothing is on its way to the disk.
  package var isIdle: Bool {
    touched.isEmpty && rounds.isEmpty && registry.isIdle && !replies.hasDeferred
      && fileWaiters.isEmpty
  }
}
