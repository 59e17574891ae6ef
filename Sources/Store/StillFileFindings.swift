package import Relay

/// The rules that hold for a file whatever has happened to its process, the machine or its copies.
extension StillFile {
  /// Returns why the file is not of this kind or cannot be read; `nil` if it can.
  package func wrongKind(_ kind: Kind) throws(StoreError) -> String? {
    let schema: Schema = kind == .workspace ? .workspace : .registry
    guard try database.number("PRAGMA application_id") == Int64(schema.applicationID) else {
      return "it is no \(kind == .workspace ? "queue" : "registry") of a relay"
    }
    let version = try database.number("PRAGMA user_version")
    guard version == Int64(schema.version) else {
      return "it is of version \(version); this relay knows \(schema.version)"
    }
    return nil
  }

  /// Returns what no relay has made, what SQLite finds wrong, and then the relay's own rules that
  /// are broken.
  package func findings(_ kind: Kind, workspace: WorkspaceID? = nil) throws(StoreError) -> [String]
  {
    if let wrong = try wrongKind(kind) { return [wrong] }
    var found = try foreignSchema(kind)
    guard found.isEmpty else { return found }
    try database.each("PRAGMA integrity_check(\(Limits.findingsMax))") { row in
      if row.text(0) != "ok" { found.append("SQLite: " + row.text(0)) }
    }
    guard found.isEmpty else { return found }
    let rules = kind == .workspace ? Self.workspaceRules + Ranges.rules : Self.registryRules
    for rule in rules {
      let count = try database.number("SELECT count(*) FROM \(rule.rows)")
      if count > 0 { found.append("\(count) \(rule.what)") }
    }
    if let workspace, let wrong = try foreignQueue(workspace) { found.append(wrong) }
    return found
  }

  func foreignQueue(_ workspace: WorkspaceID) throws(StoreError) -> String? {
    var name = ""
    try database.each("SELECT value FROM meta WHERE key = 'workspace'") { name = $0.text(0) }
    return name == workspace.text ? nil : "it is the queue of \"\(name)\""
  }

  static let workspaceRules: [(what: String, rows: String)] = [
    (
      "messages without their request",
      "message WHERE NOT EXISTS (SELECT 1 FROM request WHERE request.seq = message.seq)"
    ),
    (
      "answered messages without their answer",
      """
      message WHERE state = \(Raw.answered)
        AND NOT EXISTS (SELECT 1 FROM answer WHERE answer.seq = message.seq)
      """
    ),
    (
      "answers of messages that are not answered",
      """
      answer WHERE NOT EXISTS (
        SELECT 1 FROM message WHERE message.seq = answer.seq AND message.state = \(Raw.answered))
      """
    ),
    (
      "requests without their message",
      "request WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.seq = request.seq)"
    ),
    ("messages with a number that no message has", "message WHERE seq < 1 OR seq >= 1 << 42"),
    (
      "ended messages without the time of their end",
      "message WHERE state >= \(Raw.firstEnd) AND ended_at IS NULL"
    ),
    (
      "messages of a task whose first message is gone",
      """
      message WHERE task <> seq AND NOT EXISTS (
        SELECT 1 FROM message AS first WHERE first.seq = message.task)
      """
    ),
    (
      "tasks without the message that opened them",
      """
      task WHERE NOT EXISTS (
        SELECT 1 FROM message WHERE message.seq = task.seq AND message.task = message.seq)
      """
    ),
    (
      "hand-outs of messages that are not there",
      "handout WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.seq = handout.seq)"
    ),
    (
      "numbers that are given to a message and to a deleted one",
      "tombstone WHERE EXISTS (SELECT 1 FROM message WHERE message.seq = tombstone.seq)"
    ),
  ]

  private static let registryRules: [(what: String, rows: String)] = [
    (
      "tokens of a workspace that is not there",
      """
      token WHERE workspace IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM workspace WHERE workspace.id = token.workspace)
      """
    ),
    ("tokens whose hash is none", "token WHERE length(hash) <> 32"),
    ("workspaces whose id is none", "workspace WHERE length(id) <> 16"),
    ("workspaces in a state that there is not", "workspace WHERE state NOT IN (1, 2, 3)"),
  ]
}
