import Engine
import Relay
import Wire

/// Renders operations over many messages, and the state of a queue.
extension Renderer {
  func job(_ row: JobRow) -> JSON {
    let counts = row.counts
    var json: JSON = [
      "job": .string(String(row.id)), "verb": .string(row.verb.name),
      "state": .string(row.state.name), "actor": .string(row.actor),
      "rate": .number("\(row.rate)"), "matched": .number("\(counts.matched)"),
      "done": .number("\(counts.done)"), "replayed": .number("\(counts.replayed)"),
      "skipped": .object(
        counts.skipped == 0
          ? [] : [JSON.Member(row.verb.skipName, .number("\(counts.skipped)"))]),
      "failed": .number("\(counts.failed)"), "started_at": .time(row.startedAt),
    ]
    if let endedAt = row.endedAt { json["ended_at"] = .time(endedAt) }
    return json
  }

  func started(_ row: JobRow) -> JSON {
    [
      "job": .string(String(row.id)), "verb": .string(row.verb.name),
      "matched": .number("\(row.counts.matched)"), "rate": .number("\(row.rate)"),
    ]
  }

  func dryRun(_ matched: Int, _ standings: [MessageStanding: Int]) -> JSON {
    let states = standings.map { ($0.key.rawValue, $0.value) }.sorted { $0.0 < $1.0 }
      .map { JSON.Member($0.0, .number("\($0.1)")) }
    return [
      "dry_run": true, "matched": .number("\(matched)"), "states": .object(states),
    ]
  }

  func queue(_ status: QueueStatus) -> JSON {
    func age(_ seconds: Int64?) -> JSON { seconds.map { .number("\($0)") } ?? .null }
    var counts: JSON = [
      "queued": .number("\(status.queued)"), "in_flight": .number("\(status.inFlight)"),
    ]
    for (name, count) in status.counts.named { counts[name] = .number("\(count)") }
    return [
      "workspace": .string(status.workspace.text),
      "agent": status.isPresent ? "present" : "away",
      "paused": .bool(status.isPaused),
      "sends": status.refusesSends ? "refuse" : "accept",
      "counts": counts,
      "bytes": .number("\(status.bytes)"),
      "limits": [
        "messages": .number("\(status.messagesMax)"), "bytes": .number("\(status.bytesMax)"),
      ],
      "oldest_unanswered_age_seconds": age(status.oldestUnansweredSeconds),
      "oldest_unreceived_age_seconds": age(status.oldestUnreceivedSeconds),
      "parked_polls": .number("\(status.parkedPolls)"),
    ]
  }
}

extension JobRow.Verb {
  /// The name of the reason why the operation skips a message.
  fileprivate var skipName: String {
    switch self {
    case .redrive: "not_dead"
    case .replay: "not_ended"
    case .purge: "not_meant"
    }
  }
}
