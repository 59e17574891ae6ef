import Relay
import Store

/// Runs the probe of `/ready`, and computes the shown state of the relay.
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

  /// Answers `GET /ready` when the probe's row is durable, or cannot become durable.
  func ready(_ call: CallID, for reader: Identity, now: Now) {
    let caller = ReadyProbe.Caller(call: call, reader: reader)
    let canCommit = process.fatal == nil && !process.isShuttingDown
    switch probe.asked(caller, canCommit: canCommit, now: now.instant) {
    case .answer: answer([caller], now: now)
    case .commit: registry.write(probeAt: now.wall)
    case .wait: break
    }
  }

  /// Notes that the turn's registry changes are committed. Returns whether a probe is among them.
  func committed(_ number: UInt64) -> Bool { probe.committed(in: number) }

  func refused(now: Now) { answer(probe.refused(now: now.instant), now: now) }

  func passed(_ number: UInt64, now: Now) {
    answer(probe.passed(number, now: now.instant), now: now)
  }

  func tick(now: Now) { answer(probe.tick(now: now.instant), now: now) }

  private func answer(_ callers: [ReadyProbe.Caller], now: Now) {
    for caller in callers {
      replies.send(
        Reply(call: caller.call, .readiness(readiness(for: caller.reader, now: now))))
    }
  }

  private func readiness(for reader: Identity, now: Now) -> Readiness {
    let unavailable = pool.failed
    return Readiness(
      reasons: unreadyReasons, unavailable: unavailable.count,
      named: unavailable.readable(by: reader, directory), unregistered: pool.unregisteredFiles,
      namesUnregistered: reader == .admin, isDiskLow: disk.isLow, room: disk.room,
      barrier: barrier(now: now),
      probe: probe.last.map { last in
        var took: Duration?
        if case .passed(let time) = last.outcome { took = time }
        return Readiness.Probe(age: now.instant - last.at, took: took)
      })
  }

  /// The reasons why sends would be refused now; empty if they would be accepted.
  var unreadyReasons: [Readiness.Reason] {
    var reasons: [Readiness.Reason] = []
    if process.fatal != nil { reasons.append(.writeFailed) }
    if process.isShuttingDown { reasons.append(.shuttingDown) }
    if disk.isLow { reasons.append(.diskLow) }
    if data.room.isForDeletionOnly { reasons.append(.diskFull) }
    switch probe.last?.outcome {
    case .refused: reasons.append(.commitRefused)
    case .slow: reasons.append(.commitSlow)
    case .passed, nil: break
    }
    return reasons
  }

  /// Returns the state of the last barrier; nil before the first.
  func barrier(now: Now) -> BarrierStatus? {
    metrics.lastBarrier.map { last in
      BarrierStatus(
        form: last.form, isOK: last.isOK, took: .nanoseconds(last.nanoseconds),
        okAge: last.okAt.map { now.instant - $0 })
    }
  }
}

extension [WorkspaceID] {
  /// Returns the workspaces that the operator may read. Returns `nil` for anybody else, who gets
  /// only their number.
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
