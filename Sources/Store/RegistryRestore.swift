package import Relay
import System

extension RegistryFile {
  /// Makes the registry of a backup that of a new life: hand-outs of everything unanswered may be
  /// missing, and no lease of the old life fits. The rows of `gone`, and what belongs to them, go.
  package static func restore(
    at path: String, random: UInt64, without gone: [WorkspaceID], _ line: AuditEntry
  ) throws(StoreError) {
    let file = RegistryFile(
      database: try Database.open(path, schema: .registry), kernelBoot: "")
    do throws(StoreError) {
      for id in gone { try file.delete(id) }
      _ = try file.beginLife(random: random, line)
      try file.checkpoint(.truncate)
      try file.close()
    } catch {
      file.abandon()
      throw error
    }
    try Files.sync(path)
  }

  /// The workspace's rows, and those of every table that has a column `workspace`.
  func delete(_ id: WorkspaceID) throws(StoreError) {
    let found = Set(try database.rows(of: id).map(\.table)).subtracting(["org"])
    let tables = found.union(["pulse"])
    try database.transaction { () throws(StoreError) in
      for table in tables.sorted() {
        let key = table == "workspace" || table == "pulse" ? "id" : "workspace"
        try database.each(
          "DELETE FROM \"\(table)\" WHERE \(key) = ?", [.id(id)]
        ) { _ in }
      }
    }
  }
}
