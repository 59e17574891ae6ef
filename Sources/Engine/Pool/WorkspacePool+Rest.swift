import Relay
import Store
import System

/// Decides when workspaces with a closed file leave memory, and when they are opened again.
extension WorkspacePool {
  /// Unloads a workspace with a closed file as soon as the file alone can restore it; sets the
  /// alarms of the others. Called for each workspace after its turn.
  func unloadIfIdle(_ workspace: Workspace, now: Now) {
    guard workspaces[workspace.id] === workspace, workspace.failure == nil else { return }
    if workspace.isOpen {
      files.put(
        workspace.id, standing(workspace), isUse: workspace.turn.isUsed,
        isFirst: workspace.turn.isClosedNext)
      workspace.turn.isUsed = false
    }
    if !workspace.isOpen, !workspace.turn.isTouched, isAtRest(workspace) {
      if workspace.queue.restsAt(now: now) <= now.instant { return unload(workspace, now: now) }
      return setAlarm(
        workspace.id, min(workspace.queue.restsAt(now: now), workspace.due ?? .distantFuture))
    }
    // A workspace that a deferred reply refers to stays in memory and is looked at again later.
    let later = workspace.isOpen || !replies.hasDeferred ? nil : now.instant + limits.sweepInterval
    if let due = [workspace.due, later].compactMap({ $0 }).min() { setAlarm(workspace.id, due) }
  }

  /// Sets the workspace's alarm. An earlier one stays: when it fires it finds nothing due and sets
  /// the next.
  func setAlarm(_ id: WorkspaceID, _ due: Instant) {
    if let at = alarms.at(id), at <= due { return }
    alarms.put(due, id)
  }

  /// Returns whether nobody waits for the workspace, and all of its state is in its file.
  func isAtRest(_ workspace: Workspace) -> Bool {
    workspace.waiting.isEmpty && workspace.openCalls.isEmpty && workspace.isQuiet
      && workspace.transaction.deferred.isEmpty
      && !replies.hasDeferred && workspace.queue.isInFile
  }

  private func unload(_ workspace: Workspace, now: Now) {
    workspace.cache.removeAll()
    fenceFloor = max(fenceFloor, workspace.queue.lastFence)
    workspaces[workspace.id] = nil
    keepFacts(workspace, now: now)
  }

  /// Keeps the depth and the next alarm of a closed workspace, here and in relay.db.
  func keepFacts(_ workspace: Workspace, now: Now) {
    lastKnown.remember(workspace.id, workspace.queue.depth)
    // A job that has not ended continues after the next start.
    let due =
      workspace.jobState.runs.isEmpty
      ? [workspace.queue.nextDeadline, workspace.retentionDue].compactMap(\.self).min()
      : now.instant
    alarms.put(due, workspace.id)
    if directory.removed[workspace.id] != nil, workspace.isToBeClosed {
      // What is left of its end waits for the next start.
      registry.setWake(workspace.id, nil)
      return registry.pulse(workspace.id, now: now)
    }
    registry.setWake(workspace.id, due.map { now.wall(at: $0) } ?? .never)
    registry.pulse(workspace.id, now: now)
  }

  /// Notes that the workspace's file was closed or given up.
  func fileClosed(_ workspace: Workspace) { files.closed(workspace.id) }

  /// Removes the workspace from memory.
  func forget(_ id: WorkspaceID) {
    workspaces[id] = nil
    alarms.put(nil, id)
  }
}
