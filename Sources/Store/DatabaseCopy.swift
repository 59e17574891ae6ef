import CSQLite
import Glibc
import System

/// The reason why a file was not copied whole. A failed copy says nothing about the relay's own
/// writes: it is never final for a workspace or the process.
package enum CopyFailure: Error, Sendable {
  /// The file itself cannot be read.
  case source(StoreError)
  /// The new one cannot be written.
  case destination(StoreError)
  /// The source was closed between two slices; it can be begun anew.
  case interrupted
}

/// A copy of an open database in a new file, made a slice at a time (`sqlite3_backup`).
///
/// It runs on the source's own connection, so that a commit between two slices needs no lock and
/// spoils nothing: SQLite carries a page that was copied before over to the copy (its manual: "if
/// the source is modified using the same connection, the backup is automatically updated"), and
/// reads the others later. When it is whole, the copy is the source of that moment, log included.
/// It is not synced.
package final class DatabaseCopy {
  package let path: String
  private var destination: Database?
  private var backup: OpaquePointer?

  /// - `vfs`: of the new file; for tests.
  init(of source: Database, to path: String, vfs: String? = nil) throws(CopyFailure) {
    self.path = path
    do throws(StoreError) {
      // Made here because SQLite would let others read it.
      _ = try Files.open(path, O_RDWR | O_CREAT | O_EXCL)
      let destination = try Database.connect(path, SQLITE_OPEN_READWRITE, vfs: vfs)
      self.destination = destination
      // Half a copy is thrown away, so there is nothing to roll back to.
      try destination.execute(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1024")
      backup = sqlite3_backup_init(destination.handle, "main", source.handle, "main")
      if backup == nil {
        throw destination.error(sqlite3_errcode(destination.handle), "backup")
      }
    } catch {
      destination?.abandon()
      destination = nil
      throw .destination(error)
    }
    source.copy = self
  }

  deinit { cancel() }

  /// Bytes of the whole, as far as it is known.
  package var bytes: Int64 {
    backup.map { Int64(sqlite3_backup_pagecount($0)) * Int64(Database.pageBytes) } ?? 0
  }

  /// Copies up to `pages` more; says whether it is whole.
  package func step(pages: Int) throws(CopyFailure) -> Bool {
    guard let backup, let destination else { throw .interrupted }
    let code = sqlite3_backup_step(backup, Int32(pages))
    if code == SQLITE_OK { return false }
    self.backup = nil
    self.destination = nil
    // Afterwards the destination knows the error number under the failure.
    let ended = sqlite3_backup_finish(backup)
    let system = sqlite3_system_errno(destination.handle)
    destination.abandon()
    guard code != SQLITE_DONE else {
      guard ended == SQLITE_OK else { throw failure(ended, system) }
      return true
    }
    throw failure(code, system)
  }

  /// Tells a failure of the source from one of the copy: before the copy is written, only the
  /// source is read.
  private func failure(_ code: Int32, _ system: Int32) -> CopyFailure {
    let message = String(cString: sqlite3_errstr(code))
    // SQLITE_IOERR | 1, 2 << 8: the header's macros do not reach Swift.
    let isRead = code == 266 || code == 522
    if isRead || code & 0xFF == SQLITE_CORRUPT || code & 0xFF == SQLITE_NOTADB {
      return .source(
        StoreError(
          kind: .corrupt, code: code, call: "copy", path: path, message: message,
          systemErrno: system))
    }
    return .destination(
      StoreError(
        kind: StoreError.kind(of: code, errno: system) == .full ? .full : .other, code: code,
        call: "copy", path: path, message: message, systemErrno: system))
  }

  /// Ends it; half a file stays where it is.
  package func cancel() {
    if let backup { sqlite3_backup_finish(backup) }
    backup = nil
    destination?.abandon()
    destination = nil
  }
}

extension WorkspaceFile {
  /// A copy of it, begun.
  package func copy(to path: String, vfs: String? = nil) throws(CopyFailure) -> DatabaseCopy {
    try DatabaseCopy(of: database, to: path, vfs: vfs)
  }

  /// Closing it now would mean to begin its copy anew.
  package var isBeingCopied: Bool { database.copy != nil }
}

extension RegistryFile {
  package func copy(to path: String, vfs: String? = nil) throws(CopyFailure) -> DatabaseCopy {
    try DatabaseCopy(of: database, to: path, vfs: vfs)
  }
}
