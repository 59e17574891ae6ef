import Relay
import Store
import Wire

/// All that the engine holds for one workspace in use: its queue, its file, and who waits.
///
/// The file may be closed while the workspace stays in memory: parked polls, held callers and
/// leases need no file. `openFile` opens it again; `reading` and `commit` call that. The functions
/// for callers, agents and operators stand in the types of `WorkspacePart`.
final class Workspace: UsesServices {
  let id: WorkspaceID
  let services: Services
  unowned let pool: WorkspacePool
  let queue: Queue
  /// The key of the digests that stand in the file.
  let digestKey: DigestKey
  /// Messages from here on arrived in this run: the cache knows which of their tasks go on.
  let firstSeq: Seq
  private var storage: WorkspaceStorage
  /// What is written, and who is answered when that is durable.
  var transaction: Transaction
  var turn = WorkspaceTurn()
  /// Polls and calls of agents and operators that have no reply yet, and what they get if there
  /// never is one.
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
    // What recovery has noted there.
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

  /// The final error that has closed the workspace; the log has it.
  var failure: StoreError? { storage.failure }

  /// A final error of a read: the end of the turn closes the workspace.
  var damage: StoreError? { storage.damage }

  /// Uses a file that was opened again.
  func use(_ file: WorkspaceFile) { storage.reopen(file) }

  /// Closes the file, all of which is on the disk. Throws what SQLite reports; the file stays open
  /// then.
  func closeFile() throws(StoreError) { try storage.close() }

  /// Closes the file after a final error: what is not on the disk is not written any more.
  func abandonFile() {
    pool.fileClosed(self)
    storage.abandon()
  }

  func noteDamage(_ error: StoreError) {
    storage.damage = error
    touch()
  }

  func noteFailure(_ error: StoreError) { storage.failure = error }

  /// Has relay.db told, before the first write, that something may come due in the file.
  func markBusy() {
    guard storage.mark(), directory.workspace(id)?.row.nextWakeAt != nil else { return }
    registry.noteBusy(id)
  }

  #if PLANTS
    /// Forgets that relay.db was told.
    func unmarkBusy() { storage.unmark() }
  #endif

  // MARK: turns

  /// Puts the workspace into the list of those that the end of this turn commits.
  func touch() { commits.touch(self) }

  /// Whether nothing is on its way to the file or back.
  var isQuiet: Bool {
    transaction.isQuiet && failure == nil && damage == nil && jobState.isEmpty
      && waiting.afterWrite.isEmpty
  }

  /// The next instant at which something comes due by itself.
  var due: Instant? {
    guard failure == nil else { return nil }
    // What has work for a turn is not looked through before.
    let retention = hasTurnWork ? nil : retentionDue
    return [queue.nextDeadline, transaction.deferredDue, retention, jobState.nextStep]
      .compactMap(\.self).min()
  }

  /// The next round of retention, or of making the file smaller.
  var retentionDue: Instant? {
    guard failure == nil, damage == nil else { return nil }
    let due = [
      care.retention.next(commits: transaction.commits, isOpen: isOpen), upkeep.shrinkDue,
    ]
    return due.compactMap(\.self).min()
  }

  /// Whether rows may be visible that no barrier has covered: what is read leaves with the next
  /// barrier.
  var isUnsynced: Bool { transaction.isUnsynced }

  /// Whether something is to be committed or sent that cannot be deferred.
  var hasTurnWork: Bool { transaction.hasWork }

  /// Whether something has no end yet that the workspace's removal has to give it.
  var isToBeClosed: Bool { queue.isOpen || !jobState.runs.isEmpty }

  // MARK: writes

  func add(_ write: Write) {
    if write.isErasing { care.log.willErase() }
    transaction.add(write)
  }

  func addDeferred(_ write: Write, now: Now) {
    transaction.addDeferred(write, isFileOpen: isOpen, limits, now: now)
  }

  /// Adds a line to a message's timeline, which nobody waits for.
  func note(_ seq: Seq, _ kind: NoteKind, now: Now) {
    addDeferred(.note(seq: seq, kind: kind, at: now.wall, detail: []), now: now)
  }

  /// Sends what was read, when everything that it may show is durable.
  func read(_ reply: Reply) {
    var reply = reply
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    if isUnsynced {
      // Whatever becomes of this turn's transaction: the reply has seen nothing of it.
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
  /// Whether it deletes content, which stands in the log until that is emptied.
  fileprivate var isErasing: Bool {
    switch self {
    case .delete, .retire, .trim: true
    case .message, .answer, .handOut, .handOutChange, .requeue, .end, .task, .received, .note,
      .told, .redrive, .job, .expire:
      false
    }
  }
}
