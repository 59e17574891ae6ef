/// The statements of retention, tombstones and keys. Each touches a bounded number of rows: what
/// is over a bound is left for the next round.
enum RetentionSQL: Int, CaseIterable {
  case oldest, slice, furtherMessages, lastFurther
  case noteCounts, handOutCounts, eventCounts
  case deleteMessages, deleteRequests, deleteAnswers, deleteHandOuts, deleteNotes, deleteEvents
  case deleteTasks, countDeleted, keepNumber
  case trimHandOuts, trimNotes, trimEvents
  case insertKey, newestKey, keyEnd, insertTombstone, leaveTombstones, tombstone
  case expireKeys, expireTombstones, nextExpiry
  case pageCount, freePages

  var text: String {
    switch self {
    case .oldest, .slice, .furtherMessages, .lastFurther, .noteCounts, .handOutCounts,
      .eventCounts, .pageCount, .freePages:
      looking
    case .insertKey, .newestKey, .keyEnd, .insertTombstone, .leaveTombstones, .tombstone,
      .expireKeys, .expireTombstones, .nextExpiry:
      remembering
    default: deleting
    }
  }

  /// Returns the statement, prepared once for each open file: its slot is behind those of
  /// `WorkspaceSQL`.
  func prepared(in database: Database) throws(StoreError) -> Statement {
    let first = Database.slots + WorkspaceSQL.allCases.count
    return try database.statement(slot: first + rawValue, text)
  }

  /// The columns in the order in which `Statement.keptMessage` reads them.
  private static let kept = """
    message.seq, message.task, message.state, message.reason, message.at, message.ended_at,
    message.received_at, message.bytes, message.task_received_at, message.replay_of IS NOT NULL
    """

  private var looking: String {
    switch self {
    case .oldest: "SELECT at FROM message WHERE seq > 0 ORDER BY seq LIMIT 1"
    case .slice:
      """
      SELECT \(Self.kept), task = message.seq OR EXISTS(
        SELECT 1 FROM message AS first WHERE first.seq = message.task),
        coalesce(length(answer.body), 0), task.state
      FROM message
        LEFT JOIN answer ON answer.seq = message.seq
        LEFT JOIN task ON task.seq = message.seq
      WHERE message.seq > ? ORDER BY message.seq LIMIT ?
      """
    case .furtherMessages:
      """
      SELECT \(Self.kept) FROM message INDEXED BY message_task
      WHERE task <> seq AND task BETWEEN ? AND ? ORDER BY task, seq LIMIT ?
      """
    case .lastFurther:
      """
      SELECT \(Self.kept) FROM message INDEXED BY message_task
      WHERE task <> seq AND task = ? ORDER BY seq DESC LIMIT 1
      """
    case .noteCounts: "SELECT seq FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
    case .handOutCounts: "SELECT seq FROM handout WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
    case .eventCounts: "SELECT task FROM event WHERE task BETWEEN ? AND ? ORDER BY task LIMIT ?"
    case .pageCount: "PRAGMA page_count"
    case .freePages: "PRAGMA freelist_count"
    default: preconditionFailure("a statement of another kind")
    }
  }

  private var deleting: String {
    switch self {
    case .deleteMessages: "DELETE FROM message WHERE seq BETWEEN ? AND ?"
    case .deleteRequests: "DELETE FROM request WHERE seq BETWEEN ? AND ?"
    case .deleteAnswers: "DELETE FROM answer WHERE seq BETWEEN ? AND ?"
    case .deleteHandOuts: "DELETE FROM handout WHERE seq BETWEEN ? AND ?"
    case .deleteNotes: "DELETE FROM log WHERE seq BETWEEN ? AND ?"
    case .deleteEvents: "DELETE FROM event WHERE task BETWEEN ? AND ?"
    case .deleteTasks: "DELETE FROM task WHERE seq BETWEEN ? AND ?"
    case .countDeleted:
      """
      INSERT INTO meta(key, value) VALUES('deleted', ?1)
      ON CONFLICT(key) DO UPDATE SET value = value + ?1
      """
    // Before the deletion. Retention deletes the oldest, for which the first condition is all that
    // is looked at.
    case .keepNumber:
      """
      INSERT INTO meta(key, value)
      SELECT 'last_seq', seq FROM (
        SELECT max(seq) AS seq FROM message WHERE seq BETWEEN ?1 AND ?2)
      WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.seq > ?2)
        AND seq > coalesce((SELECT value FROM meta WHERE key = 'last_seq'), 0)
      ON CONFLICT(key) DO UPDATE SET value = excluded.value
      """
    case .trimHandOuts: Self.trim("handout", "seq", "fence")
    case .trimNotes: Self.trim("log", "seq", "number")
    case .trimEvents: Self.trim("event", "task", "number")
    default: preconditionFailure("a statement of another kind")
    }
  }

  /// The first rows of one message, in the order of its key.
  private static func trim(_ table: String, _ owner: String, _ order: String) -> String {
    """
    DELETE FROM \(table) WHERE \(owner) = ?1 AND \(order) <= coalesce(
      (SELECT \(order) FROM \(table) WHERE \(owner) = ?1 ORDER BY \(order) LIMIT 1 OFFSET ?2 - 1),
      9223372036854775807)
    """
  }

  private var remembering: String {
    switch self {
    case .insertKey: "INSERT INTO idempotency(seq, key, call, until) VALUES(?, ?, ?, ?)"
    case .newestKey:
      """
      SELECT seq, call, until FROM idempotency INDEXED BY idempotency_key
      WHERE key = ? ORDER BY seq DESC LIMIT 1
      """
    case .keyEnd: "SELECT until FROM idempotency WHERE seq = ?"
    case .insertTombstone:
      """
      INSERT OR REPLACE INTO tombstone(seq, tag, caller, at, cause, actor, reason, until)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?)
      """
    // Whether or not the key's window seems over: the clock may be ahead, and `expireTombstones`
    // looks at it when it is believed.
    case .leaveTombstones:
      """
      INSERT OR REPLACE INTO tombstone(seq, tag, caller, at, cause, actor, reason, until)
      SELECT message.seq, tag, caller, ?3, ?4, '', '', until
      FROM idempotency CROSS JOIN message ON message.seq = idempotency.seq
      WHERE idempotency.seq BETWEEN ?1 AND ?2
      """
    case .tombstone:
      "SELECT tag, caller, at, cause, actor, reason, until FROM tombstone WHERE seq = ?"
    // Keys are stored in the order in which they end.
    case .expireKeys:
      """
      DELETE FROM idempotency WHERE seq IN (
        SELECT seq FROM (SELECT seq, until FROM idempotency WHERE seq > 0 ORDER BY seq LIMIT ?2)
        WHERE until <= ?1)
      """
    case .expireTombstones:
      """
      DELETE FROM tombstone WHERE seq IN (
        SELECT seq FROM tombstone INDEXED BY tombstone_until WHERE until <= ?1
        ORDER BY until LIMIT ?2)
      """
    case .nextExpiry:
      """
      SELECT (SELECT until FROM idempotency WHERE seq > 0 ORDER BY seq LIMIT 1),
        (SELECT until FROM tombstone INDEXED BY tombstone_until WHERE until > 0
          ORDER BY until LIMIT 1)
      """
    default: preconditionFailure("a statement of another kind")
    }
  }
}
