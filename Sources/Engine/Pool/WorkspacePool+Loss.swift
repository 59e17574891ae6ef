import Relay
import Store
import System

/// Handles files that an operator gives up by name at the start. The relay never replaces a lost
/// file by itself.
extension WorkspacePool {
  /// Accepts the loss of a workspace's file; called before the first turn. The audit line is
  /// written first, so that no crash can hide the loss. Returns nil if the workspace is not
  /// registered. Throws the error that SQLite reports.
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
    // The facts in relay.db describe the lost file.
    lastKnown.forget(id)
    registry.setWake(id, row.nextWakeAt)
    try data.registry.commit([.pulses([WorkspacePulse(row)])])
    return outcome
  }

  /// Notes files whose workspace is not registered; `/ready` shows the number of those that hold
  /// messages. It looks at no more than `filesLookedAtMax` files. A crash while a workspace is made
  /// leaves an empty file, which is no loss.
  func noteUnregistered(_ ids: [WorkspaceID]) {
    unregistered = Set(ids.prefix(limits.filesLookedAtMax).filter(data.holdsMessages))
  }

  /// Files that hold messages without a row in relay.db: the row was never written, or is lost.
  var unregisteredFiles: [WorkspaceID] {
    unregistered.filter { directory.workspace($0) == nil && directory.removed[$0] == nil }
      .sorted { $0.bytes < $1.bytes }
  }

  /// Notes registered workspaces without a file. `/ready` names them, and no request waits for the
  /// file.
  func noteMissing(_ ids: [WorkspaceID]) { unopenable.formUnion(ids) }
}
