import Relay
import Store
import System

/// Removed workspaces whose file goes for good.
extension Broker {
  /// One a turn: deleting a file takes the disk some milliseconds.
  func purge(now: Now) {
    if let next = removals.first, next.at <= now.wall {
      _ = removals.popFirst()
      // By a clock that is doubted nothing goes; what somebody has purged goes all the same.
      if isTimeDoubtful(now), directory.removed[next.id]?.row.state == .removed {
        purgeLater(next.id, now: now)
      } else {
        expireRemoved(next, now: now)
      }
    }
    guard let index = purging.firstIndex(where: mayDelete) else { return }
    let id = purging.remove(at: index)
    // Under its id there may be another by now.
    guard directory.removed[id]?.row.state == .purging else { return }
    do throws(StoreError) {
      try data.deleteWorkspaceFile(id)
    } catch {
      failed(error, workspace: id)
      if let reply = purgeCalls.removeValue(forKey: id) {
        replies.send(reply.failing(.notStored))
      }
      return purgeLater(id, now: now)
    }
    let ended = directory.removed[id]?.row.leftAt
    let keepsTokens = directory.tokens.purgedCount < limits.purgedTokensMax
    progressToNote.files[id] = nil
    registryBatch.append(.deleteWorkspace(id, keepingTokensEnded: keepsTokens ? ended : nil))
    registryChanges.append(
      RegistryChange(
        workspace: id,
        apply: { [log] directory in
          directory.forget(id, keepsTokens: keepsTokens)
          log.info("workspace_purged", ["workspace": .text(id.text)])
        },
        reply: purgeCalls.removeValue(forKey: id),
        refused: { broker, now in broker.purgeLater(id, now: now) },
        then: { broker, _ in broker.forgetFile(of: id) }))
  }

  /// What was known of the file that went: one that is made under its id begins anew.
  func forgetFile(of id: WorkspaceID) {
    unopenable.remove(id)
    lastKnown.forget(id)
    _ = receipts.take(id)
  }

  /// The row says what is to be done: it is done after a minute, or by the next start.
  private func purgeLater(_ id: WorkspaceID, now: Now) {
    removals.insert(Removed(at: now.wall + Self.purgeRetry, id: id))
  }

  private static let purgeRetry = Duration.seconds(60)

  /// It was kept for long enough, unless it has been restored meanwhile.
  private func expireRemoved(_ removal: Removed, now: Now) {
    guard var row = directory.removed[removal.id]?.row else { return }
    if row.state == .purging {
      if !purging.contains(row.id), !isOnItsWay(row.id) { purging.append(row.id) }
      return
    }
    guard row.state == .removed, let at = row.removedAt, at + limits.removedKeep <= now.wall
    else { return }
    // A restore may be on its way, and may be refused.
    guard rowsOnTheirWay[row.id] == nil else { return purgeLater(row.id, now: now) }
    row.state = .purging
    let undo = directory.remove(row)
    registryBatch.append(.updateWorkspace(row))
    audit("relay", .workspacePurge, .workspace(row.id), now: now)
    let purged = row
    write(
      row,
      RegistryChange(
        workspace: row.id,
        refused: { broker, now in broker.purgeLater(purged.id, now: now) },
        undo: { directory in if let undo { directory.undo(undo) } },
        then: { broker, _ in
          broker.directory.confirmRemoval(purged)
          broker.purging.append(purged.id)
        }))
  }

  /// A change of its row, or the end of it.
  private func isOnItsWay(_ id: WorkspaceID) -> Bool {
    registryChanges.contains { $0.workspace == id }
      || registryRounds.contains { $0.changes.contains { $0.workspace == id } }
  }

  /// No barrier has its descriptor any more.
  private func mayDelete(_ id: WorkspaceID) -> Bool {
    guard let desk = desks[id] else { return true }
    if desk.failure == nil { forsake(desk) }
    guard desk.transaction.rounds.isEmpty else { return false }
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
