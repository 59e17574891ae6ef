package import Relay
package import Store
import System

/// Files that an operator has given up at the start, by name: nothing is ever made anew by itself.
extension Broker {
  /// Before `start`. The audit says so before anything is done: a crash must not hide it.
  ///
  /// `nil`: no workspace of this id is registered.
  package func acceptLoss(
    of id: WorkspaceID, now: Now
  ) throws(StoreError) -> AcceptedLoss? {
    guard var row = (directory.workspace(id) ?? directory.removed[id])?.row, row.state != .purging
    else { return nil }
    let entry = AuditEntry(
      at: now.wall, actor: "command line", action: "accept-loss", target: id.text)
    try data.registry.commit([.audit(entry)])
    try data.registry.sync()
    let outcome = try data.acceptLoss(of: id, now: now.wall)
    switch outcome {
    case .nothingLost:
      log.warning("loss_not_accepted", ["workspace": .text(id.text), "why": "its file is sound"])
      return outcome
    case .missing:
      log.warning("loss_accepted", ["workspace": .text(id.text), "was": "missing"])
    case .damaged(let damage, let place):
      log.warning(
        "loss_accepted",
        [
          "workspace": .text(id.text), "was": "damaged", "error": .text(damage),
          "moved_to": .text(place),
        ])
    }
    // What relay.db has noted is of the file that was.
    lastKnown.forget(id)
    directory.setWake(id, .never)
    row.nextWakeAt = .never
    try data.registry.commit([.pulses([WorkspacePulse(row)])])
    return outcome
  }

  /// Their rows have no file: `/ready` names them, and nobody waits for one to appear.
  package func noteMissing(_ ids: [WorkspaceID]) { unopenable.formUnion(ids) }
}
