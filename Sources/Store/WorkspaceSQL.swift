/// Every statement of a workspace's file; each is prepared once per open file.
enum WorkspaceSQL: Int, CaseIterable {
  case insertMessage, insertRequest, insertAnswer, insertHandOut, changeHandOut
  case requeue, answer, end, changeTask, continueTask, received, insertNote
  case told, redrive, reopenTask, writeJob, forgetJobs
  case openMessages, lastHandOut, untouchedInARow, interruptedTasks
  case message, task, requestBody, answerBody, newestAnswers, taskMessages, furtherOfTask
  case handOuts, notes
  case list, listFailed, deadCount
  case listOpen, listBack, firstSince, laterOfTask, jobs, job, runningJobs
  case readMeta, writeMeta
  case endReceived, replayEnded

  var text: String {
    switch self {
    case .insertMessage, .insertRequest, .insertAnswer, .insertHandOut, .changeHandOut, .requeue,
      .answer, .end, .changeTask, .continueTask, .received, .insertNote, .writeMeta,
      .endReceived, .replayEnded, .told, .redrive, .reopenTask, .writeJob, .forgetJobs:
      changing
    default: reading
    }
  }

  private var changing: String {
    switch self {
    case .insertMessage:
      """
      INSERT INTO message(
        seq, tag, state, position, at, expires, not_before, attempt, caller, method,
        dialect, task, context, message_id, dedup, rpc_id, is_immediate, bytes, replay_of)
      VALUES(?, ?, \(Raw.queued), ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .insertRequest: "INSERT INTO request(seq, head, body) VALUES(?, ?, ?)"
    case .insertAnswer: "INSERT INTO answer(seq, body) VALUES(?, ?)"
    case .insertHandOut:
      """
      INSERT INTO handout(seq, fence, attempt, kind, consumer, at, lease_end)
      VALUES(?, ?, ?, ?, ?, ?, ?)
      """
    case .changeHandOut:
      """
      UPDATE handout SET change = ?1, changed_at = ?2, lease_end = ?3, reason = ?4,
        claimed_at = iif(?1 = \(Raw.claimed), coalesce(claimed_at, ?2), claimed_at) \
      WHERE seq = ?5 AND fence = ?6
      """
    case .requeue:
      "UPDATE message SET state = \(Raw.queued), attempt = ?, not_before = ? WHERE seq = ?"
    case .answer:
      """
      UPDATE message SET state = \(Raw.answered), answer_fence = ?, ended_at = ?, \
      answer_is_late = ?,
        answer_hash = ? WHERE seq = ?
      """
    case .end: "UPDATE message SET state = ?, reason = ?, ended_at = ? WHERE seq = ?"
    // No row without the message that opened the task.
    case .changeTask:
      """
      INSERT OR REPLACE INTO task(seq, state, changed)
      SELECT seq, ?2, ?3 FROM message WHERE seq = ?1 AND task = seq
      """
    case .continueTask:
      """
      UPDATE task SET state = \(Raw.working), changed = ? \
      WHERE seq = ? AND state IN (\(Raw.interrupted))
      """
    // `ReplyTaken` says what the two columns mean.
    case .received:
      """
      UPDATE message SET received_at = coalesce(received_at, 0),
        task_received_at = coalesce(task_received_at, ?1) WHERE seq = ?2
      """
    case .endReceived:
      """
      UPDATE message SET received_at = max(?1, ended_at + 1),
        task_received_at = coalesce(
          task_received_at, nullif(received_at, 0), iif(replay_of IS NULL, NULL, 0))
      WHERE seq = ?2 AND ended_at IS NOT NULL
        AND (coalesce(received_at, 0) <= ended_at
          OR replay_of IS NOT NULL AND task_received_at IS NULL)
      """
    case .replayEnded:
      """
      UPDATE message SET received_at = coalesce(received_at, 0),
        task_received_at = coalesce(task_received_at, 0) WHERE seq = ?
      """
    case .insertNote:
      """
      INSERT INTO log(seq, number, kind, at, detail)
      SELECT seq, (SELECT coalesce(max(number), 0) + 1 FROM log WHERE seq = ?1), ?2, ?3, ?4
      FROM message WHERE seq = ?1
      """
    case .told: "UPDATE message SET told_at = ? WHERE seq = ?"
    case .redrive:
      """
      UPDATE message SET state = \(Raw.queued), reason = NULL, ended_at = NULL, \
      attempt = 0, not_before = 0,
        position = ?, expires = ? WHERE seq = ? AND state = \(Raw.dead)
      """
    // No caller was told that it had failed.
    case .reopenTask:
      """
      UPDATE task SET state = \(Raw.working), changed = ? \
      WHERE seq = ? AND state = \(Raw.failed)
      """
    case .writeJob:
      """
      INSERT OR REPLACE INTO job(\(Self.jobColumns))
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .forgetJobs: "DELETE FROM job WHERE id <= ? AND state <> \(Raw.running)"
    case .writeMeta: "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"
    default: preconditionFailure("a statement that reads")
    }
  }

  /// The columns of a job in the order in which `job()` reads them.
  private static let jobColumns = """
    id, verb, state, actor, rate, states, since, until, last, seqs, cursor, matched, done, replayed,
    skipped, failed, started_at, ended_at
    """

