import Relay
import Store
import System

/// A change of the directory: made once its write is durable.
struct RegistryChange {
  /// Whose row it writes, if any.
  var workspace: WorkspaceID?
  var apply: (inout Directory) -> Void = { _ in }
  /// `nil`: nobody waits.
  var reply: Reply?
  /// It makes the workspace: its file is there already.
  var isCreation = false
  /// What is undone, or kept for later, when the commit is refused; and what is answered then.
  var refused: (Broker, Now) -> Void = { _, _ in }
  /// What was made in memory before the write was durable goes back when that is refused.
  var undo: (inout Directory) -> Void = { _ in }
  var refusal = RelayError.notStored
  /// What follows in the same turn in which it was made.
  var then: (Broker, Now) -> Void = { _, _ in }
  /// For the log; the audit has it already.
  var record: AuditEntry?
  /// What was on its way before it.
  fileprivate(set) var previous: RegisteredWorkspace?
  /// It is of this secret.
  var secretKey: String?
}

/// Changes that one barrier makes durable.
struct RegistryRound {
  var number: UInt64
  var changes: [RegistryChange]
  /// Of relay.db, after them.
  var progress: Int64
}

/// The row as the newest write on its way will leave it, and how many writes there are.
struct RowOnItsWay {
  var row: RegisteredWorkspace
  var writes: Int
}

extension Broker {
  /// Pages of the registry's WAL at which it is checkpointed: it is small and written rarely.
  private static let registryPages = 256

  /// The row as the newest write will leave it: what is written next builds on that.
  func newestRow(_ id: WorkspaceID) -> RegisteredWorkspace? {
    guard let row = rowsOnTheirWay[id]?.row else { return directory.workspace(id)?.row }
    return row.state == .active ? row : nil
  }

  func write(_ row: RegisteredWorkspace, _ change: RegistryChange) {
    var change = change
    change.previous = rowsOnTheirWay[row.id]?.row
    rowsOnTheirWay[row.id] = RowOnItsWay(
      row: row, writes: (rowsOnTheirWay[row.id]?.writes ?? 0) + 1)
    registryChanges.append(change)
  }

