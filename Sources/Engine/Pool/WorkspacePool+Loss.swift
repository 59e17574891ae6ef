import Relay
import Store
import System

/// Files that an operator has given up at the start, by name: nothing is ever made anew by itself.
extension WorkspacePool {
  /// Accepts the loss of a workspace's file, before the first turn. The audit says so before
  /// anything is done: a crash must not hide it. Returns nil if no workspace of this id is
  /// registered. Throws what SQLite reports.
  func acceptLoss(
    of id: WorkspaceID, now: Now
  ) throws(StoreError) -> AcceptedLoss? {
    guard var row = (directory.workspace(id) ?? directory.removed[id])?.row, row.state != .purging
    else { return nil }
    let entry = AuditEntry(
      at: now.wall, actor: AuditEntry.commandLine, action: .workspaceLoss,
      target: .workspace(id))
    try data.registry.commit([.audit(entry)])
    try data.registry.sync()
    let outcome = try data.acceptLoss(of: id, now: now.wall)
    switch outcome {
    case .nothingLost:
      log.warning("loss_not_accepted", ["workspace": .text(id.text), "why": "its file is sound"])
      return outcome
    case .behind(let damage):
      log.warning(
        "loss_accepted",
        ["workspace": .text(id.text), "was": "behind", "error": .text(damage)])
      row.nextWakeAt = nil
    case .missing:
      row.nextWakeAt = .never
      log.warning("loss_accepted", ["workspace": .text(id.text), "was": "missing"])
    case .damaged(let damage, let place):
      row.nextWakeAt = .never
      log.warning(
        "loss_accepted",
        [
          "workspace": .text(id.text), "was": "damaged", "error": .text(damage),
          "moved_to": .text(place),
        ])
    }
    // What relay.db has noted is of the file that was.
    lastKnown.forget(id)
    registry.setWake(id, row.nextWakeAt)
    try data.registry.commit([.pulses([WorkspacePulse(row)])])
    return outcome
  }

  /// Notes files of workspaces that are not registered; `/ready` says how many of them hold
  /// messages. At most `filesLookedAtMax` are looked at. A crash while workspaces are being made
  /// leaves empty files, and those are no loss.
  func noteUnregistered(_ ids: [WorkspaceID]) {
    unregistered = Set(ids.prefix(limits.filesLookedAtMax).filter(data.holdsMessages))
  }

  /// Files that hold messages and that nobody can reach: they were never registered, or relay.db
  /// has lost their rows.
  var unregisteredFiles: [WorkspaceID] {
    unregistered.filter { directory.workspace($0) == nil && directory.removed[$0] == nil }
      .sorted { $0.bytes < $1.bytes }
  }

  /// Their rows have no file: `/ready` names them, and nobody waits for one to appear.
  func noteMissing(_ ids: [WorkspaceID]) { unopenable.formUnion(ids) }
}
