import CSQLite
import Glibc
import System

extension Database {
  /// Makes a new file with its tables at `path`, durable when this returns: the row that names it
  /// comes afterwards.
  ///
  /// It is made under another name and renamed, so that a crash leaves no half a file at `path`.
  static func create(
    at path: String, schema: Schema, inNewFolder: Bool = true, vfs: String? = nil,
    filling: (Database) throws(StoreError) -> Void = { _ in }
  ) throws(StoreError) {
    guard !Files.exists(path) else {
      throw StoreError(
        kind: .taken, code: EEXIST, call: "create", path: path,
        message: "a file without a row is in its place; move it away")
    }
    let draft = path + ".draft"
    for suffix in ["", "-wal", "-shm", "-journal"] { try Files.remove(draft + suffix) }
    do throws(StoreError) {
      // Made here because SQLite would let others read it; its WAL takes the same mode.
      _ = try Files.open(draft, O_RDWR | O_CREAT | O_EXCL)
      try writeDraft(draft, schema: schema, vfs: vfs, filling: filling)
      // Its entry is made durable by the same sync of the folder as the file's.
      _ = try Files.open(path + "-wal", O_RDWR | O_CREAT | O_TRUNC)
      try Files.sync(draft)
      try Files.rename(draft, to: path)
      let folder = Files.folder(of: path)
      try Files.sync(folder)
      if inNewFolder { try Files.sync(Files.folder(of: folder)) }
    } catch {
      try? Files.remove(draft)
      throw error
    }
  }

  private static func writeDraft(
    _ draft: String, schema: Schema, vfs: String?, filling: (Database) throws(StoreError) -> Void
  ) throws(StoreError) {
    let database = try connect(draft, SQLITE_OPEN_READWRITE, vfs: vfs)
    defer { database.abandon() }
    try database.execute(
      """
      PRAGMA page_size = \(pageBytes);
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA synchronous = OFF;
      PRAGMA journal_mode = WAL;
      PRAGMA application_id = \(schema.applicationID);
      """)
    try database.transaction { () throws(StoreError) in
      try database.execute(schema.tables)
      try database.execute("PRAGMA user_version = \(schema.version)")
      try filling(database)
    }
    guard try database.checkpoint(.truncate) else {
      throw StoreError(
        kind: .other, code: SQLITE_BUSY, call: "create", path: draft,
        message: "the new file is in use")
    }
    database.markSynced()
  }
}
