import CSQLite
import Glibc
import Relay
import System

extension Database {
  /// Opens a file that must exist, by the rules of the store.
  ///
  /// `walIsOurs`: this process itself closed the file without an error. Any other WAL may hold
  /// pages that the kernel has lost and marked clean; it is copied, synced and cut before anything
  /// is appended to it.
  ///
  /// `boot`: under which the file must have been used for a damaged log to be refused.
  static func open(
    _ path: String, schema: Schema, walIsOurs: Bool = false, vfs: String? = nil,
    boot: String? = nil
  ) throws(StoreError) -> Database {
    let walWasThere = Files.exists(path + "-wal")
    var damage: String?
    if !walIsOurs, Files.size(path + "-wal") > 0 {
      // Before SQLite has them open: closing another descriptor would drop its locks.
      try Files.forgetCache(path + "-wal")
      try Files.forgetCache(path)
      damage = try WALFormat.damage(path + "-wal")
    }
    let database = try connect(path, SQLITE_OPEN_READWRITE, vfs: vfs)
    // Before the first error that could close it: a close must not copy and delete the WAL.
    database.keepWALAtClose()
    do throws(StoreError) {
      // No spill: a round is bounded, and a page that leaves before the commit is written twice.
      // EXCLUSIVE before the first read: the WAL's index is then in our memory, not in a -shm file.
      try database.execute(
        """
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA synchronous = NORMAL;
        PRAGMA cache_size = -512;
        PRAGMA cache_spill = OFF;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        """)
      database.watchWAL()
      try database.checkKind(schema)
      // Before the log is cut: what stands behind the damage is still there for whoever mends it.
      if let damage, let boot, try database.wasLastUsed(under: boot) {
        throw StoreError(kind: .corrupt, call: "open", path: path + "-wal", message: damage)
      }
      if !walIsOurs { try database.cutForeignWAL() }
      try database.migrate(to: schema)
      if !walWasThere { try Files.sync(Files.folder(of: path)) }
      database.adopt(wal: try openWAL(of: path))
    } catch {
      database.abandon()
      throw error
    }
    return database
  }

  /// SQLite counts every allocation under a lock, for statistics that nobody reads: a tenth of the
  /// work of a transaction. It can be told so only before its first use; where something else in
  /// the process was first (a test's VFS), it refuses, and counts on.
  private static let withoutStatistics = relay_sqlite_config_int(SQLITE_CONFIG_MEMSTATUS, 0)

  /// - `uri`: of the same file, with what its parameters ask for.
  static func connect(
    _ path: String, _ flags: Int32, vfs: String?, uri: String? = nil
  ) throws(StoreError) -> Database {
    _ = withoutStatistics
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(
      uri ?? path, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
    guard let handle else {
      throw StoreError(kind: .other, code: code, call: "open", path: path, message: "no memory")
    }
    let database = Database(handle: handle, path: path)
    guard code == SQLITE_OK else {
      let failure = database.error(code, "open")
      database.abandon()
      throw failure
    }
    return database
  }

  /// An empty one without a file.
  static func inMemory() throws(StoreError) -> Database {
    try connect(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs: nil)
  }

  /// Brings the boot that was written just now from the log into the file: it is what tells a log
  /// that was damaged or lost from one that has never been, so it must not stand there alone. On a
  /// full disk it stays in the log until the next checkpoint.
  func settleBoot() throws(StoreError) {
    do throws(StoreError) { try checkpoint(.passive) } catch  where error.kind == .full {}
  }

  private func wasLastUsed(under boot: String) throws(StoreError) -> Bool {
    MissingLog.kernel(of: try lastBoot()) == MissingLog.kernel(of: boot)
  }

  /// The kernel's boot, and the relay's life, under which the file was last opened.
  func lastBoot() throws(StoreError) -> String { try meta("kernel_boot") }

  func meta(_ key: String) throws(StoreError) -> String {
    var value = ""
    try each("SELECT value FROM meta WHERE key = ?", [.text(key)]) { value = $0.text(0) }
    return value
  }

  private func checkKind(_ schema: Schema) throws(StoreError) {
    guard try number("PRAGMA application_id") == Int64(schema.applicationID) else {
      throw StoreError(
        kind: .corrupt, code: SQLITE_NOTADB, call: "open", path: path,
        message: "not a file of this relay")
    }
  }

  /// Copies a write-ahead log that another process has left into the file, and empties it. SQLite's
  /// first attempt may report a write that failed before; later attempts copy the log again.
  private func cutForeignWAL() throws(StoreError) {
    var tries = 0
    while true {
      tries += 1
      do throws(StoreError) {
        if try checkpoint(.truncate) { return }
        throw StoreError(
          kind: .workspaceFatal, code: SQLITE_BUSY, call: "checkpoint", path: path,
          message: "the WAL of another process could not be copied whole")
      } catch {
        guard tries < Limits.walEmptyTriesMax, error.kind != .corrupt else {
          throw error.finalForWorkspace
        }
      }
    }
  }

  func keepWALAtClose() {
    var on: Int32 = 1
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on)
    _ = relay_sqlite_db_config_int(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
  }

  /// `fdatasync` on the descriptor of a deleted file succeeds and syncs nothing anybody will read:
  /// the one opened must be the one that the path names.
  private static func openWAL(of database: String) throws(StoreError) -> FileDescriptor {
    let path = database + "-wal"
    let descriptor = try Files.open(path, O_RDONLY | O_NOFOLLOW)
    var opened = stat()
    var named = stat()
    try Files.checked("fstat", path) { fstat(descriptor.raw, &opened) }
    try Files.checked("stat", path) { stat(path, &named) }
    guard opened.st_nlink == 1, opened.st_ino == named.st_ino, opened.st_dev == named.st_dev else {
      throw StoreError(
        kind: .workspaceFatal, call: "open", path: path,
        message: "the WAL has been deleted, linked or replaced")
    }
    return descriptor
  }
}

extension StoreError {
  /// A checkpoint at open that failed three times ends the workspace, not the process: nothing that
  /// this process has acknowledged is in that file.
  var finalForWorkspace: StoreError {
    guard kind != .full, kind != .corrupt else { return self }
    return StoreError(
      kind: .workspaceFatal, code: code, call: call, path: path, message: message,
      systemErrno: systemErrno)
  }
}