  /// Commits the turn's changes; says whether somebody waits for the barrier.
  func commitRegistry(_ number: UInt64, now: Now) -> Bool {
    guard fatal == nil, !waitsForEmptyRegistryLog(now: now), fatal == nil else { return false }
    let told = takePulses()
    if !told.isEmpty { registryBatch.append(.pulses(told)) }
    let noted = takeProgress(now: now)
    if !noted.isEmpty { registryBatch.append(.progress(noted)) }
    // A read of what may not be durable yet is a change without a write.
    let lines = takeLines(now: now)
    let clock = clockToStore(
      besides: registryBatch.count + registryChanges.count + lines.count, now: now)
    guard !registryBatch.isEmpty || !registryChanges.isEmpty || !lines.isEmpty || clock != nil
    else { return false }
    var writes = registryBatch + lines
    if let clock { writes.append(.clock(clock)) }
    if let trim = trim(with: writes, now: now) { writes.append(trim) }
    let changes = registryChanges
    registryBatch = []
    registryChanges = []
    do throws(StoreError) {
      try withRoom(for: .deletion) { () throws(StoreError) in try data.registry.commit(writes) }
      metrics.registryWrites += writes.count - (clock == nil ? 0 : 1)
      if registryBlankedSince == nil, writes.contains(where: \.isBlanking) {
        registryBlankedSince = now.instant
      }
      linesStored(lines.count, true, now: now)
      clockStored(clock, true, now: now)
    } catch {
      linesStored(lines.count, false, now: now)
      clockStored(clock, false, now: now)
      progressToNote.files.merge(noted) { newer, _ in newer }
      for pulse in told { self.pulse(pulse.id, now: turnNow) }
      // A file that is written while relay.db calls it idle would be overlooked after a crash.
      if told.contains(where: { $0.nextWakeAt == nil }) {
        pulsesDue = turnNow.instant + limits.markRetry
      }
      refuse(changes, error, now: now)
      probeRefused(now: now)
      return false
    }
    // What calls a file idle no longer has to be on the disk with what is written into the file.
    let isWaitedFor =
      probeCommitted(number) || !changes.isEmpty || told.contains { $0.nextWakeAt == nil }
    if isWaitedFor {
      registryRounds.append(
        RegistryRound(number: number, changes: changes, progress: data.registry.progress))
    }
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

  static let pulsesInTurn = 500

  private func pulse(_ id: WorkspaceID) -> WorkspacePulse? {
    // The rows of what is purged may have gone.
    guard let record = directory.workspace(id) ?? directory.removed[id],
      record.row.state != .purging
    else { return nil }
    var row = record.row
    row.lastSeenAt = record.lastSeen
    guard row.nextWakeAt != nil else { return WorkspacePulse(row) }
    return WorkspacePulse(
      row, depth: desks[id].map { $0.queue.depth } ?? lastKnown.depth(of: id))
  }

  /// For the end of the process: all that relay.db is still to be told.
  func writePulses() throws(StoreError) {
    while !pulses.isEmpty || !marks.isEmpty {
      pulsesDue = turnNow.instant
      try data.registry.commit([.pulses(takePulses())])
    }
  }

  private func refuse(_ changes: [RegistryChange], _ error: StoreError, now: Now) {
    if error.isFinalForProcess {
      log.error("registry_failed", ["error": .text(error.description)])
    } else {
      repeatedLog.error("registry_failed", error.description)
    }
    // The server tells everybody who waits.
    if error.isFinalForProcess {
      fatal = error
      return
    }
    // The whole turn was rolled back: rows are again what the turns before have made of them.
    for change in changes.reversed() {
      guard let id = change.workspace else { continue }
      if let previous = change.previous { rowsOnTheirWay[id]?.row = previous }
    }
    // Each found what those before it had made.
    for change in changes.reversed() { change.undo(&directory) }
    for change in changes {
      settle(change)
      // A file without a row would keep its id from being used.
      if change.isCreation, let id = change.workspace { remove(id) }
      change.refused(self, now)
      if let reply = change.reply { replies.send(reply.failing(change.refusal)) }
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
    registryPassed(progress: first.progress, now: now)
    for change in first.changes {
      settle(change)
      change.apply(&directory)
      if let reply = change.reply { replies.send(reply) }
      if let record = change.record { note(record) }
      change.then(self, now)
      if let id = change.workspace { followPause(id, now: now) }
    }
    probePassed(number, now: now)
    if registryRounds.isEmpty { data.registry.markSynced() }
  }

  /// Nothing of the change is on its way any more.
  private func settle(_ change: RegistryChange) {
    guard let id = change.workspace else { return }
    if let key = change.secretKey { return settleSecret(key, of: id) }
    guard var row = rowsOnTheirWay.removeValue(forKey: id) else { return }
    row.writes -= 1
    if row.writes > 0 { rowsOnTheirWay[id] = row }
  }

  /// What has become durable, for the log; the audit keeps the same for good.
  private func note(_ record: AuditEntry) {
    guard let workspace = record.workspace else {
      return log.info(
        "registry_changed",
        [
          "actor": .text(record.actor), "action": .text(record.action),
          "target": .text(record.target), "detail": .text(record.detail),
        ])
    }
    log.info(
      "registry_changed",
      [
        "actor": .text(record.actor), "action": .text(record.action),
        "workspace": .text(workspace.text), "detail": .text(record.detail),
      ])
  }

  private func checkpointRegistry() {
    if data.registry.walPages >= Self.registryPages { checkpointRegistry(.passive) }
  }

  /// Secrets that were deleted or replaced leave the log `walIdle` later, whether or not it is
  /// idle: it is short, and signs of life are written all the time. Says whether a round on its way
  /// has to end before that; the next one waits for it, unless a file that was idle is written in
  /// this turn: relay.db says so with the same barrier.
  private func waitsForEmptyRegistryLog(now: Now) -> Bool {
    isRegistryWaiting = false
    guard let since = registryBlankedSince, since + limits.walIdle <= now.instant
    else { return false }
    guard registryRounds.isEmpty else {
      isRegistryWaiting = marks.isEmpty
      return isRegistryWaiting
    }
    // What could not be emptied is tried again as if it had been deleted now.
    registryBlankedSince = checkpointRegistry(.truncate) ? nil : now.instant
    return false
  }

  /// Says whether all of the log is in the file.
  @discardableResult
  private func checkpointRegistry(_ mode: CheckpointMode) -> Bool {
    do throws(StoreError) {
      return try withRoom(for: .deletion) { () throws(StoreError) in
        try data.registry.checkpoint(mode)
      }
    } catch {
      repeatedLog.error("registry_checkpoint_failed", error.description)
      metrics.checkpointErrors += 1
      if error.isFinalForProcess { fatal = error }
      return false
    }
  }
}
