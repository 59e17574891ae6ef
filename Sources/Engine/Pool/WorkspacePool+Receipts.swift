import Relay

/// Stores which replies callers have received. A receipt never opens a file: it is written with the
/// next commit of its workspace, and waits in memory while the file is closed.
extension WorkspacePool {
  func received(_ receipt: HeldReceipts.Receipt, at id: WorkspaceID, now: Now) {
    guard directory.isThere(id), !unopenable.contains(id) else { return }
    if let workspace = self[id] {
      guard workspace.failure == nil else { return }
      workspace.touch()
      workspace.tasks.apply(receipt, now: now)
      return workspace.carryOut(now: now)
    }
    if receipts.hasRoom(limits.receiptsHeldMax) {
      receipts.hold(receipt, of: id)
      return setAlarm(id, now.instant + limits.receiptHeldTime)
    }
    // If the receipt cannot be stored, an equal call attaches, as after a crash.
    withFile(
      process.nextCall(), now: now, refused: { _, _ in },
      { [unowned self] now throws(RelayError) in
        let workspace = try workspace(id, now: now)
        workspace.tasks.apply(receipt, now: now)
        workspace.carryOut(now: now)
      })
  }

  /// Writes the receipts of workspaces that are not in memory, before the process ends. A receipt
  /// that cannot be written counts as never received.
  func writeHeldReceipts(now: Now) {
    for id in receipts.absent where process.fatal == nil {
      guard let workspace = try? workspace(id, now: now) else { continue }
      if workspace.closeWhole(now: now) { keepFacts(workspace, now: now) }
    }
  }

  /// Closes every file, after writing deferred writes and emptying the logs. Returns whether all of
  /// that succeeded.
  func closeAll(now: Now) -> Bool {
    var isWhole = true
    fileWaiters.refuseAll(now: now)
    // Workspaces with an open file go first, so that there is room for the others.
    for workspace in all.filter(\.isOpen) + all.filter({ !$0.isOpen })
    where workspace.failure == nil {
      guard process.fatal == nil else { break }
      if workspace.closeWhole(now: now) {
        keepFacts(workspace, now: now)
      } else {
        isWhole = false
      }
    }
    writeHeldReceipts(now: now)
    workspaces = [:]
    return isWhole
  }
}
