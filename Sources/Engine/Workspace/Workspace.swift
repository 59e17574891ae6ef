import Relay
import Store
import Wire

/// The engine's state of one workspace in use: its queue, its file, and the waiting calls.
///
/// The file may be closed while the workspace stays in memory, because parked polls, held callers
/// and leases need no file. `openFile` opens it again; `reading` and `commit` call `openFile`. The
/// functions for callers, agents and operators are in the types of `WorkspacePart`.
final class Workspace: UsesServices {
  let id: WorkspaceID
  let services: Services
  unowned let pool: WorkspacePool
  let queue: Queue
  /// The key of the digests in the file.
  let digestKey: DigestKey
  /// The first message of this run. The cache knows all messages of the tasks that begin here or
  /// later.
  let firstSeq: Seq
  private var storage: WorkspaceStorage
  /// The pending writes, and the replies that leave when the writes are durable.
  var transaction: Transaction
  var turn = WorkspaceTurn()
  /// The polls and calls of agents and operators without a reply, and the error that each gets if
  /// the workspace fails.
  var openCalls: [CallID: RelayError] = [:]
  var waiting = WaitingCallers()
  var cache: MessageCache
  var consumers = Consumers()
  var jobState = JobState()
  var care: FileCare

  init(
    id: WorkspaceID, pool: WorkspacePool, file: WorkspaceFile, queue: Queue, digestKey: DigestKey,
    care: FileCare, cache: CacheAccount
  ) {
    self.id = id
    self.pool = pool
    services = pool.services
    self.digestKey = digestKey
    self.care = care
    storage = WorkspaceStorage(file)
    self.queue = queue
    // Recovery may have written into the file.
    transaction = Transaction(commits: file.isDirty ? 1 : 0)
    self.cache = MessageCache(cache)
    firstSeq = queue.nextSeq()
  }

  // MARK: the file

  var isOpen: Bool { storage.file != nil }

  var file: WorkspaceFile {
    guard let file = storage.file else {
      preconditionFailure("a closed file is opened before it is used")
    }
    return file
  }

  /// The pages of the write-ahead log; `nil` while the file is closed.
  var walPages: Int? { storage.file?.walPages }

  /// The final error that has closed the workspace; it is in the log.
  var failure: StoreError? { storage.failure }

  /// The final error of a read. The end of the turn closes the workspace.
  var damage: StoreError? { storage.damage }

  /// Sets the file after it was opened again.
  func use(_ file: WorkspaceFile) { storage.reopen(file) }

  /// Closes the file, all of which is on the disk. Throws the error that SQLite reports; the file
  /// then stays open.
  func closeFile() throws(StoreError) { try storage.close() }

  /// Closes the file after a final error. Writes that are not on the disk are lost.
  func abandonFile() {
    pool.fileClosed(self)
    storage.abandon()
  }

  func noteDamage(_ error: StoreError) {
    storage.damage = error
    touch()
  }

  func noteFailure(_ error: StoreError) { storage.failure = error }

  /// Makes relay.db store, before the first write, that something may be due in the file.
  func markBusy() {
    guard storage.mark(), directory.workspace(id)?.row.nextWakeAt != nil else { return }
    registry.noteBusy(id)
  }

  #if PLANTS
    /// Forgets that relay.db has stored that something may be due in the file.
    func unmarkBusy() { storage.unmark() }
  #endif

  // MARK: turns

  /// Adds the workspace to those that the end of this turn commits.
  func touch() { commits.touch(self) }

  /// Whether no write, report or reply is pending.
  var isQuiet: Bool {
    transaction.isQuiet && failure == nil && damage == nil && jobState.isEmpty
      && waiting.afterWrite.isEmpty
  }

  /// The next instant at which a timer of the workspace is due.
  var due: Instant? {
    guard failure == nil else { return nil }
    // Work for a turn goes before retention.
    let retention = hasTurnWork ? nil : retentionDue
    return [queue.nextDeadline, transaction.deferredDue, retention, jobState.nextStep]
      .compactMap(\.self).min()
  }

  /// The instant of the next step of retention or shrinking.
  var retentionDue: Instant? {
    guard failure == nil, damage == nil else { return nil }
    let due = [
      care.retention.next(commits: transaction.commits, isOpen: isOpen), upkeep.shrinkDue,
    ]
    return due.compactMap(\.self).min()
  }

  /// Whether rows may be visible that no barrier has covered. Replies with such rows leave with the
  /// next barrier.
  var isUnsynced: Bool { transaction.isUnsynced }

  /// Whether there are writes or replies that cannot be deferred.
  var hasTurnWork: Bool { transaction.hasWork }

  /// Whether messages, tasks or jobs are open that the workspace's removal has to end.
  var isToBeClosed: Bool { queue.isOpen || !jobState.runs.isEmpty }

  // MARK: writes

  func add(_ write: Write) {
    if write.isErasing { care.log.willErase() }
    transaction.add(write)
  }

  func addDeferred(_ write: Write, now: Now) {
    transaction.addDeferred(write, isFileOpen: isOpen, limits, now: now)
  }

  /// Adds a note to a message's timeline; nobody waits for it.
  func note(_ seq: Seq, _ kind: NoteKind, now: Now) {
    addDeferred(.note(seq: seq, kind: kind, at: now.wall, detail: []), now: now)
  }

  /// Sends a reply with rows of the file, once everything that it may show is durable.
  func read(_ reply: Reply) {
    var reply = reply
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    if isUnsynced {
      // The reply leaves whatever happens to this turn's transaction, of which it shows nothing.
      transaction.replyAfterNextBarrier(reply)
      touch()
    } else {
      replies.send(reply)
    }
  }

  func messageID(_ message: Message) -> MessageID {
    MessageID(workspace: id.short, seq: message.seq, tag: message.tag)
  }

  func messageID(_ message: StoredMessage) -> MessageID {
    MessageID(workspace: id.short, seq: message.seq, tag: message.tag)
  }
}

extension Write {
  /// Whether the write deletes content, which stays in the log until the log is emptied.
  fileprivate var isErasing: Bool {
    switch self {
    case .delete, .retire, .trim: true
    case .message, .answer, .handOut, .handOutChange, .requeue, .end, .task, .received, .note,
      .told, .redrive, .job, .expire:
      false
    }
  }
}
