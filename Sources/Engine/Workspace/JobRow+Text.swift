import Relay
import Wire

extension JobRow {
  var json: JSON {
    var json: JSON = [
      "job": .string(String(id)), "verb": .string(verb.name), "state": .string(state.name),
      "actor": .string(actor), "rate": .number("\(rate)"),
      "matched": .number("\(counts.matched)"), "done": .number("\(counts.done)"),
      "replayed": .number("\(counts.replayed)"),
      "skipped": .object(
        counts.skipped == 0
          ? [] : [JSON.Member(verb.skipName, .number("\(counts.skipped)"))]),
      "failed": .number("\(counts.failed)"),
      "started_at": .string(Timestamp.rfc3339(nanoseconds: startedAt.nanoseconds)),
    ]
    if let endedAt {
      json["ended_at"] = .string(Timestamp.rfc3339(nanoseconds: endedAt.nanoseconds))
    }
    return json
  }
}

extension JobRow.Verb {
  package var name: String {
    switch self {
    case .redrive: "redrive"
    case .replay: "replay"
    case .purge: "purge"
    }
  }

  /// Why it passes a message over.
  var skipName: String {
    switch self {
    case .redrive: "not_dead"
    case .replay: "not_ended"
    case .purge: "not_meant"
    }
  }
}

extension JobRow.State {
  var name: String {
    switch self {
    case .running: "running"
    case .done: "done"
    case .stopped: "stopped"
    }
  }
}
