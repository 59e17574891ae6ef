import Relay

/// What callers have received. A receipt opens no file: it is noted with the next commit of its
/// workspace, and that of a closed file waits in memory until the file is open.
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
    // Without a receipt an equal call attaches, as after a crash.
    withFile(
      process.nextCall(), now: now, refused: { _, _ in },
      { [unowned self] now throws(RelayError) in
        let workspace = try workspace(id, now: now)
        workspace.tasks.apply(receipt, now: now)
        workspace.carryOut(now: now)
      })
  }

  /// Writes the receipts of workspaces that are only files, before the end of the process. One that
  /// is lost is as one that never came.
  func writeHeldReceipts(now: Now) {
    for id in receipts.absent where process.fatal == nil {
      guard let workspace = try? workspace(id, now: now) else { continue }
      if workspace.closeWhole(now: now) { sleep(workspace, now: now) }
    }
  }

  /// Closes every file: deferred writes are written, and the logs are emptied. Returns whether all
  /// of it could be done.
  func closeAll(now: Now) -> Bool {
    var isWhole = true
    fileWaiters.refuseAll(now: now)
    // Those whose files are open first, so that there is room for the others.
    for workspace in all.filter(\.isOpen) + all.filter({ !$0.isOpen })
    where workspace.failure == nil {
      guard process.fatal == nil else { break }
      if workspace.closeWhole(now: now) {
        sleep(workspace, now: now)
      } else {
        isWhole = false
      }
    }
    writeHeldReceipts(now: now)
    workspaces = [:]
    return isWhole
  }
}
