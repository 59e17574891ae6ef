package import Relay
import Store
import System
import Wire

extension Broker {
  /// Nothing is handed out any more; leases go on, and sends are stored unless `refusesSends`. It is
  /// a setting: it holds through restarts until `resume`.
  package func pause(
    _ operation: Operation, at id: WorkspaceID, refusesSends: Bool, now: Now
  ) {
    setPause(operation, at: id, isPaused: true, refusesSends: refusesSends, now: now)
  }

  package func resume(_ operation: Operation, at id: WorkspaceID, now: Now) {
    setPause(operation, at: id, isPaused: false, refusesSends: false, now: now)
  }

  private func setPause(
    _ operation: Operation, at id: WorkspaceID, isPaused: Bool, refusesSends: Bool, now: Now
  ) {
    guard let record = directory.workspace(id) else {
      return replies.send(Reply(call: operation.call, error: .notFound))
    }
    var row = rowsOnTheirWay[id]?.row ?? record.row
    var settings = Settings(ofRow: row)
    settings.isPaused = isPaused
    settings.refusesSends = refusesSends
    row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
    let updated = row
    registryBatch.append(.updateWorkspace(updated))
    let line = audit(
      operation.actor, isPaused ? .workspacePause : .workspaceResume, .workspace(id),
      refusesSends ? "sends=refuse" : "", now: now)
    let json: JSON = [
      "status": .string(isPaused ? "paused" : "active"),
      "sends": .string(refusesSends ? "refuse" : "accept"),
    ]
    write(
      updated,
      RegistryChange(
        workspace: id, apply: { $0.put(updated) },
        reply: Reply(call: operation.call, body: json.bytes), record: line))
  }

  /// The setting is durable: the queue does as it says.
  func followPause(_ id: WorkspaceID, now: Now) {
    guard let desk = desks[id], desk.failure == nil, let record = directory.workspace(id),
      desk.queue.isPaused != record.settings.isPaused
    else { return }
    if record.settings.isPaused { return desk.queue.pause() }
    touch(desk)
    desk.queue.resume(now: now)
    carryOut(desk, now: now)
  }
}
