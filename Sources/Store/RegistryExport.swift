import CSQLite
package import Relay
import System

/// The rows of one workspace in the registry, for its way to another relay.
extension RegistryFile {
  /// Returns the row of a workspace, that of its org, and those of every table with a column
  /// `workspace`.
  package func rows(of id: WorkspaceID) throws(StoreError) -> [RegistryRow] {
    try database.rows(of: id)
  }

  /// A registry of its own for them, durable when this returns.
  package static func create(at path: String, _ rows: [RegistryRow]) throws(StoreError) {
    try Database.create(at: path, schema: .registry) { (database) throws(StoreError) in
      let file = RegistryFile(database: database, kernelBoot: "")
      for row in rows { try file.insert(row) }
    }
    // The database is whole without it, and a backup is read without one.
    try Files.remove(path + "-wal")
  }

  func insert(_ row: RegistryRow) throws(StoreError) {
    let columns = row.columns.map { "\"\($0)\"" }.joined(separator: ", ")
    let places = row.columns.map { _ in "?" }.joined(separator: ", ")
    // The org may be there: it is known by its id.
    // A token may be left of the same workspace, which was purged here.
    let verb =
      switch row.table {
      case "org": "INSERT OR IGNORE"
      case "token": "INSERT OR REPLACE"
      default: "INSERT"
      }
    try database.each(
      "\(verb) INTO \"\(row.table)\"(\(columns)) VALUES(\(places))",
      row.values
    ) { _ in }
  }

  /// Returns why `rows` cannot be inserted: some exist, or cannot be taken. `nil` if all can be
  /// inserted.
  package func conflict(with rows: [RegistryRow]) throws(StoreError) -> String? {
    for row in rows {
      var known: Set<String> = []
      try database.each(
        "SELECT name FROM pragma_table_info(?)", [.text(row.table)]
      ) { known.insert($0.text(0)) }
      guard !known.isEmpty, Set(row.columns).isSubset(of: known) else {
        return "it holds \(row.table), which this relay does not know as it is"
      }
      let key = row.table == "token" ? "hash" : "id"
      guard row.table == "token" || row.table == "workspace", let value = row[key] else { continue }
      // What is left of the tokens of a purged workspace is in nobody's way.
      let counts =
        row.table == "token"
        ? " AND (workspace IS NULL OR workspace IN (SELECT id FROM workspace))" : ""
      var isThere = false
      try database.each(
        "SELECT 1 FROM \"\(row.table)\" WHERE \(key) = ?" + counts, [value]
      ) { _ in isThere = true }
      if isThere { return "its \(row.table) is there already" }
    }
    return nil
  }
}

extension Database {
  func rows(of id: WorkspaceID) throws(StoreError) -> [RegistryRow] {
    var tables: [String] = []
    try each("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") { row in
      let name = row.text(0)
      if !name.hasPrefix("sqlite_") { tables.append(name) }
    }
    var rows: [RegistryRow] = []
    for table in tables {
      var columns: [String] = []
      try each("SELECT name FROM pragma_table_info(?)", [.text(table)]) {
        columns.append($0.text(0))
      }
      guard let condition = Self.belongs(table, columns) else { continue }
      try each("SELECT * FROM \"\(table)\" WHERE \(condition)", [.id(id)]) { row in
        rows.append(
          RegistryRow(
            table: table, columns: columns, values: (0..<row.columns).map { row.value($0) }))
      }
    }
    return rows
  }

  private static func belongs(_ table: String, _ columns: [String]) -> String? {
    switch table {
    case "workspace": "id = ?"
    case "org": "id = (SELECT org FROM workspace WHERE id = ?)"
    default: columns.contains("workspace") ? "workspace = ?" : nil
    }
  }
}

extension SQLValue {
  static func id(_ id: WorkspaceID) -> SQLValue {
    let words = [id.bytes.high, id.bytes.low]
    let shifts = stride(from: UInt64(56), through: 0, by: -8)
    return .blob(
      words.flatMap { word in shifts.map { UInt8(truncatingIfNeeded: word >> $0) } })
  }
}
