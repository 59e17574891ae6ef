import CSQLite
import Glibc
import Relay
import System

/// One SQLite file in WAL mode and its only connection, owned by the loop.
///
/// Nothing here syncs: a commit is in the kernel's hands when `commit` returns, and durable when
/// the barrier has synced `walDescriptor`.
final class Database {
  let handle: OpaquePointer
  let path: String
  /// Frames committed since the last `markSynced`: no round of them may be outstanding at a close.
  private(set) var isDirty = false
  private var statements: [Prepared?] = []
  /// Written by the WAL hook: pages in the WAL after the last commit.
  private let pages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
  private var wal: FileDescriptor?
  /// The identity that the file had when its log was adopted.
  private(set) var identity: FileIdentity?
  private(set) var bytesOnDisk: Int64 = 0
  private var isOpen = true
  /// A copy that is being made of it; it ends with the connection.
  weak var copy: DatabaseCopy?

  static let pageBytes = 4096

  init(handle: OpaquePointer, path: String) {
    self.handle = handle
    self.path = path
    pages.initialize(to: 0)
  }

  deinit {
    abandon()
    pages.deallocate()
  }

  var walPages: Int { Int(pages.pointee) }

  /// The barrier's own descriptor of the `-wal` file. (A second one on the `.db` or the `-shm`
  /// would drop SQLite's locks of the whole process when it closes; on the WAL it is safe.)
  var walDescriptor: Int32 {
    guard let raw = wal?.raw else { preconditionFailure("a closed file has no descriptor") }
    return raw
  }

  // MARK: statements

  private struct Prepared {
    let handle: OpaquePointer
    let scratch: UnsafeMutableRawPointer
  }

  /// Statements are prepared at their first use and kept.
  func statement(slot: Int, _ text: @autoclosure () -> String) throws(StoreError) -> Statement {
    if slot < statements.count, let prepared = statements[slot] {
      return Statement(prepared.handle, of: self, scratch: prepared.scratch)
    }
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v3(
      handle, text(), -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw error(code, "prepare") }
    while statements.count <= slot { statements.append(nil) }
    let scratch = UnsafeMutableRawPointer.allocate(
      byteCount: Statement.scratchBytes, alignment: 8)
    statements[slot] = Prepared(handle: prepared, scratch: scratch)
    return Statement(prepared, of: self, scratch: scratch)
  }

  /// Runs text that is used once.
  func execute(_ text: String) throws(StoreError) {
    let code = sqlite3_exec(handle, text, nil, nil, nil)
    if code != SQLITE_OK { throw error(code, "execute") }
  }

