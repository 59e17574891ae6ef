import Relay

/// The parts of a file's schema that no relay has made. Triggers, views and indices run when other
/// rows are read or written, so a file is read only after its schema is known to be a relay's.
extension StillFile {
  private struct Entry: Hashable {
    var type: String
    var name: String
    var table: String
    var sql: String

    func isNamed(like other: Entry) -> Bool { type == other.type && name == other.name }
    var article: String { type == "index" ? "an" : "a" }
    /// Names are others' text, of any length.
    var text: String { "\(type) \"\(name.prefix(100))\"" }
  }

  func foreignSchema(_ kind: Kind) throws(StoreError) -> [String] {
    let own = try Self.entries(of: kind == .workspace ? Schema.workspace : Schema.registry)
    let found = try Self.entries(of: database)
    guard found != own else { return [] }
    var findings: [String] = []
    for entry in found.subtracting(own) {
      findings.append(
        own.contains { $0.isNamed(like: entry) }
          ? "its \(entry.text) is not as a relay makes it"
          : "it has \(entry.article) \(entry.text), which no relay makes")
    }
    for entry in own.subtracting(found) where !found.contains(where: { $0.isNamed(like: entry) }) {
      findings.append("its \(entry.text) is missing")
    }
    return Array(findings.sorted().prefix(Limits.findingsMax))
  }

  private static func entries(of schema: Schema) throws(StoreError) -> Set<Entry> {
    let fresh = try Database.inMemory()
    defer { fresh.abandon() }
    try fresh.execute(schema.tables)
    return try entries(of: fresh)
  }

  private static func entries(of database: Database) throws(StoreError) -> Set<Entry> {
    var found: Set<Entry> = []
    try database.each("SELECT type, name, tbl_name, sql FROM sqlite_schema") { row in
      found.insert(
        Entry(type: row.text(0), name: row.text(1), table: row.text(2), sql: row.text(3)))
    }
    return found
  }
}
