package import Relay
import Store
package import Wire

/// `/ready`: the probe's driver, and what is shown of the relay.
extension Engine {
  /// `GET /ready`: answered when the probe's row is durable, or cannot be.
  package func ready(_ call: CallID, for reader: Identity = .anonymous, now: Now) {
    let caller = ReadyProbe.Caller(call: call, reader: reader)
    let canCommit = fatal == nil && !isShuttingDown
    switch readyProbe.asked(caller, canCommit: canCommit, now: now.instant) {
    case .answer: answerReady([caller], now: now)
    case .commit: registry.write(probeAt: now.wall)
    case .wait: break
    }
  }

  /// The turn's changes of the registry are committed; says whether a probe is among them.
  func probeCommitted(_ number: UInt64) -> Bool { readyProbe.committed(in: number) }

  func probeRefused(now: Now) { answerReady(readyProbe.refused(now: now.instant), now: now) }

  func probePassed(_ number: UInt64, now: Now) {
    answerReady(readyProbe.passed(number, now: now.instant), now: now)
  }

  func tickProbe(now: Now) { answerReady(readyProbe.tick(now: now.instant), now: now) }

  private func answerReady(_ callers: [ReadyProbe.Caller], now: Now) {
    for caller in callers {
      let readiness = readiness(for: caller.reader, now: now)
      replies.send(
        Reply(
          call: caller.call, status: readiness.isReady ? 200 : 503, body: readiness.json.bytes))
    }
  }

  private func readiness(for reader: Identity, now: Now) -> Readiness {
    let unavailable = failedWorkspaces
    return Readiness(
      reasons: unreadyReasons, unavailable: unavailable,
      named: unavailable.readable(by: reader, directory), unregistered: unregisteredFiles,
      namesUnregistered: reader == .admin, isDiskLow: isDiskLow, room: roomJSON,
      barrier: barrierJSON(now: now),
      probe: readyProbe.last.map { ($0.outcome, now.instant - $0.at) })
  }

  /// Why sends would not be taken now, by stable names; empty when they would.
  package var unreadyReasons: [String] {
    var reasons: [String] = []
    if fatal != nil { reasons.append("write_failed") }
    if isShuttingDown { reasons.append("shutting_down") }
    if isDiskLow { reasons.append("disk_low") }
    if data.room.isForDeletionOnly { reasons.append("disk_full") }
    switch readyProbe.last?.outcome {
    case .refused: reasons.append("commit_refused")
    case .slow: reasons.append("commit_slow")
    case .passed, nil: break
    }
    return reasons
  }

  /// The last barrier, and since when none has passed; `null` before the first.
  package func barrierJSON(now: Now) -> JSON {
    guard let last = metrics.lastBarrier else { return .null }
    var json: JSON = [
      "form": .string("\(last.form)"), "ok": .bool(last.isOK),
      "last_seconds": seconds(.nanoseconds(last.nanoseconds)),
    ]
    if let at = last.okAt { json["last_ok_age_seconds"] = seconds(now.instant - at) }
    return json
  }

  package func seconds(_ duration: Duration) -> JSON { Readiness.seconds(duration) }
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
