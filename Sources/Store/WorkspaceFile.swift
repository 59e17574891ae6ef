package import Relay

/// The open file of one workspace's queue, used by the loop only.
///
/// In a turn of the loop: `commit` at most once, then `walDescriptor` goes to the barrier; when its
/// report covers the last commit, `markSynced`. A failed `commit` has changed nothing.
package final class WorkspaceFile {
  package let id: WorkspaceID
  let database: Database
  /// The kernel's boot id, as it is now.
  let kernelBoot: String
  private let closed: ClosedFiles
  /// The position of the newest message; kept by `recover` and by the writes.
  package var lastPosition: Int64 = 0
  /// Grows with each new message, and with other transactions that are asked to count, and never
  /// falls: a file with less than it had has lost what was committed since.
  package var progress: Int64 { queueProgress.sum }
  var queueProgress = QueueProgress()

  init(id: WorkspaceID, database: Database, kernelBoot: String, closed: ClosedFiles) {
    self.id = id
    self.database = database
    self.kernelBoot = kernelBoot
    self.closed = closed
  }

  package var path: String { database.path }
  /// Commits that no barrier has covered yet.
  package var isDirty: Bool { database.isDirty }
  /// The descriptor of the log, for the barrier. It is valid until `close` or `abandon`.
  package var walDescriptor: Int32 { database.walDescriptor }
  /// Pages in the WAL that are not in the file yet; what `checkpoint` is for.
  package var walPages: Int { database.walPages }

  /// Carries out all of `writes` in one transaction, or none of it.
  ///
  /// Nothing is durable when this returns; nobody may see it before the barrier has passed.
  ///
  /// - `counts`: raises the progress by one; a page more, so not for every transaction.
  package func commit(_ writes: [Write], counts: Bool = false) throws(StoreError) {
    guard !writes.isEmpty else { return }
    var progress = queueProgress
    if counts { progress.counted += 1 }
    try database.transaction { () throws(StoreError) in
      for write in writes {
        try apply(write)
        if case .message(let new) = write { progress.lastSeq = max(progress.lastSeq, new.seq) }
      }
      if counts { try setMeta(Meta.progress, progress.counted) }
    }
    queueProgress = progress
  }

  /// The barrier has covered every commit so far.
  package func markSynced() { database.markSynced() }

  /// Copies the log into the file. Returns whether all of the log is in the file now.
  @discardableResult
  package func checkpoint(_ mode: CheckpointMode) throws(StoreError) -> Bool {
    try database.checkpoint(mode)
  }

  /// Makes every commit durable, for the end of the process.
  package func sync() throws(StoreError) { try database.sync() }

  /// Closes the file. Never while a round is outstanding.
  package func close() throws(StoreError) {
    try database.close()
    closed.insert(id, path)
  }

  /// Closes the file after a final error: no checkpoint, nothing remembered, no error.
  package func abandon() { database.abandon() }

  /// Makes every later commit durable when it returns, by a sync of its own. The relay never does
  /// this; the load generator does, to measure the disk without the barrier.
  package func syncAtCommit() throws(StoreError) {
    try database.execute("PRAGMA synchronous = FULL")
  }

  func statement(_ sql: RetentionSQL) throws(StoreError) -> Statement {
    try sql.prepared(in: database)
  }

  func statement(_ sql: WorkspaceSQL) throws(StoreError) -> Statement {
    try database.statement(slot: Database.slots + sql.rawValue, sql.text)
  }
}

/// The files that this process has closed without an error, whose WAL it may append to again.
final class ClosedFiles {
  private struct Closed {
    var file: FileIdentity?
    var log: FileIdentity?
  }

  private var closed: [WorkspaceID: Closed] = [:]

  func insert(_ id: WorkspaceID, _ path: String) {
    closed[id] = Closed(
      file: FileIdentity(path: path), log: FileIdentity(path: path + "-wal"))
  }

  /// An open file is not a closed one: if it is not closed well, it is not trusted again.
  func forget(_ id: WorkspaceID) { closed[id] = nil }

  /// Forgets a file that is to be opened. Returns whether it is as it was left.
  func take(_ id: WorkspaceID, _ path: String) throws(StoreError) -> Bool {
    guard let left = closed.removeValue(forKey: id) else { return false }
    let log = FileIdentity(path: path + "-wal")
    let file = FileIdentity(path: path)
    guard left.file == file, left.file?.bytes == file?.bytes, left.log == log,
      left.log?.bytes == log?.bytes
    else {
      throw StoreError(
        kind: .workspaceFatal, call: "open", path: path,
        message: "the file or its log has been deleted, replaced or changed by somebody else")
    }
    return true
  }
}
