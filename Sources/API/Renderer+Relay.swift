import Archive
package import Engine
import Relay
package import Wire

/// Renders the state of the relay: readiness, disk, barrier, backup.
extension Renderer {
  func ready(_ readiness: Readiness) -> JSON {
    let isWhole = readiness.unavailable == 0 && readiness.unregistered.isEmpty
    let status = !readiness.isReady ? "not_ready" : isWhole ? "ready" : "degraded"
    var json: JSON = [
      "status": .string(status),
      "reasons": .array(readiness.reasons.map { .string($0.rawValue) }),
      "disk_low": .bool(readiness.isDiskLow), "room": room(readiness.room),
      "unavailable": .number("\(readiness.unavailable)"),
      "unregistered": .number("\(readiness.unregistered.count)"),
      "barrier": barrier(readiness.barrier),
    ]
    if let named = readiness.named {
      json["unavailable_workspaces"] = .array(named.map { .string($0.text) })
    }
    if readiness.namesUnregistered {
      json["unregistered_files"] = .array(readiness.unregistered.map { .string($0.text) })
    }
    if let probe = readiness.probe {
      var commit: JSON = ["age_seconds": seconds(probe.age)]
      if let took = probe.took {
        commit["ok"] = true
        commit["seconds"] = seconds(took)
      } else {
        commit["ok"] = false
      }
      json["commit"] = commit
    }
    return json
  }

  /// Returns the state of the last barrier, and the time since one last passed; `null` before the
  /// first.
  package func barrier(_ barrier: BarrierStatus?) -> JSON {
    guard let barrier else { return .null }
    var json: JSON = [
      "form": .string("\(barrier.form)"), "ok": .bool(barrier.isOK),
      "last_seconds": seconds(barrier.took),
    ]
    if let age = barrier.okAge { json["last_ok_age_seconds"] = seconds(age) }
    return json
  }

  /// Returns how much room the disk has for each kind of write, in bytes, as the log and `doctor`
  /// show it.
  package func room(_ room: RoomStatus?) -> JSON {
    guard let room else { return .null }
    return [
      "free": .number("\(room.free)"), "high_water": .number("\(room.highWater)"),
      "for_sends": .number("\(room.sends)"), "for_results": .number("\(room.results)"),
      "for_deletion": .number("\(room.deletion)"),
      "inodes": room.inodes.map { .number("\($0)") } ?? .null,
    ]
  }

  /// Returns the progress of the running backup, or the outcome of this process's last one.
  package func backup(_ backup: BackupStatus?) -> JSON {
    guard let backup else { return ["state": "none"] }
    return .object([JSON.Member("job", .string(backup.name))] + backup.report.members)
  }

  package func seconds(_ duration: Duration) -> JSON {
    .number(MetricsText.seconds(max(0, duration.nanoseconds)))
  }
}
