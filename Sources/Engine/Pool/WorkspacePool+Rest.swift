import Relay
import Store
import System

/// Workspaces whose file is closed: when they leave memory, and when they are opened again.
extension WorkspacePool {
  /// After each turn: a workspace whose file is closed leaves memory as soon as nothing but the
  /// file is needed to make it again; of the others it is noted when they come due.
  func settle(_ workspace: Workspace, now: Now) {
    guard workspaces[workspace.id] === workspace, workspace.failure == nil else { return }
    if workspace.isOpen {
      files.put(
        workspace.id, standing(workspace), isUse: workspace.turn.isUsed,
        isFirst: workspace.turn.isClosedNext)
      workspace.turn.isUsed = false
    }
    if !workspace.isOpen, !workspace.turn.isTouched, isAtRest(workspace) {
      if workspace.queue.restsAt(now: now) <= now.instant { return rest(workspace, now: now) }
      return setAlarm(
        workspace.id, min(workspace.queue.restsAt(now: now), workspace.due ?? .distantFuture))
    }
    // A workspace that an answer to be made later still refers to stays, and is looked at again.
    let later = workspace.isOpen || !replies.hasDeferred ? nil : now.instant + limits.sweepInterval
    if let due = [workspace.due, later].compactMap({ $0 }).min() { setAlarm(workspace.id, due) }
  }

  /// One that is set for earlier stays: it finds nothing to do and sets the next.
  func setAlarm(_ id: WorkspaceID, _ due: Instant) {
    if let at = alarms.at(id), at <= due { return }
    alarms.put(due, id)
  }

  /// Nobody waits for anything of it, and nothing of it is only in memory.
  func isAtRest(_ workspace: Workspace) -> Bool {
    workspace.waiting.isEmpty && workspace.openCalls.isEmpty && workspace.isQuiet
      && workspace.transaction.deferred.isEmpty
      && !replies.hasDeferred && workspace.queue.isInFile
  }

  private func rest(_ workspace: Workspace, now: Now) {
    workspace.cache.removeAll()
    fenceFloor = max(fenceFloor, workspace.queue.lastFence)
    workspaces[workspace.id] = nil
    sleep(workspace, now: now)
  }

  /// A workspace leaves memory: what comes due in its file is remembered here, and in relay.db.
  func sleep(_ workspace: Workspace, now: Now) {
    lastKnown.remember(workspace.id, workspace.queue.depth)
    // A job that has not ended goes on with the next start.
    let due =
      workspace.jobState.runs.isEmpty
      ? [workspace.queue.nextDeadline, workspace.retentionDue].compactMap(\.self).min()
      : now.instant
    alarms.put(due, workspace.id)
    if directory.removed[workspace.id] != nil, workspace.isToBeClosed {
      // What is left of its end is for the next start.
      registry.setWake(workspace.id, nil)
      return registry.pulse(workspace.id, now: now)
    }
    registry.setWake(workspace.id, due.map { now.wall(at: $0) } ?? .never)
    registry.pulse(workspace.id, now: now)
  }

  /// The workspace's file was closed, or given up.
  func fileClosed(_ workspace: Workspace) { files.closed(workspace.id) }

  /// Takes the workspace out of memory.
  func forget(_ id: WorkspaceID) {
    workspaces[id] = nil
    alarms.put(nil, id)
  }
}
