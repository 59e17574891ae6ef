import Relay
import Store
import System

/// A change of the directory: made once its write is durable.
struct RegistryChange {
  var workspace: WorkspaceID
  var apply: (inout Directory) -> Void
  /// `nil`: nobody waits for it alone.
  var reply: Reply?
  /// It makes the workspace: its file is there already.
  var isCreation = false
}

/// Changes that one barrier makes durable.
struct RegistryRound {
  var number: UInt64
  var changes: [RegistryChange]
}

/// The row as the newest write on its way will leave it, and how many writes there are.
struct RowOnItsWay {
  var row: RegisteredWorkspace
  var writes: Int
}

extension Broker {
  /// Pages of the registry's WAL at which it is checkpointed: it is small and written rarely.
  private static let registryPages = 256

  func write(_ row: RegisteredWorkspace, _ change: RegistryChange) {
    rowsOnTheirWay[row.id] = RowOnItsWay(
      row: row, writes: (rowsOnTheirWay[row.id]?.writes ?? 0) + 1)
    registryChanges.append(change)
  }

  /// Commits the turn's changes; says whether somebody waits for the barrier.
  func commitRegistry(_ number: UInt64) -> Bool {
    guard fatal == nil, !registryBatch.isEmpty else { return false }
    let writes = registryBatch
    let changes = registryChanges
    registryBatch = []
    registryChanges = []
    do throws(StoreError) {
      try data.registry.commit(writes)
    } catch {
      refuse(changes, error)
      return false
    }
    if !changes.isEmpty { registryRounds.append(RegistryRound(number: number, changes: changes)) }
    checkpointRegistry()
    return !changes.isEmpty
  }

  private func refuse(_ changes: [RegistryChange], _ error: StoreError) {
    log.error("registry_failed", ["error": .text(error.description)])
    // The server tells everybody who waits.
    if error.isFinalForProcess {
      fatal = error
      return
    }
    for change in changes {
      settle(change)
      // The whole turn was rolled back. A file without a row would keep its id from being used.
      if change.isCreation { remove(change.workspace) }
      if let reply = change.reply { outbox.append(reply.failing(.notStored)) }
    }
  }

  private func remove(_ id: WorkspaceID) {
    do throws(StoreError) { try data.removeWorkspaceFile(id) } catch {
      failed(error, workspace: id)
    }
  }

  /// The round's changes are on the disk: they are made in memory, and answered.
  func registryPassed(_ number: UInt64, now: Now) {
    guard let first = registryRounds.first, first.number == number else { return }
    registryRounds.removeFirst()
    for change in first.changes {
      settle(change)
      change.apply(&directory)
      if let reply = change.reply { outbox.append(reply) }
      followPause(change.workspace, now: now)
    }
    if registryRounds.isEmpty { data.registry.markSynced() }
  }

  /// Nothing of the change is on its way any more.
  private func settle(_ change: RegistryChange) {
    claiming.remove(change.workspace)
    guard var row = rowsOnTheirWay.removeValue(forKey: change.workspace) else { return }
    row.writes -= 1
    if row.writes > 0 { rowsOnTheirWay[change.workspace] = row }
  }

  private func checkpointRegistry() {
    guard data.registry.walPages >= Self.registryPages else { return }
    do throws(StoreError) {
      try data.registry.checkpoint(.passive)
    } catch {
      log.error("registry_checkpoint_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
  }
}
