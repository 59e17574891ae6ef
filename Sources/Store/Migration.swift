import CSQLite
import Glibc

extension Database {
  /// Brings the file to `schema.version`, after a copy of it has been made beside it.
  func migrate(to schema: Schema) throws(StoreError) {
    let found = Int(try number("PRAGMA user_version"))
    guard found <= schema.version else {
      throw StoreError(
        kind: .newerSchema, call: "open", path: path,
        message: "version \(found) was written by a newer relay; this one knows \(schema.version)")
    }
    let oldest = schema.steps.keys.min() ?? schema.version
    guard found >= oldest else {
      throw StoreError(
        kind: .corrupt, call: "open", path: path,
        message: "version \(found) was written by no relay; the first is \(oldest)")
    }
    guard found < schema.version else { return }
    try copyBeforeMigrating(found)
    try transaction { () throws(StoreError) in
      for version in found..<schema.version {
        guard let step = schema.steps[version] else {
          throw StoreError(
            kind: .corrupt, call: "migrate", path: path,
            message: "version \(version) has no step to the next")
        }
        try execute(step)
      }
      try execute("PRAGMA user_version = \(schema.version)")
    }
    guard try checkpoint(.truncate) else {
      throw StoreError(
        kind: .busy, code: SQLITE_BUSY, call: "migrate", path: path, message: "the file is in use")
    }
    markSynced()
  }

  /// A copy left by a try that was cut short is older than nothing: the file has not changed since.
  private func copyBeforeMigrating(_ version: Int) throws(StoreError) {
    let copy = "\(path).v\(version)"
    let size = Files.size(path)
    // The copy, and the WAL of a migration that rewrites every page.
    guard try FileSystem.freeBytes(Files.folder(of: path)) > size * 2 else {
      throw StoreError(
        kind: .full, code: SQLITE_FULL, call: "migrate", path: path,
        message: "migrating needs \(size * 2) free bytes")
    }
    try Files.remove(copy)
    // Made here, empty, because SQLite would let others read it.
    _ = try Files.open(copy, O_RDWR | O_CREAT | O_EXCL)
    try execute("VACUUM INTO '\(copy.replacing("'", with: "''"))'")
    try Files.sync(copy)
    try Files.sync(Files.folder(of: path))
  }
}
