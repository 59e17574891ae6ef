package import Relay
import System

extension RegistryFile {
  /// Makes the registry of a backup that of a new life: hand-outs of everything unanswered may be
  /// missing, and no lease of the old life fits. The rows of `gone`, and what belongs to them, go.
  package static func restore(
    at path: String, random: UInt64, without gone: [WorkspaceID]
  ) throws(StoreError) {
    let file = RegistryFile(
      database: try Database.open(path, schema: .registry), kernelBoot: "")
    do throws(StoreError) {
      for id in gone { try file.delete(id) }
      _ = try file.beginLife(random: random)
      try file.checkpoint(.truncate)
      try file.close()
    } catch {
      file.abandon()
      throw error
    }
    try Files.sync(path)
  }

  /// The workspace's row, and those of every table that has a column `workspace`.
  func delete(_ id: WorkspaceID) throws(StoreError) {
    let tables = Set(try database.rows(of: id).map(\.table)).subtracting(["org"])
    try database.transaction { () throws(StoreError) in
      for table in tables.sorted() {
        let key = table == "workspace" ? "id" : "workspace"
        try database.each(
          "DELETE FROM \"\(table)\" WHERE \(key) = ?", bind: { $0.add(id.bytes) }) { _ in }
      }
    }
  }
}
