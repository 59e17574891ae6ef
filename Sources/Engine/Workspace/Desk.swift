import Relay
import Store
import Wire

/// All that the engine holds for one workspace in use: its queue, its file, and who waits.
///
/// The file may be closed while the desk stays: parked polls, held callers and leases need no file.
/// `Engine.openFile` opens it again; whoever reads or commits has called that.
final class Desk {
  let id: WorkspaceID
  let queue: Queue
  /// The key of the digests that stand in its file.
  let digestKey: DigestKey
  /// `nil` while it is closed.
  private(set) var opened: WorkspaceFile?
  /// Of the closed file: the position of its newest message.
  private var lastPosition: Int64 = 0

  /// What it writes, and who is answered when that is durable.
  var transaction: Transaction
  /// When a transaction without a new message was counted last, and the progress of its file that
  /// was noted, or is about to be.
  var countedAt: Instant?
  var notedProgress: Int64 = 0
  /// Since when its transaction waits for the barrier that is at work.
  var waitsSince: Instant?
  /// It is in the engine's list for the end of this turn.
  var isTouched = false
  /// A final error closed it; the reason is in the log.
  var failure: StoreError?
  /// A read has failed for good: the end of the turn closes it.
  var damage: StoreError?

  /// Who waits for the answer of a message.
  var waiters: [Seq: [Waiter]] = [:]
  /// Polls and agents' calls that have no reply yet, and what they get if there never is one.
  var open: [CallID: RelayError] = [:]
  var cache: MessageCache
  /// When the file is looked through for what can go.
  var retention: RetentionSchedule
  /// When its write-ahead log is emptied.
  var log = LogSchedule()
  var lowDiskUse = LowDiskUse()
  /// It has been idle and has many free pages.
  var shrinking: Shrinking?
  var pendingKeys = PendingKeys()
  /// Messages from here on arrived in this run: the cache knows which of their tasks go on.
  let firstSeq: Seq
  /// Calls of the workspace that answer what it has asked itself.
  var ownAnswers = OwnAnswers()
  /// Beside the queue, as of the last look.
  var kept = Kept()
  var consumers = Consumers()
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

  init(
    id: WorkspaceID, file: WorkspaceFile, queue: Queue, digestKey: DigestKey,
    retention: RetentionSchedule, cache: CacheAccount
  ) {
    self.id = id
    self.digestKey = digestKey
    self.retention = retention
    opened = file
    self.queue = queue
    // What recovery has noted there.
    transaction = Transaction(commits: file.isDirty ? 1 : 0)
    self.cache = MessageCache(cache)
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
    transaction.isQuiet && failure == nil && damage == nil && jobs.isEmpty && scans.isEmpty
      && replays.isEmpty
      && afterWrite.isEmpty
  }

  /// The next instant at which something of it comes due by itself.
  var due: Instant? {
    guard failure == nil else { return nil }
    // What has work for a turn is not looked through before.
    let retention = hasTurnWork ? nil : retentionDue
    return [queue.nextDeadline, transaction.deferredDue, retention, nextStep].compactMap(\.self)
      .min()
  }

  /// The next round of retention, or of making the file smaller.
  var retentionDue: Instant? {
    guard failure == nil, damage == nil else { return nil }
    let due = [retention.next(commits: transaction.commits, isOpen: isOpen), shrinkDue]
    return due.compactMap(\.self).min()
  }

  /// Rows may be visible that no barrier has covered: what is read leaves with the next barrier.
  var isUnsynced: Bool { transaction.isUnsynced }

  /// Something is to be committed or sent that cannot be deferred.
  var hasTurnWork: Bool { transaction.hasWork }

  func add(_ write: Write) {
    if write.isErasing { log.willErase() }
    transaction.add(write)
  }

  func addDeferred(_ write: Write, _ limits: Limits, now: Now) {
    transaction.addDeferred(write, isFileOpen: isOpen, limits, now: now)
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

extension Write {
  /// It deletes content, which stands in the log until that is emptied.
  fileprivate var isErasing: Bool {
    switch self {
    case .delete, .retire, .trim: true
    case .message, .answer, .handOut, .handOutChange, .requeue, .end, .task, .received, .note,
      .told, .redrive, .job, .expire:
      false
    }
  }
}
