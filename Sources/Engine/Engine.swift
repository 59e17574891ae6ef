package import Relay
package import Store
package import System
import Wire

/// Who waits for what, and when it is durable.
///
/// The engine is called by the loop and by nobody else. In a turn it applies what has arrived to
/// the queues (`tick`, and the calls of `callers`, `agents` and `operators`); `endTurn` commits one
/// transaction per workspace with work and says which files the barrier must sync; `barrierPassed`
/// hands the outcome to the queues. Every answer leaves through `replies`. What runs beside the
/// callers' work (`maintain`, `backups`) does a little of it in each turn.
package final class Engine: UsesServices {
  let services: Services
  /// Stored here too: other modules read it often, and by a getter each read would copy all of it.
  package let limits: Limits
  let pool: WorkspacePool
  let probes: Probes
  let events: RegistryEvents
  package let backups: Backups
  private let receipts: MessageReceipts

  /// Opens the registry. Throws what SQLite reports of relay.db.
  package init(
    data: DataDirectory, limits: Limits, publicURL: String, random: Random, log: Log
  ) throws(StoreError) {
    let newKey = Base64.encodeURL(random.bytes(32))
    let (key, boot) = try data.whileFull { () throws(StoreError) in
      (try data.registry.receiptKey(orNew: newKey), try data.registry.raiseBoot())
    }
    receipts = MessageReceipts(key: key)
    self.limits = limits
    services = try Services(
      data: data, limits: limits, publicURL: publicURL, random: random, log: log)
    pool = try WorkspacePool(services, boot: boot)
    probes = Probes(pool)
    backups = Backups(pool)
    events = RegistryEvents(pool, probes)
    registry.attach(to: events)
  }

  deinit { commits.letGo() }

  // MARK: calls

  package var callers: Callers { pool.callers }
  package var agents: Agents { pool.agents }
  package var operators: Operators { pool.operators }

  /// Names the next call or poll.
  package func nextCall() -> CallID { process.nextCall() }

  /// `GET /ready`: answered when the probe's row is durable, or cannot be.
  package func ready(_ call: CallID, for reader: Identity = .anonymous, now: Now) {
    probes.ready(call, for: reader, now: now)
  }

  /// What a caller without a credential gets with its message, and shows to read that later.
  package func receipt(of id: MessageID) -> String { receipts.receipt(of: id) }

  package func isReceipt(_ shown: ArraySlice<UInt8>, of id: MessageID) -> Bool {
    receipts.isReceipt(shown, of: id)
  }

  // MARK: a turn

  /// Before the first turn: compares the clocks, and sets the alarms. No file is opened here.
  package func start(now: Now) {
    process.turnNow = now
    compareClocks(now: now)
    pool.setAlarms(now)
    registry.removals.start()
  }

  /// Compares the clocks with what relay.db was told last.
  private func compareClocks(now: Now) {
    do throws(StoreError) {
      let seen = directory.workspaces.values.compactMap(\.lastSeen).max()
      let newest = max(try data.registry.newestAt(), seen ?? WallTime(nanoseconds: 0))
      let record = try data.registry.clock()
      pool.heed(clocks.begin(record, newest: newest, boot: data.kernelBoot, now: now), now: now)
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
  }

  /// Looks at both clocks, at the beginning of every turn.
  package func watchClock(_ now: Now) { pool.heed(clocks.look(now), now: now) }

  /// Does what has come due.
  package func tick(now: Now) {
    process.turnNow = now
    replies.makeDeferred(now: now)
    probes.tick(now: now)
    registry.tokens.tick(now: now)
    pool.tick(now: now)
    registry.removals.tick(now: now)
    while let hold = heldCallers.takeDue(now.instant) { callers.holdEnded(hold, now: now) }
  }

  /// Commits what the turn has collected. Returns nil if nobody waits for a barrier.
  package func endTurn(now: Now) -> GroupCommit.RoundWork? {
    process.turnNow = now
    return commits.endTurn(now: now)
  }

  /// Every round up to `number` is on the disk.
  package func barrierPassed(_ number: UInt64, now: Now) {
    commits.barrierPassed(number, now: now)
  }

  /// Does a little of what nobody waits for, after the turn's barrier has been asked for.
  package func maintain(now: Now) {
    if process.fatal == nil { services.upkeep.maintain(pool, now: now) }
  }

  /// Returns the earliest instant at which an owner has something to do.
  package func nextDeadline() -> Instant? {
    // What was deferred, or a refused commit has led to, is for the next turn, which comes at once.
    if replies.hasDeferred { return Instant(nanoseconds: 0) }
    let turn = process.turnNow
    let owners = [
      commits.nextDue, heldCallers.nextDue, pool.nextDue(now: turn),
      registry.nextDue(turn, doubtfulUntil: clocks.doubtfulUntil), probes.nextDue,
      backups.nextDue,
    ]
    var earliest = Instant.distantFuture
    for case let due? in owners { earliest = min(earliest, due) }
    return earliest == .distantFuture ? nil : earliest
  }

  /// Whether nothing is on its way to the disk.
  package var isIdle: Bool {
    commits.isIdle && registry.isIdle && !replies.hasDeferred && pool.fileWaiters.isEmpty
  }

  /// Whether a commit round is on its way to the disk: the barrier's report makes a turn.
  package var isAtBarrier: Bool { commits.isBarrierBusy }

  /// Looks once a second at the directory and at a few open files: whether they are still what the
  /// paths lead to.
  package func watchFiles() {
    guard process.fatal == nil, commits.isDirectoryInPlace() else { return }
    services.upkeep.watchFiles(pool)
  }

  package func checkDisk(takesReserves: Bool = true) { disk.look(takesReserves: takesReserves) }

  // MARK: the end

  /// A final error of the process: everybody who waits is answered "unknown", and the process ends.
  package var fatal: StoreError? {
    get { process.fatal }
    set { process.fatal = newValue }
  }

  package var isShuttingDown: Bool { process.isShuttingDown }

  /// Ends polls, and holds no caller any longer: each gets what it gets when its hold is over.
  package func shutDown(now: Now) {
    process.shutDown()
    backups.stop("the relay was told to stop", now: now)
    pool.fileWaiters.refuseAll(now: now)
    for workspace in pool.allUsable {
      workspace.touch()
      workspace.queue.endPolls(now: now)
      workspace.carryOut(now: now)
    }
    for (call, place) in heldCallers.all {
      callers.holdEnded(HeldCallers.Hold(at: now.instant, place: place, call: call), now: now)
    }
  }

  /// Closes every file: deferred writes are written, and the logs are emptied. Returns whether all
  /// of it could be done; if not, what was acknowledged is still in the logs, but the process has
  /// to end with a status that says so.
  @discardableResult
  package func close(now: Now) -> Bool {
    let isWhole = pool.closeAll(now: now)
    guard process.fatal == nil else { return false }
    do throws(StoreError) {
      try registry.writeRest(now: now)
      try data.registry.commit([.clock(clocks.record(boot: data.kernelBoot, now: now))])
      try data.registry.end()
    } catch {
      log.error("registry_close_failed", ["error": .text(error.description)])
      data.registry.abandon()
      return false
    }
    return isWhole
  }
}
