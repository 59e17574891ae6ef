package import Relay
import Store
package import Wire

/// Whether a row can be committed now, found by committing one.
///
/// Whoever asks while one is on its way, or soon after, shares it: probes cost the disk no more
/// than a sync a second, however many there are.
struct CommitProbe {
  enum Outcome {
    /// It was on the disk so long after it was asked for.
    case passed(Duration)
    case refused
    /// Its barrier has not reported in time.
    case slow
  }

  /// Who asks decides what is named.
  var waiting: [(call: CallID, reader: Identity)] = []
  /// When the row on its way was asked for, and its round once it is committed.
  var started: Instant?
  var round: UInt64?
  var last: (outcome: Outcome, at: Instant)?
}

extension Broker {
  /// `GET /ready`: answered when the probe's row is durable, or cannot be.
  package func ready(_ call: CallID, for reader: Identity = .anonymous, now: Now) {
    let isKnown = probe.last.map { $0.at + limits.probeInterval > now.instant } ?? false
    guard fatal == nil, !isShuttingDown, !isKnown || probe.started != nil else {
      return answerReady(call, for: reader, now: now)
    }
    probe.waiting.append((call, reader))
    guard probe.started == nil else { return }
    probe.started = now.instant
    registryBatch.append(.probe(at: now.wall))
  }

  /// The turn's changes of the registry are committed; says whether a probe is among them.
  func probeCommitted(_ number: UInt64) -> Bool {
    guard probe.started != nil, probe.round == nil else { return false }
    probe.round = number
    return true
  }

  /// Not written: whoever asks again tries again.
  func probeRefused(now: Now) {
    guard probe.started != nil, probe.round == nil else { return }
    endProbe(.refused, now: now)
  }

  func probePassed(_ number: UInt64, now: Now) {
    guard let started = probe.started, probe.round == number else { return }
    endProbe(.passed(now.instant - started), now: now)
  }

  /// When those who wait are told that it takes too long.
  var probeDue: Instant? {
    probe.waiting.isEmpty ? nil : probe.started.map { $0 + limits.probeTime }
  }

  /// The row stays on its way; only nobody waits for it any longer.
  func tickProbe(now: Now) {
    guard let due = probeDue, due <= now.instant else { return }
    probe.last = (.slow, now.instant)
    answerProbes(now: now)
  }

  private func endProbe(_ outcome: CommitProbe.Outcome, now: Now) {
    probe.last = (outcome, now.instant)
    probe.started = nil
    probe.round = nil
    answerProbes(now: now)
  }

  private func answerProbes(now: Now) {
    let waiting = probe.waiting
    probe.waiting = []
    for (call, reader) in waiting { answerReady(call, for: reader, now: now) }
  }

  private func answerReady(_ call: CallID, for reader: Identity, now: Now) {
    let reasons = unreadyReasons
    let failed = failedWorkspaces
    let unregistered = unregisteredFiles
    let isWhole = failed.isEmpty && unregistered.isEmpty
    let status = !reasons.isEmpty ? "not_ready" : isWhole ? "ready" : "degraded"
    var json: JSON = [
      "status": .string(status),
      "reasons": .array(reasons.map { .string($0) }),
      "disk_low": .bool(isDiskLow), "room": roomJSON,
      "unavailable": .number("\(failed.count)"),
      "unregistered": .number("\(unregistered.count)"),
      "barrier": barrierJSON(now: now),
    ]
    if let names = failed.named(to: reader, directory) { json["unavailable_workspaces"] = names }
    // They are nobody's but the operator's.
    if reader == .admin {
      json["unregistered_files"] = .array(unregistered.map { .string($0.text) })
    }
    if let last = probe.last {
      var commit: JSON = ["age_seconds": seconds(now.instant - last.at)]
      if case .passed(let time) = last.outcome {
        commit["ok"] = true
        commit["seconds"] = seconds(time)
      } else {
        commit["ok"] = false
      }
      json["commit"] = commit
    }
    replies.send(Reply(call: call, status: reasons.isEmpty ? 200 : 503, body: json.bytes))
  }

  /// Why sends would not be taken now, by stable names; empty when they would.
  package var unreadyReasons: [String] {
    var reasons: [String] = []
    if fatal != nil { reasons.append("write_failed") }
    if isShuttingDown { reasons.append("shutting_down") }
    if isDiskLow { reasons.append("disk_low") }
    if data.room.isForDeletionOnly { reasons.append("disk_full") }
    switch probe.last?.outcome {
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

  package func seconds(_ duration: Duration) -> JSON {
    .number(MetricsText.seconds(max(0, duration.nanoseconds)))
  }
}

extension [WorkspaceID] {
  /// To operators those that they may read; `nil`: to all others how many there are says enough.
  fileprivate func named(to reader: Identity, _ directory: Directory) -> JSON? {
    switch reader {
    case .admin: return .array(map { .string($0.text) })
    case .org(let org, let scopes) where !scopes.isDisjoint(with: [.read, .admin]):
      let own = filter { id in
        (directory.workspace(id) ?? directory.removed[id])?.row.org == org
      }
      return .array(own.map { .string($0.text) })
    case .org, .workspace, .anonymous: return nil
    }
  }
}
