import Relay
import Store
import Wire

/// `/ready`: the driver of the probe, and what is shown of the relay.
final class Probes: UsesServices {
  let services: Services
  private let pool: WorkspacePool
  private var probe: ReadyProbe

  init(_ pool: WorkspacePool) {
    self.pool = pool
    services = pool.services
    probe = ReadyProbe(pool.services.limits)
  }

  var nextDue: Instant? { probe.nextDue }

  /// `GET /ready`: answered when the probe's row is durable, or cannot be.
  func ready(_ call: CallID, for reader: Identity, now: Now) {
    let caller = ReadyProbe.Caller(call: call, reader: reader)
    let canCommit = process.fatal == nil && !process.isShuttingDown
    switch probe.asked(caller, canCommit: canCommit, now: now.instant) {
    case .answer: answer([caller], now: now)
    case .commit: registry.write(probeAt: now.wall)
    case .wait: break
    }
  }

  /// The turn's changes of the registry are committed. Returns whether a probe is among them.
  func committed(_ number: UInt64) -> Bool { probe.committed(in: number) }

  func refused(now: Now) { answer(probe.refused(now: now.instant), now: now) }

  func passed(_ number: UInt64, now: Now) {
    answer(probe.passed(number, now: now.instant), now: now)
  }

  func tick(now: Now) { answer(probe.tick(now: now.instant), now: now) }

  private func answer(_ callers: [ReadyProbe.Caller], now: Now) {
    for caller in callers {
      let readiness = readiness(for: caller.reader, now: now)
      replies.send(
        Reply(
          call: caller.call, status: readiness.isReady ? 200 : 503, body: readiness.json.bytes))
    }
  }

  private func readiness(for reader: Identity, now: Now) -> Readiness {
    let unavailable = pool.failed
    return Readiness(
      reasons: unreadyReasons, unavailable: unavailable,
      named: unavailable.readable(by: reader, directory), unregistered: pool.unregisteredFiles,
      namesUnregistered: reader == .admin, isDiskLow: disk.isLow, room: disk.json,
      barrier: barrierJSON(now: now),
      probe: probe.last.map { ($0.outcome, now.instant - $0.at) })
  }

  /// Why sends would not be taken now, by stable names; empty when they would.
  var unreadyReasons: [String] {
    var reasons: [String] = []
    if process.fatal != nil { reasons.append("write_failed") }
    if process.isShuttingDown { reasons.append("shutting_down") }
    if disk.isLow { reasons.append("disk_low") }
    if data.room.isForDeletionOnly { reasons.append("disk_full") }
    switch probe.last?.outcome {
    case .refused: reasons.append("commit_refused")
    case .slow: reasons.append("commit_slow")
    case .passed, nil: break
    }
    return reasons
  }

  /// The last barrier, and since when none has passed; `null` before the first.
  func barrierJSON(now: Now) -> JSON {
    guard let last = metrics.lastBarrier else { return .null }
    var json: JSON = [
      "form": .string("\(last.form)"), "ok": .bool(last.isOK),
      "last_seconds": Readiness.seconds(.nanoseconds(last.nanoseconds)),
    ]
    if let at = last.okAt { json["last_ok_age_seconds"] = Readiness.seconds(now.instant - at) }
    return json
  }
}

extension [WorkspaceID] {
  /// Returns those that an operator may read; `nil`: to all others how many there are says enough.
  fileprivate func readable(by reader: Identity, _ directory: Directory) -> [WorkspaceID]? {
    switch reader {
    case .admin: return self
    case .org(let org, let scopes) where !scopes.isDisjoint(with: [.read, .admin]):
      return filter { id in
        (directory.workspace(id) ?? directory.removed[id])?.row.org == org
      }
    case .org, .workspace, .anonymous: return nil
    }
  }
}
