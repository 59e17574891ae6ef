import Relay
import Store
import System

/// The upkeep of a workspace's file: its write-ahead log, retention, free pages.
struct WorkspaceUpkeep: WorkspacePart {
  let workspace: Workspace

  // MARK: the write-ahead log

  /// Notes after a commit how long the log is, and when it is due.
  func watchLog() {
    let isUsable = workspace.isOpen && workspace.failure == nil
    let isNew = workspace.care.log.watch(
      commits: workspace.transaction.commits, isUsable: isUsable)
    if isUsable { services.upkeep.noteLog(of: workspace, isNew: isNew) }
  }

  /// Returns, at the end of a turn, whether the workspace's transaction waits until the log is
  /// empty. Under load some commit round always waits for its barrier, so that the log could never
  /// be emptied unless the next round waits.
  func waitsForEmptyLog(now: Now) -> Bool {
    guard workspace.care.log.mustBeEmptied, workspace.failure == nil, workspace.isOpen
    else { return false }
    guard workspace.transaction.rounds.isEmpty else {
      // The barrier's report makes a turn; this time applies if it is late.
      workspace.turn.blockedUntil = now.instant + limits.pendingRetry
      workspace.touch()
      return true
    }
    emptyLog(isIdle: false, now: now)
    return false
  }

  /// Copies the log into the file. Returns whether all of it was copied.
  func copyLog(now: Now) -> Bool { checkpoint(.passive, now: now) }

  /// Empties the log; no commit round of the workspace may be pending. Returns whether the log is
  /// empty.
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
    // The checkpoint has cut the rest of the file's end.
    if isBeingCut { workspace.care.shrinking = nil }
    let start = Clock.instant()
    defer { metrics.checkpoints.add((Clock.instant() - start).nanoseconds) }
    do throws(StoreError) {
      let use: DiskRoom.Use = workspace.care.log.holdsErased ? .deletion : .results
      let isWhole = try disk.withRoom(for: use) { () throws(StoreError) in
        try workspace.file.checkpoint(mode)
      }
      guard isWhole, mode == .truncate, workspace.transaction.rounds.isEmpty else { return isWhole }
      // SQLite has synced the log before it copied it, including receipts that no barrier waits
      // for.
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
