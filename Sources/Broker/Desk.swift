import Relay
import Store
import Wire

/// All that the broker holds for one workspace in use: its queue, its file, and who waits.
///
/// The file may be closed while the desk stays: parked polls, held callers and leases need no file.
/// `Broker.openFile` opens it again; whoever reads or commits has called that.
final class Desk {
  let id: WorkspaceID
  let queue: Queue
  /// The key of the digests that stand in its file.
  let digestKey: DigestKey
  /// `nil` while it is closed.
  private(set) var opened: WorkspaceFile?
  /// Of the closed file: the position of its newest message.
  private var lastPosition: Int64 = 0

  /// This turn's transaction, and the machines that wait for its outcome.
  var batch: [Write] = []
  var batchBytes = 0
  var reports: [Report] = []
  /// Put off to the next transaction, or until `lazyDue`; they go before the batch.
  var lazies: [Write] = [] { didSet { if lazies.isEmpty { hasUrgentLazies = false } } }
  /// Those of the batch that nobody waits for: put off again when the batch is refused.
  var laziesInBatch: [Write] = []
  var lazyDue: Instant?
  /// Some of them have to reach the file by then, even if it has to be opened for that.
  var hasUrgentLazies = false
  /// Leave once this turn's transaction is committed, or when its barrier has passed.
  var afterCommit: [Reply] = []
  var afterBarrier: [Reply] = []
  /// The same of transactions that this turn has committed already.
  var committedReports: [Report] = []
  var committedReplies: [Reply] = []
  var committedBytes = 0
  /// Committed rounds that no barrier has covered yet, oldest first.
  var rounds: [Round] = []
  /// Transactions committed, and how many of them a barrier has covered.
  var commits: UInt64 = 0
  var synced: UInt64 = 0
  /// When a transaction without a new message was counted last, and the progress of its file that
  /// was noted, or is about to be.
  var countedAt: Instant?
  var notedProgress: Int64 = 0
  /// Since when its transaction waits for the barrier that is at work.
  var waitsSince: Instant?
  /// It is in the broker's list for the end of this turn.
  var isTouched = false
  /// A final error closed it; the reason is in the log.
  var failure: StoreError?
  /// A read has failed for good: the end of the turn closes it.
  var damage: StoreError?

  /// Who waits for the answer of a message.
  var waiters: [Seq: [Waiter]] = [:]
  /// Polls and agents' calls that have no reply yet, and what they get if there never is one.
  var open: [CallID: RelayError] = [:]
  /// Requests and results that a caller or a poll is about to need.
  var cache: [Seq: Cached] = [:]
  /// Tasks that more than one message belongs to, while the first one's request is kept.
  var continued: Set<Seq> = []
  /// When the file is looked through for what can go.
  var retention: RetentionSchedule
  /// When its write-ahead log is emptied.
  var log = LogSchedule()
  var lowDiskUse = LowDiskUse()
  /// It has been idle and has many free pages.
  var shrinking: Shrinking?
  /// Keys of messages that are on their way to the disk: no read of the file finds them yet.
  var storingKeys: [UUIDBytes: (seq: Seq, call: UUIDBytes)] = [:]
  var storingKeyOf: [Seq: UUIDBytes] = [:]
  /// Messages from here on arrived in this run: what is not in `continued` has one message.
  let firstSeq: Seq
  /// Calls of the workspace that answer what it has asked itself.
  var ownAnswers = OwnAnswers()
  /// Beside the queue, as of the last look.
  var kept = Kept()
  /// The last call of each consumer that was no heartbeat.
  var lastCall: [String: Instant] = [:]
  /// Operators who wait for a replay to be stored, by its number.
  var replays: [Seq: CallID] = [:]
  /// Dead messages that a caller is told of, while their write is not committed.
  var telling: Set<Seq> = []
  /// What waits until a message is stored, or a redrive of it is over, or either was refused.
  var afterWrite: [Seq: [(Now) -> Void]] = [:]
  /// Verbs over many messages that are at work.
  var jobs: [JobRun] = []
  var lastJob: JobID = 0
  /// Reading that takes more than one turn.
  var scans: [Scan] = []
  /// So many of them are looked through for those that no longer count.
  var lastCallMax = 256

  /// Somebody has asked for it since its last turn ended.
  var isUsed = false
  /// Its file is the first to be closed: its turn had come, or it was opened for nobody.
  var isClosedNext = false
  /// What it has committed without a barrier is to be covered by the next one, so that its file can
  /// be closed.
  var wantsSync = false
  /// Its transaction waits until another file can be closed, and is tried again then.
  var blockedUntil: Instant?
  /// relay.db says that something may come due in its file.
  var isMarked = false

