import Relay
import Store
import System
import Wire

/// Removed workspaces whose file goes for good.
extension Broker {
  /// One a turn: deleting a file takes the disk some milliseconds.
  func purge(now: Now) {
    if let next = removals.first, next.at <= now.wall, !isTimeDoubtful(now) {
      _ = removals.popFirst()
      expireRemoved(next, now: now)
    }
    guard let index = purging.firstIndex(where: mayDelete) else { return }
    let id = purging.remove(at: index)
    do throws(StoreError) {
      try data.deleteWorkspaceFile(id)
    } catch {
      // The row stays as it is: the next start goes on with it.
      failed(error, workspace: id)
      purgeCalls[id].map { outbox.append(Reply(call: $0, error: .notStored)) }
      purgeCalls[id] = nil
      return
    }
    registryBatch.append(.deleteWorkspace(id))
    let json: JSON = ["status": "purged", "id": .string(id.text)]
    registryChanges.append(
      RegistryChange(
        workspace: id,
        apply: { [log] directory in
          directory.forget(id)
          log.info("workspace_purged", ["workspace": .text(id.text)])
        },
        reply: purgeCalls.removeValue(forKey: id).map { Reply(call: $0, body: json.bytes) }))
  }

  /// It was kept for long enough, unless it has been restored meanwhile.
  private func expireRemoved(_ removal: Removed, now: Now) {
    guard var row = directory.removed[removal.id]?.row, row.state == .removed,
      rowsOnTheirWay[row.id] == nil, let at = row.removedAt, at + limits.removedKeep <= now.wall
    else { return }
    row.state = .purging
    let undo = directory.remove(row)
    registryBatch.append(.updateWorkspace(row))
    audit("relay", "purge", row.id.text, now: now)
    let purged = row
    write(
      row,
      RegistryChange(
        workspace: row.id, apply: { _ in }, reply: nil,
        undo: { [unowned self] directory in
          if let undo { directory.undo(undo) }
          // Tried again after a minute.
          removals.insert(Removed(at: now.wall + .seconds(60), id: purged.id))
        },
        then: { [unowned self] in purging.append(purged.id) }))
  }

  /// No barrier has its descriptor any more.
  private func mayDelete(_ id: WorkspaceID) -> Bool {
    guard let desk = desks[id] else { return true }
    if desk.failure == nil { forsake(desk) }
    guard desk.rounds.isEmpty else { return false }
    abandonFile(desk)
    desks[id] = nil
    alarms.put(nil, id)
    return true
  }

  private func forsake(_ desk: Desk) {
    giveUp(
      desk,
      StoreError(kind: .other, call: "purge", path: data.path(of: desk.id), message: "purged"))
  }
}
