import Relay
import Store
import System

/// What follows from the registry's changes for queues, polls and files.
extension Engine: RegistryHost {
  /// What is known of workspaces and credentials.
  package var directory: Directory { _read { yield registry.directory } }

  func agentRegistered(_ id: WorkspaceID, now: Now) {
    guard let desk = desks[id], desk.failure == nil else { return }
    touch(desk)
    desk.queue.agentRestarted(now: now)
    carryOut(desk, now: now)
  }

  func workspaceChanged(_ id: WorkspaceID, now: Now) {
    guard let desk = desks[id], desk.failure == nil, let record = directory.workspace(id),
      desk.queue.isPaused != record.settings.isPaused
    else { return }
    if record.settings.isPaused { return desk.queue.pause() }
    touch(desk)
    desk.queue.resume(now: now)
    carryOut(desk, now: now)
  }

  func workspaceRestored(_ row: RegisteredWorkspace, now: Now) { setAlarm(row, now: now) }

  func credentialsEnded(now: Now) { tokensEnded(now) }

  func endPolls(at id: WorkspaceID, now: Now) {
    guard let desk = desks[id], desk.failure == nil else { return }
    desk.queue.endPolls(now: now)
    carryOut(desk, now: now)
  }

  // MARK: questions

  var hasFailed: Bool { fatal != nil }

  func hasHadMessage(_ id: WorkspaceID, now: Now) throws(RelayError) -> Bool {
    try desk(id, now: now).queue.lastSeq > 0
  }

  func depth(of id: WorkspaceID) -> QueueDepth? {
    desks[id].map { $0.queue.depth } ?? lastKnown.depth(of: id)
  }

  func progressRefused(_ noted: [WorkspaceID: Int64]) {
    progressToNote.files.merge(noted) { newer, _ in newer }
  }

  func fail(_ error: StoreError) { fatal = error }

  // MARK: the audit

  /// Writes the line, and begins the operation when it is durable. If the line is refused nothing
  /// is done, and `call` is answered so.
  func audit(
    _ entry: AuditEntry, before operation: @escaping (Engine, Now) -> Void, of call: CallID,
    otherwise: @escaping (Engine) -> Void = { _ in }
  ) {
    registry.audit(
      entry, before: { [unowned self] now in operation(self, now) }, of: call,
      otherwise: { [unowned self] in otherwise(self) })
  }

  func auditLater(_ entry: AuditEntry) { registry.auditLater(entry) }

  /// The operation has its line, and was not carried out.
  func auditRefusal(
    _ actor: String, _ action: AuditAction, _ target: AuditTarget, _ error: RelayError, now: Now
  ) {
    auditLater(
      AuditEntry(
        at: now.wall, actor: actor, action: action, target: target,
        detail: "refused: \(error.code)"))
  }
}
