import CSQLite
package import Relay
import System

/// A database that no process uses, opened to be looked at. Nothing of it changes: no byte of the
/// file or of its log, and no other file appears beside it.
///
/// Without a log it is opened as `immutable`, which takes no locks and makes no files. A log that a
/// process has left must be read too, and SQLite needs an index of it: in exclusive mode that is in
/// memory, and with `query_only` and no checkpoint at the close the log stays as it was.
package final class StillFile {
  package enum Kind: Sendable { case workspace, registry }

  package let path: String
  let database: Database

  package init(_ path: String) throws(StoreError) {
    self.path = path
    guard Files.size(path + "-wal") > 0 else {
      database = try Database.connect(
        path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs: nil, uri: Self.immutable(path))
      return
    }
    database = try Database.connect(path, SQLITE_OPEN_READWRITE, vfs: nil)
    database.keepWALAtClose()
    try database.execute(
      """
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA query_only = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF;
      """)
    database.watchWAL()
  }

  deinit { database.abandon() }

  package func close() { database.abandon() }

  /// RFC 3986 §2.1: what would end the path is escaped.
  private static func immutable(_ path: String) -> String {
    var text = "file:"
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "%"): text += "%25"
      case UInt8(ascii: "?"): text += "%3f"
      case UInt8(ascii: "#"): text += "%23"
      default: text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return text + "?immutable=1"
  }

  // MARK: what it holds

  /// The workspaces that have a row and should have a file, in the order of their ids: one that is
  /// being purged (3) may have lost it.
  package func workspaces(
    after id: WorkspaceID?, limit: Int
  ) throws(StoreError) -> [WorkspaceID] {
    var ids: [WorkspaceID] = []
    try database.each(
      "SELECT id FROM workspace WHERE id > ? AND state <> \(Raw.purging) ORDER BY id LIMIT ?",
      [id.map { .id($0) } ?? .blob([]), .integer(Int64(limit))]
    ) { ids.append(WorkspaceID($0.uuid(0))) }
    return ids
  }

  /// Returns everything that a registry holds.
  package func snapshot() throws(StoreError) -> RegistrySnapshot {
    try RegistryFile(database: database, kernelBoot: "").load()
  }

  /// Returns the number of the next `limit` messages after `seq`, and the last of them.
  package func messages(
    after seq: Seq, limit: Int
  ) throws(StoreError) -> (count: Int, last: Seq) {
    var found = (count: 0, last: seq)
    try database.each(
      "SELECT count(*), max(seq) FROM (SELECT seq FROM message WHERE seq > ? ORDER BY seq LIMIT ?)",
      [.integer(seq), .integer(Int64(limit))]
    ) { if $0.int(0) > 0 { found = (Int($0.int(0)), $0.int(1)) } }
    return found
  }

  /// Returns the number of messages, and the highest number that was ever given.
  package func messages() throws(StoreError) -> (count: Int, last: Seq) {
    let deleted = try database.number("SELECT value FROM meta WHERE key = 'last_seq'")
    let last = max(deleted, try database.number("SELECT max(seq) FROM message"))
    return (Int(try database.number("SELECT count(*) FROM message")), last)
  }

  package func lastDeleted() throws(StoreError) -> Seq {
    try database.number("SELECT value FROM meta WHERE key = 'last_seq'")
  }
}
