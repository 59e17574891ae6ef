import Relay
import Wire

/// Whether the relay would take sends now, as `/ready` shows it.
struct Readiness {
  /// Why sends would not be taken, by stable names; empty when they would.
  var reasons: [String]
  /// Workspaces whose file a final error has closed.
  var unavailable: [WorkspaceID]
  /// The part of `unavailable` that the caller may read; `nil`: the number says enough.
  var named: [WorkspaceID]?
  /// Files with messages that had no row at the start.
  var unregistered: [WorkspaceID]
  /// The caller is the operator: the files without a row are nobody else's.
  var namesUnregistered: Bool
  var isDiskLow: Bool
  var room: JSON
  var barrier: JSON
  var probe: (outcome: ReadyProbe.Outcome, age: Duration)?

  var isReady: Bool { reasons.isEmpty }

  var json: JSON {
    let isWhole = unavailable.isEmpty && unregistered.isEmpty
    let status = !isReady ? "not_ready" : isWhole ? "ready" : "degraded"
    var json: JSON = [
      "status": .string(status),
      "reasons": .array(reasons.map { .string($0) }),
      "disk_low": .bool(isDiskLow), "room": room,
      "unavailable": .number("\(unavailable.count)"),
      "unregistered": .number("\(unregistered.count)"),
      "barrier": barrier,
    ]
    if let named { json["unavailable_workspaces"] = .array(named.map { .string($0.text) }) }
    if namesUnregistered {
      json["unregistered_files"] = .array(unregistered.map { .string($0.text) })
    }
    if let probe {
      var commit: JSON = ["age_seconds": Self.seconds(probe.age)]
      if case .passed(let time) = probe.outcome {
        commit["ok"] = true
        commit["seconds"] = Self.seconds(time)
      } else {
        commit["ok"] = false
      }
      json["commit"] = commit
    }
    return json
  }

  static func seconds(_ duration: Duration) -> JSON {
    .number(MetricsText.seconds(max(0, duration.nanoseconds)))
  }
}
