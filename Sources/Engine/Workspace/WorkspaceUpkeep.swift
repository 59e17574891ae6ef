import Relay
import Store
import System

/// The care of a workspace's file: its write-ahead log, retention, free pages.
struct WorkspaceUpkeep: WorkspacePart {
  let workspace: Workspace

  // MARK: the write-ahead log

  /// Notes after a commit how long the log is, and when it comes due.
  func watchLog() {
    let isUsable = workspace.isOpen && workspace.failure == nil
    let isNew = workspace.care.log.watch(
      commits: workspace.transaction.commits, isUsable: isUsable)
    if isUsable { services.upkeep.noteLog(of: workspace, isNew: isNew) }
  }

  /// Returns, at the end of a turn, whether the transaction of the workspace waits until its log is
  /// empty. Under load a round of it is on its way at every moment, unless the next one waits for
  /// the last.
  func waitsForEmptyLog(now: Now) -> Bool {
    guard workspace.care.log.mustBeEmptied, workspace.failure == nil, workspace.isOpen
    else { return false }
    guard workspace.transaction.rounds.isEmpty else {
      // The barrier's report is a turn; this is for its being late.
      workspace.turn.blockedUntil = now.instant + limits.pendingRetry
      workspace.touch()
      return true
    }
    emptyLog(isIdle: false, now: now)
    return false
  }

  /// Copies the log into the file. Returns whether all of it was copied.
  func copyLog(now: Now) -> Bool { checkpoint(.passive, now: now) }

  /// Empties the log; no round of the workspace is on its way. Returns whether it is empty.
  @discardableResult
  func emptyLog(isIdle: Bool, now: Now) -> Bool {
    workspace.care.log.willBeEmptied()
    let isEmpty = checkpoint(.truncate, isIdle: isIdle, now: now)
    workspace.care.log.wasEmptied(isEmpty, now: now.instant)
    watchLog()
    return isEmpty
  }

  @discardableResult
  private func checkpoint(
    _ mode: CheckpointMode, isIdle: Bool = false, now: Now
  ) -> Bool {
    workspace.care.log.used(at: now.instant)
    // What was still to be cut goes with it.
    if isBeingCut { workspace.care.shrinking = nil }
    let start = Clock.instant()
    defer { metrics.checkpoints.add((Clock.instant() - start).nanoseconds) }
    do throws(StoreError) {
      let use: DiskRoom.Use = workspace.care.log.holdsErased ? .deletion : .results
      let isWhole = try disk.withRoom(for: use) { () throws(StoreError) in
        try workspace.file.checkpoint(mode)
      }
      guard isWhole, mode == .truncate, workspace.transaction.rounds.isEmpty else { return isWhole }
      // SQLite has synced the log before it copied it: receipts too, which no barrier waits for.
      workspace.file.markSynced()
      workspace.transaction.passedAll()
      workspace.care.log.isEmpty(after: workspace.transaction.commits)
      if isIdle { try noteFreePages(from: now.instant) }
      return true
    } catch {
      metrics.checkpointErrors += 1
      _ = workspace.isFinal(error)
      return false
    }
  }
}
