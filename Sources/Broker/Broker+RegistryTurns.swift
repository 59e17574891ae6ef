import Relay
import Store
import System

/// A change of the directory: made once its write is durable.
struct RegistryChange {
  var workspace: WorkspaceID
  var apply: (inout Directory) -> Void
  /// `nil`: nobody waits for it.
  var reply: Reply?
  /// It makes the workspace: its file is there already.
  var isCreation = false
  /// What was made in memory before the write was durable goes back when that is refused.
  var undo: (inout Directory) -> Void = { _ in }
  /// What follows once it is durable, before the reply.
  var then: () -> Void = {}
  /// It is of this secret.
  var secretKey: String?
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
    guard fatal == nil else { return false }
    let told = takePulses()
    if !told.isEmpty { registryBatch.append(.pulses(told)) }
    guard !registryBatch.isEmpty else { return false }
    let writes = registryBatch
    let changes = registryChanges
    registryBatch = []
    registryChanges = []
    do throws(StoreError) {
      try data.registry.commit(writes)
    } catch {
      for pulse in told { self.pulse(pulse.id, now: turnNow) }
      refuse(changes, error)
      return false
    }
    // What calls a file idle no longer has to be on the disk with what is written into the file.
    let isWaitedFor = !changes.isEmpty || told.contains { $0.nextWakeAt == nil }
    if isWaitedFor { registryRounds.append(RegistryRound(number: number, changes: changes)) }
    checkpointRegistry()
    return isWaitedFor
  }

  /// The marks of this turn, and at the interval the pulses, as many as one transaction takes.
  private func takePulses() -> [WorkspacePulse] {
    var ids = Array(marks)
    marks = []
    if let due = pulsesDue, due <= turnNow.instant {
      ids += pulses.prefix(Self.pulsesInTurn)
      pulsesDue = pulses.count > Self.pulsesInTurn ? turnNow.instant : nil
    }
    for id in ids { pulses.remove(id) }
    return ids.compactMap(pulse)
  }

  private static let pulsesInTurn = 500

  private func pulse(_ id: WorkspaceID) -> WorkspacePulse? {
    guard let record = directory.workspace(id) ?? directory.removed[id] else { return nil }
    var row = record.row
    row.lastSeenAt = record.lastSeen
    return WorkspacePulse(row)
  }

  /// For the end of the process: all that relay.db is still to be told.
  func writePulses() throws(StoreError) {
    while !pulses.isEmpty || !marks.isEmpty {
      pulsesDue = turnNow.instant
      try data.registry.commit([.pulses(takePulses())])
    }
  }

  private func refuse(_ changes: [RegistryChange], _ error: StoreError) {
    log.error("registry_failed", ["error": .text(error.description)])
    // The server tells everybody who waits.
    if error.isFinalForProcess {
      fatal = error
      return
    }
    // Each found what those before it had made.
    for change in changes.reversed() { change.undo(&directory) }
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
      change.then()
      if let reply = change.reply { outbox.append(reply) }
      followPause(change.workspace, now: now)
    }
    if registryRounds.isEmpty { data.registry.markSynced() }
  }

  /// Nothing of the change is on its way any more.
  private func settle(_ change: RegistryChange) {
    if let key = change.secretKey { return settleSecret(key, of: change.workspace) }
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