  /// The one number that `text` returns.
  func number(_ text: String) throws(StoreError) -> Int64 {
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, text, -1, &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw error(code, "prepare") }
    defer { sqlite3_finalize(prepared) }
    var statement = Statement(prepared, of: self)
    return try statement.step() ? statement.int(0) : 0
  }

  /// Runs text that is used once, row by row.
  func each(
    _ text: String, _ parameters: [SQLValue] = [],
    _ body: (Statement) throws(StoreError) -> Void
  ) throws(StoreError) {
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, text, -1, &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw error(code, "prepare") }
    defer { sqlite3_finalize(prepared) }
    var statement = Statement(prepared, of: self)
    for value in parameters { statement.add(value) }
    while try statement.step() { try body(statement) }
  }

  func error(_ code: Int32, _ call: String) -> StoreError {
    // SQLite keeps the number for most calls, but not for a COMMIT that fails: then the thread's
    // own is that of the call that failed, or of what followed it.
    let last = errno
    let extended = sqlite3_extended_errcode(handle)
    let exact = extended & 0xFF == code & 0xFF ? extended : code
    let kept = sqlite3_system_errno(handle)
    let isSystem = exact & 0xFF == SQLITE_IOERR || exact & 0xFF == SQLITE_CANTOPEN
    let number = kept == 0 && isSystem ? last : kept
    return StoreError(
      kind: StoreError.kind(of: exact, errno: number), code: exact, call: call, path: path,
      message: String(cString: sqlite3_errmsg(handle)), systemErrno: number)
  }

  /// Rows that the last statement has changed.
  var changes: Int { Int(sqlite3_changes(handle)) }

  // MARK: transactions

  private enum Slot { static let begin = 0, commit = 1, rollback = 2 }
  /// The first slot for the statements of the file's own kind.
  static let slots = 3

  /// Runs `body` in one transaction. After a failure the transaction is rolled back and, unless the
  /// error is final, the connection goes on.
  func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    var begin = try statement(slot: Slot.begin, "BEGIN IMMEDIATE")
    try begin.run()
    do throws(StoreError) {
      try body()
      var commit = try statement(slot: Slot.commit, "COMMIT")
      try commit.run()
    } catch {
      rollBack()
      throw error
    }
    isDirty = true
  }

  /// Writes what the file holds once more, without the free pages, into the log: the next
  /// checkpoint makes the file smaller. Takes 5 to 15 ms for each MiB that is in use.
  ///
  /// In a transaction of its own, all or nothing. Memory for twice of what is in use: a copy
  /// (`temp_store`), and the pages on their way into the log.
  func vacuum() throws(StoreError) {
    // Files of before had a map of who points to each page, so that a part of the free ones could
    // be given back. With the pages in no order any more, each transaction wrote several of its.
    try execute("PRAGMA auto_vacuum = NONE; VACUUM")
    isDirty = true
  }

  /// SQLite rolls back by itself after some errors; then there is nothing to do. A rollback in WAL
  /// mode drops pages from the cache and cannot fail in a way that matters.
  private func rollBack() {
    guard sqlite3_get_autocommit(handle) == 0 else { return }
    if var rollback = try? statement(slot: Slot.rollback, "ROLLBACK") { try? rollback.run() }
  }

  /// The barrier has covered every commit so far.
  func markSynced() { isDirty = false }

  // MARK: WAL

  /// Checkpoints; returns whether the whole WAL is in the database file.
  @discardableResult
  func checkpoint(_ mode: CheckpointMode) throws(StoreError) -> Bool {
    var frames: Int32 = 0
    var copied: Int32 = 0
    let code = sqlite3_wal_checkpoint_v2(handle, "main", mode.code, &frames, &copied)
    noteSize()
    guard code == SQLITE_OK else { throw error(code, "checkpoint") }
    guard frames == copied else { return false }
    // The WAL is cut when the workspace is idle: what is cached for it can go too.
    if mode == .truncate { sqlite3_db_release_memory(handle) }
    // The next commit starts the WAL again from its beginning.
    pages.pointee = 0
    return true
  }

  func watchWAL() {
    // Replaces the hook by which SQLite checkpoints on its own.
    sqlite3_wal_autocheckpoint(handle, 0)
    _ = sqlite3_wal_hook(
      handle,
      { context, _, _, pages in
        context?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, pages)
  }

  func adopt(wal: consuming FileDescriptor) {
    self.wal = consume wal
    identity = FileIdentity(path: path)
    noteSize()
  }

  /// Remembers how long the file is: only a checkpoint and a cut of its own change that.
  func noteSize() { bytesOnDisk = Files.size(path) }

  /// Makes every commit so far durable, here and now: for the end of the process, when no barrier
  /// is running any more.
  func sync() throws(StoreError) {
    guard isDirty else { return }
    let descriptor = walDescriptor
    try Files.checked("fdatasync", path + "-wal", kind: .ioFatal) { fdatasync(descriptor) }
    markSynced()
  }

  // MARK: the end

  /// Closes after everything is durable. A WAL of up to 64 pages stays as it is: copying it at
  /// every close would cost six times as much.
  func close() throws(StoreError) {
    precondition(!isDirty, "a file with a round outstanding is not closed")
    guard isOpen else { return }
    if walPages > Limits.walPagesAtCloseMax {
      do throws(StoreError) {
        try checkpoint(.passive)
      } catch {
        // On a full disk the log stays as it is: it is whole, on the disk, and this process's own.
        guard error.kind == .full else { throw error }
      }
    }
    copy?.cancel()
    finalizeStatements()
    let code = sqlite3_close(handle)
    guard code == SQLITE_OK else { throw error(code, "close") }
    isOpen = false
    wal = nil
  }

  /// Closes without a word, after a final error: whatever is not on disk is not written any more.
  func abandon() {
    guard isOpen else { return }
    isOpen = false
    copy?.cancel()
    finalizeStatements()
    sqlite3_close_v2(handle)
    wal = nil
  }

  private func finalizeStatements() {
    for case let prepared? in statements {
      sqlite3_finalize(prepared.handle)
      prepared.scratch.deallocate()
    }
    statements = []
  }
}

/// The extent of a checkpoint.
package enum CheckpointMode: Sendable {
  /// Copies the pages; the WAL is used again from its beginning.
  case passive
  /// Also cuts the WAL file to nothing, so that erased secrets leave the disk.
  case truncate

  var code: Int32 { self == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE }
}
