package import Relay

extension StillFile {
  /// The findings of a workspace's file, a table or a rule at a time: for one that is looked at by
  /// a relay at work.
  package struct Steps {
    fileprivate var parts: [Part]
    package var isOver: Bool { parts.isEmpty }

    fileprivate enum Part {
      case table(String)
      case rule(what: String, rows: String)
    }
  }

  package func steps(_ workspace: WorkspaceID) throws(StoreError) -> Steps {
    if let wrong = try wrongKind(.workspace) { throw damaged(wrong) }
    if let wrong = try foreignSchema(.workspace).first { throw damaged(wrong) }
    if let wrong = try foreignQueue(workspace) { throw damaged(wrong) }
    var parts: [Steps.Part] = []
    try database.each("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
      parts.append(.table($0.text(0)))
    }
    parts += Self.workspaceRules.map { .rule(what: $0.what, rows: $0.rows) }
    parts += Ranges.rules.map { .rule(what: $0.what, rows: $0.rows) }
    return Steps(parts: parts)
  }

  /// Looks at one of them; throws what it finds.
  package func look(_ steps: inout Steps) throws(StoreError) {
    guard !steps.parts.isEmpty else { return }
    switch steps.parts.removeFirst() {
    case .table(let name):
      var found = ""
      let quoted = name.split(separator: "\"", omittingEmptySubsequences: false)
      try database.each("PRAGMA integrity_check(\"\(quoted.joined(separator: "\"\""))\")") { row in
        if row.text(0) != "ok", found.isEmpty { found = row.text(0) }
      }
      if !found.isEmpty { throw damaged("SQLite: " + found) }
    case .rule(let what, let rows):
      let count = try database.number("SELECT count(*) FROM \(rows)")
      if count > 0 { throw damaged("\(count) \(what)") }
    }
  }

  private func damaged(_ what: String) -> StoreError {
    StoreError(kind: .corrupt, call: "import", path: path, message: what)
  }
}
