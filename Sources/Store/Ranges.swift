import Relay

/// What a number of a workspace's file can be at most. A file may come from another relay, or have
/// been changed by another hand; with a number outside of these the relay would reckon past what
/// its integers hold, and end for everybody.
enum Ranges {
  /// A quarter of the numbers that an id has room for is left to be given.
  static let seqMax: Int64 = (1 << 42) - (1 << 40)
  static let positionMax: Int64 = 1 << 50
  static let countMax: Int64 = 1 << 40
  /// Messages per second of a job.
  static let rateMax: Int64 = 1_000_000
  /// The year 2200; only "never" is later.
  static let timeMax: Int64 = 7_258_118_400_000_000_000

  static func isTime(_ time: WallTime) -> Bool {
    time.nanoseconds >= 0 && (time.nanoseconds <= timeMax || time == .never)
  }

  static func isTime(_ time: WallTime?) -> Bool { time.map { isTime($0) } ?? true }

  static func isSeq(_ seq: Seq) -> Bool { seq > 0 && seq <= seqMax }

  /// A place in the order of numbers: before the first, at one of them, or behind the last.
  static func isPlace(_ place: Int64) -> Bool { place >= 0 && place <= seqMax + 1 }

  static func isCount(_ count: Int64) -> Bool { count >= 0 && count <= countMax }

  // MARK: the same for a whole file

  static let rules: [(what: String, rows: String)] = [
    ("messages in a state that no file holds", "message WHERE state NOT IN (2, 6, 7, 8, 9)"),
    (
      "messages with a number out of range",
      "message WHERE "
        + outside([("seq", 1, seqMax), ("task", 1, seqMax), ("position", 0, positionMax)])
        + " OR " + outside([("attempt", 0, countMax), ("bytes", 0, countMax)])
        + " OR answer_fence < 0"
    ),
    (
      "messages with a time out of range",
      "message WHERE "
        + noTime([
          "at", "expires", "not_before", "received_at", "task_received_at", "told_at", "ended_at",
        ])
    ),
    ("tasks with a number or time out of range", "task WHERE " + of("task") + noTime(["changed"])),
    (
      "hand-outs with a number or time out of range",
      "handout WHERE fence < 0 OR " + outside([("seq", 1, seqMax), ("attempt", 0, countMax)])
        + " OR " + noTime(["at", "lease_end", "claimed_at", "changed_at"])
    ),
    ("notes with a number or time out of range", "log WHERE " + of("log") + noTime(["at"])),
    (
      "keys with a number or time out of range",
      "idempotency WHERE " + of("idempotency") + noTime(["until"])
    ),
    (
      "tombstones with a number or time out of range",
      "tombstone WHERE " + of("tombstone") + noTime(["at", "until"])
    ),
    (
      "jobs with a number or time out of range",
      "job WHERE "
        + outside(
          [
            ("id", 0, countMax), ("rate", 1, rateMax), ("cursor", 0, seqMax + 1),
            ("last", 0, seqMax),
          ]
            + ["matched", "done", "replayed", "skipped", "failed"].map { ($0, 0, countMax) })
        + " OR " + noTime(["since", "until", "started_at", "ended_at"])
    ),
    (
      "values of meta out of range",
      "meta WHERE key IN ('last_seq', 'doubtful_up_to', 'deleted', 'unkeyed_up_to', "
        + "'progress') AND "
        + "(typeof(value) <> 'integer' OR " + outside([("value", 0, seqMax)]) + ")"
    ),
    (
      "a key of digests that is damaged",
      "meta WHERE key = 'digest_key' AND (typeof(value) <> 'blob' OR length(value) <> 16)"
    ),
  ]

  private static func of(_ table: String) -> String {
    outside([("\(table).seq", 1, seqMax)]) + " OR "
  }

  private static func outside(_ columns: [(name: String, least: Int64, most: Int64)]) -> String {
    columns.map { "\($0.name) < \($0.least) OR \($0.name) > \($0.most)" }.joined(separator: " OR ")
  }

  private static func noTime(_ columns: [String]) -> String {
    columns.map { "\($0) < 0 OR (\($0) > \(timeMax) AND \($0) < \(WallTime.never.nanoseconds))" }
      .joined(separator: " OR ")
  }
}

extension StoredMessage {
  var isInRange: Bool {
    (state == .queued || state.isEnd) && Ranges.isSeq(seq) && Ranges.isSeq(task)
      && position >= 0 && position <= Ranges.positionMax && Ranges.isCount(Int64(attempt))
      && Ranges.isCount(Int64(bytes)) && answerFence.number >= 0 && Ranges.isTime(at)
      && Ranges.isTime(expires) && Ranges.isTime(notBefore) && Ranges.isTime(endedAt)
      && Ranges.isTime(receivedAt) && Ranges.isTime(taskReceivedAt) && Ranges.isTime(toldAt)
  }
}

extension StoredHandOut {
  var isInRange: Bool {
    row.fence.number >= 0 && Ranges.isSeq(row.seq) && Ranges.isCount(Int64(row.attempt))
      && Ranges.isTime(row.at) && Ranges.isTime(row.leaseEnd) && Ranges.isTime(last?.at)
      && Ranges.isTime(claimedAt)
  }
}

extension JobRow {
  var isInRange: Bool {
    let counts = [counts.matched, counts.done, counts.replayed, counts.skipped, counts.failed]
    return Ranges.isCount(id) && rate > 0 && Int64(rate) <= Ranges.rateMax
      && Ranges.isPlace(cursor) && (0...Ranges.seqMax).contains(filter.last)
      && filter.seqs.allSatisfy { Ranges.isSeq($0) }
      && counts.allSatisfy { Ranges.isCount(Int64($0)) } && Ranges.isTime(startedAt)
      && Ranges.isTime(endedAt) && Ranges.isTime(filter.since) && Ranges.isTime(filter.until)
  }
}

extension QueueDepth {
  var isInRange: Bool {
    [unanswered, inFlight, unreceived, dead, interrupted, bytes]
      .allSatisfy { Ranges.isCount(Int64($0)) }
      && Ranges.isTime(oldestUnanswered) && Ranges.isTime(oldestUnreceived)
  }
}

extension RegisteredWorkspace {
  var isInRange: Bool {
    Ranges.isTime(createdAt) && Ranges.isTime(removedAt) && Ranges.isTime(nextWakeAt)
      && Ranges.isTime(lastSeenAt) && Ranges.isTime(claimedAt)
  }
}

extension RegisteredToken {
  var isInRange: Bool {
    Ranges.isTime(createdAt) && Ranges.isTime(expiresAt) && Ranges.isTime(lastUsedAt)
      && Ranges.isTime(revokedAt)
  }
}
