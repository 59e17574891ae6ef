import Relay
import Store
import System
import Wire

/// Carries out the effects of the registry's changes on queues, polls and files.
final class RegistryEvents: RegistryHost, UsesServices {
  let services: Services
  private let pool: WorkspacePool
  private let probes: Probes
  /// Called when tokens have been revoked, so that the server ends the polls that are parked with
  /// one.
  var tokensEnded: (Now) -> Void = { _ in }

  init(_ pool: WorkspacePool, _ probes: Probes) {
    self.pool = pool
    self.probes = probes
    services = pool.services
  }

  // MARK: events

  func agentRegistered(_ id: WorkspaceID, now: Now) {
    guard let workspace = pool.usable(id) else { return }
    workspace.touch()
    workspace.queue.agentRestarted(now: now)
    workspace.carryOut(now: now)
  }

  func workspaceChanged(_ id: WorkspaceID, now: Now) {
    guard let workspace = pool.usable(id), let record = directory.workspace(id),
      workspace.queue.isPaused != record.settings.isPaused
    else { return }
    if record.settings.isPaused { return workspace.queue.pause() }
    workspace.touch()
    workspace.queue.resume(now: now)
    workspace.carryOut(now: now)
  }

  func workspaceRemoved(_ row: RegisteredWorkspace) {
    if let workspace = pool.usable(row.id) {
      workspace.touch()
      workspace.jobs.refuseScans(.workspaceRemoved)
      workspace.agents.refusePolls(
        .workspaceRemoved, .agentEnded(row.id, at: row.leftAt), now: process.turnNow)
      workspace.tasks.refuseWaiters(.workspaceRemoved)
      workspace.carryOut(now: process.turnNow)
    }
    pool.alarms.put(nil, row.id)
  }

  func workspaceRestored(_ row: RegisteredWorkspace, now: Now) { pool.setAlarm(row, now: now) }

  func credentialsEnded(now: Now) { tokensEnded(now) }

  func endPolls(at id: WorkspaceID, now: Now) {
    guard let workspace = pool.usable(id) else { return }
    workspace.queue.endPolls(now: now)
    workspace.carryOut(now: now)
  }

  func releaseFile(of id: WorkspaceID) -> Bool {
    guard let workspace = pool[id] else { return true }
    if workspace.failure == nil {
      workspace.giveUp(
        StoreError(kind: .other, call: "purge", path: data.path(of: id), message: "purged"))
    }
    guard workspace.transaction.rounds.isEmpty else { return false }
    workspace.abandonFile()
    pool.forget(id)
    return true
  }

  func fileDeleted(_ id: WorkspaceID) { commits.progress.forget(id) }

  func forgetFile(of id: WorkspaceID) {
    pool.unopenable.remove(id)
    pool.lastKnown.forget(id)
    _ = pool.receipts.take(id)
  }

  // MARK: questions

  var isShuttingDown: Bool { process.isShuttingDown }

  var hasFailed: Bool { process.fatal != nil }

  func isTimeDoubtful(_ now: Now) -> Bool { clocks.isDoubtful(now) }

  func credentialTime(_ now: Now) -> WallTime { clocks.credentialTime(now) }

  func hasHadMessage(_ id: WorkspaceID, now: Now) throws(RelayError) -> Bool {
    try pool.workspace(id, now: now).queue.lastSeq > 0
  }

  func depth(of id: WorkspaceID) -> QueueDepth? {
    pool[id].map { $0.queue.depth } ?? pool.lastKnown.depth(of: id)
  }

  func isBarrierBusy(with id: WorkspaceID) -> Bool { pool.isBarrierBusy(with: id) }

  // MARK: the transaction

  func clockToStore(besides count: Int, now: Now) -> ClockRecord? {
    clocks.recordToStore(besides: count, boot: data.kernelBoot, now: now)
  }

  func clockStored(_ record: ClockRecord?, _ isStored: Bool, now: Now) {
    clocks.didStore(record, isStored, now: now)
  }

  func takeProgress(now: Now) -> [WorkspaceID: Int64] { commits.takeProgress(now: now) }

  func progressRefused(_ noted: [WorkspaceID: Int64]) { commits.progress.refused(noted) }

  func registryPassed(progress: Int64, now: Now) {
    commits.progress.note(registry: progress, now: now.instant)
  }

  func probeCommitted(_ number: UInt64) -> Bool { probes.committed(number) }

  func probeRefused(now: Now) { probes.refused(now: now) }

  func probePassed(_ number: UInt64, now: Now) { probes.passed(number, now: now) }

  // MARK: failures

  func fail(_ error: StoreError) { process.fatal = error }

  func failed(_ error: StoreError, workspace: WorkspaceID) {
    process.failed(error, workspace: workspace)
  }
}