  #if PLANTS
    var plantDue: Instant?
  #endif

  struct Round {
    var number: UInt64
    /// The transactions that its barrier covers.
    var commits: UInt64
    /// Of the file, after them.
    var progress: Int64
    /// Of the bodies in them.
    var bytes: Int
    var reports: [Report]
    var replies: [Reply]
  }

  struct Cached {
    var head: [UInt8]
    var body: [UInt8]
    var message: Range<Int>
    var texts: [JSONScanner.Text]
    var result: [UInt8]?

    var bytes: Int { head.count + body.count + (result?.count ?? 0) }
  }

  init(
    id: WorkspaceID, file: WorkspaceFile, queue: Queue, digestKey: DigestKey,
    retention: RetentionSchedule
  ) {
    self.id = id
    self.digestKey = digestKey
    self.retention = retention
    opened = file
    self.queue = queue
    // What recovery has noted there.
    if file.isDirty { commits = 1 }
    firstSeq = queue.nextSeq()
  }

  var isOpen: Bool { opened != nil }

  var file: WorkspaceFile {
    guard let opened else { preconditionFailure("a closed file is opened before it is used") }
    return opened
  }

  func reopen(_ file: WorkspaceFile) {
    file.lastPosition = lastPosition
    opened = file
  }

  /// Everything of it is on the disk.
  func closeFile() throws(StoreError) {
    guard let file = opened else { return }
    try file.close()
    lastPosition = file.lastPosition
    opened = nil
  }

  /// After a final error: what is not on the disk is not written any more.
  func abandonFile() {
    opened?.abandon()
    opened = nil
  }

  /// Nothing is on its way to its file or back.
  var isQuiet: Bool {
    !hasTurnWork && rounds.isEmpty && committedReports.isEmpty && committedReplies.isEmpty
      && failure == nil && damage == nil && jobs.isEmpty && scans.isEmpty && replays.isEmpty
      && afterWrite.isEmpty
  }

  /// The next instant at which something of it comes due by itself.
  var due: Instant? {
    guard failure == nil else { return nil }
    // What has work for a turn is not looked through before.
    let retention = hasTurnWork ? nil : retentionDue
    return [queue.nextDeadline, lazyDue, retention, nextStep].compactMap(\.self).min()
  }

  /// The next round of retention, or of making the file smaller.
  var retentionDue: Instant? {
    guard failure == nil, damage == nil else { return nil }
    let due = [retention.next(commits: commits, isOpen: isOpen), shrinkDue]
    return due.compactMap(\.self).min()
  }

  /// Rows may be visible that no barrier has covered: what is read leaves with the next barrier.
  var isUnsynced: Bool { commits > synced }

  /// Something is to be committed or sent that cannot be put off.
  var hasTurnWork: Bool {
    !batch.isEmpty || !reports.isEmpty || !afterCommit.isEmpty || !afterBarrier.isEmpty
  }

  func add(_ write: Write) {
    batch.append(write)
    switch write {
    case .message(let new): batchBytes += new.body.count + new.head.count
    case .answer(let answer): batchBytes += answer.body.count
    case .delete, .retire, .trim: log.willErase()
    case .handOut, .handOutChange, .requeue, .end, .task, .received, .note, .told, .redrive, .job,
      .expire:
      break
    }
  }

  /// All writes keep their order: behind others of this turn it goes with them.
  func addLazily(_ write: Write, _ limits: Limits, now: Now) {
    if batch.isEmpty {
      lazies.append(write)
      if !write.mayBeHeld { hasUrgentLazies = true }
      let isHeld = !isOpen && !hasUrgentLazies
      let due = now.instant + (isHeld ? limits.receiptHeldTime : limits.lazyWriteMax)
      lazyDue = lazyDue.map { min($0, due) } ?? due
    } else {
      batch.append(write)
      laziesInBatch.append(write)
    }
  }

  func messageID(_ message: Message) -> MessageID {
    MessageID(workspace: id.short, seq: message.seq, tag: message.tag)
  }
}

/// A caller that is held until its message ends, or its patience does.
struct Waiter {
  var addressee: Addressee
  /// What it waits for, which leaves memory when it ends if its Task was received before.
  var message: MessageID?
  var deadline: Instant
  /// It asked for the Task at once, and gets it as soon as the message is stored.
  var isImmediate: Bool
  /// It brings the answer of a message: that it is told the Task says nothing of who has asked.
  var isAnswerer = false
  /// A withdrawal was asked for when its hold ran out.
  var isWithdrawing = false
}
