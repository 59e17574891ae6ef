import CSQLite
package import Relay

/// The rows of an exported registry that may come into another. The export may have been written by
/// somebody else: a further row would be a credential or a secret that nobody here has given.
extension StillFile {
  /// The workspace's row, its org's, its agent tokens and its secrets, and the same as a relay
  /// keeps them in memory: read from exactly those rows. It throws when there is anything else.
  package func admitted(
    _ id: WorkspaceID
  ) throws(StoreError) -> (rows: [RegistryRow], registered: RegistrySnapshot) {
    let rows = try database.rows(of: id)
    guard Set(rows.map(\.table)).isSubset(of: Self.admittedTables) else {
      throw foreign("rows of tables that no export has")
    }
    for table in Self.admittedTables.sorted() {
      let all = try database.number("SELECT count(*) FROM \"\(table)\"")
      guard all == Int64(rows.count { $0.table == table }) else {
        throw foreign("a \(table) that is not of the workspace")
      }
    }
    let registered = try Self.inMemory(rows)
    guard registered.workspaces.count == 1, let workspace = registered.workspaces.first,
      workspace.id == id, registered.orgs.allSatisfy({ $0.id == workspace.org })
    else { throw foreign("not one workspace with its org") }
    for token in registered.tokens {
      guard token.kind == .agent, token.workspace == id, token.org == workspace.org else {
        throw foreign("a token that is not of the workspace's agent")
      }
    }
    guard registered.secrets.allSatisfy({ $0.workspace == id }) else {
      throw foreign("a secret that is not of the workspace")
    }
    return (rows, registered)
  }

  private static let admittedTables: Set<String> = ["org", "secret", "token", "workspace"]

  private func foreign(_ what: String) -> StoreError {
    StoreError(kind: .corrupt, call: "import", path: path, message: "it holds \(what)")
  }

  private static func inMemory(_ rows: [RegistryRow]) throws(StoreError) -> RegistrySnapshot {
    let database = try Database.connect(
      ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs: nil)
    defer { database.abandon() }
    try database.execute(Schema.registry.tables)
    let file = RegistryFile(database: database, kernelBoot: "")
    for row in rows { try file.insert(row) }
    return try file.load()
  }
}