  /// The columns of a message in the order in which `Statement.message` reads them.
  private static let messageColumns = """
    seq, tag, state, reason, position, at, expires, not_before, attempt, caller, method, dialect,
    task, context, message_id, dedup, rpc_id, is_immediate, received_at, bytes, answer_fence,
    answer_hash, ended_at, told_at, replay_of, task_received_at
    """

  /// The columns of a hand-out in the order in which `Statement.handOut` reads them.
  private static let handOutColumns = """
    fence, seq, attempt, kind, consumer, at, lease_end, change, changed_at, reason, claimed_at
    """

  /// A task as its row says; without a row, as its first message and that message's hand-outs say.
  private static let taskWithState = """
    SELECT first.seq, coalesce(task.state, iif(first.begun IS NULL, \
    \(Raw.submitted), \(Raw.working))), first.context,
      coalesce(task.changed, first.begun, first.at), first.caller
    FROM (
      SELECT seq, context, at, caller, (
        SELECT at FROM handout WHERE handout.seq = message.seq AND kind <> \(Raw.shown) \
    ORDER BY fence LIMIT 1
      ) AS begun
      FROM message WHERE seq = ?1 AND task = seq
    ) AS first
    LEFT JOIN task ON task.seq = first.seq
    """

  private var reading: String {
    let message = "SELECT \(Self.messageColumns) FROM message"
    return switch self {
    // The partial indices are named, so that a query which cannot use them fails a test instead of
    // reading the whole table.
    case .openMessages:
      """
      \(message) INDEXED BY message_open WHERE (state = \(Raw.queued) OR received_at IS NULL) \
      ORDER BY seq
      """
    // A message that a feed has shown is not leased: an older lease counts more.
    case .lastHandOut:
      """
      SELECT \(Self.handOutColumns) FROM handout WHERE seq = ? \
      ORDER BY kind = \(Raw.shown), fence DESC LIMIT 1
      """
    case .untouchedInARow:
      // Neither a withheld hand-out nor one in force ends the row.
      """
      SELECT count(*) FROM handout WHERE seq = ?1 AND change = \(Raw.unburnt) AND fence > coalesce(
        (SELECT max(fence) FROM handout WHERE seq = ?1 \
      AND change NOT IN (\(Raw.unburnt), \(Raw.withheld))), 0)
      """
    case .interruptedTasks:
      """
      SELECT task.seq, task.state, message.context, task.changed, message.caller
      FROM task INDEXED BY task_interrupted CROSS JOIN message ON message.seq = task.seq
      WHERE task.state IN (\(Raw.interrupted)) ORDER BY task.seq
      """
    case .message: "\(message) WHERE seq = ?"
    case .task: Self.taskWithState
    case .requestBody: "SELECT head, body FROM request WHERE seq = ?"
    case .answerBody: "SELECT body FROM answer WHERE seq = ?"
    // Of the newest rows, without an index: it is asked once after the file was opened.
    case .newestAnswers:
      """
      SELECT seq, answer_hash FROM message
      WHERE seq > ? AND caller = ? AND answer_hash IS NOT NULL ORDER BY seq DESC LIMIT ?
      """
    case .taskMessages:
      """
      \(message) WHERE seq = ?1 OR seq IN (
        SELECT seq FROM message INDEXED BY message_task WHERE task = ?1 AND task <> seq)
      ORDER BY seq
      """
    case .furtherOfTask:
      """
      SELECT seq FROM message INDEXED BY message_task WHERE task = ? AND task <> seq
      ORDER BY seq LIMIT 1 OFFSET ?
      """
    case .handOuts: "SELECT \(Self.handOutColumns) FROM handout WHERE seq = ? ORDER BY fence"
    case .notes: "SELECT kind, at, detail FROM log WHERE seq = ? ORDER BY number"
    case .list: "\(message) WHERE seq > ? ORDER BY seq LIMIT ?"
    case .listFailed:
      """
      \(message) INDEXED BY message_failed WHERE state >= \(Raw.firstFailed) AND state = ? \
      AND seq > ?
      ORDER BY seq LIMIT ?
      """
    case .deadCount:
      """
      SELECT seq FROM message INDEXED BY message_failed WHERE state >= \(Raw.firstFailed) \
      AND state = ? LIMIT ?
      """
    case .listOpen:
      """
      \(message) INDEXED BY message_open WHERE (state = \(Raw.queued) OR received_at IS NULL) \
      AND seq > ?
      ORDER BY seq LIMIT ?
      """
    case .listBack: "\(message) WHERE seq < ? ORDER BY seq DESC LIMIT ?"
    // For a search by halves: messages are numbered as they come.
    case .firstSince: "SELECT seq, at FROM message WHERE seq >= ? ORDER BY seq LIMIT 1"
    case .laterOfTask:
      """
      SELECT seq FROM message INDEXED BY message_task WHERE task = ? AND task <> seq
      ORDER BY seq LIMIT ?
      """
    case .jobs: "SELECT \(Self.jobColumns) FROM job WHERE id > 0 ORDER BY id DESC LIMIT ?"
    case .job: "SELECT \(Self.jobColumns) FROM job WHERE id = ?"
    case .runningJobs:
      "SELECT \(Self.jobColumns) FROM job INDEXED BY job_running WHERE state = \(Raw.running)"
    case .readMeta: "SELECT value FROM meta WHERE key = ?"
    default: preconditionFailure("a statement that changes")
    }
  }
}
