import Relay
import Store
import System

/// Selects the workspaces that get their log emptied, their retention or their shrinking in each
/// turn.
final class UpkeepTurns {
  private let limits: Limits
  private(set) var logs: LogCare
  var retention: RetentionTurns
  private var fileWatch = FileWatch()

  init(_ limits: Limits) {
    self.limits = limits
    logs = LogCare(limits)
    retention = RetentionTurns(limits)
  }

  // MARK: turns

  /// Makes at most one checkpoint in a turn, after the turn's barrier has been requested. Each
  /// further checkpoint would block the loop for another 10 ms. A turn without a checkpoint does a
  /// step of retention.
  func maintain(_ pool: WorkspacePool, now: Now) {
    let isBarrierBusy = pool.commits.isBarrierBusy
    let longest = logs.longest(isBarrierBusy: isBarrierBusy) { id in
      guard let workspace = pool[id], workspace.failure == nil, workspace.isOpen
      else { return nil }
      return LogCare.LongLog(
        pages: workspace.file.walPages, isBeingCut: workspace.upkeep.isBeingCut)
    }
    // A checkpoint that fails on a full disk must not keep retention, which frees space, from its
    // turn.
    if let longest, let workspace = pool[longest], workspace.upkeep.copyLog(now: now) { return }
    if emptyDueLog(pool, now: now) { return }
    retain(pool, now: now)
  }

  /// Empties the first due log that can be emptied. Returns whether there was one.
  private func emptyDueLog(_ pool: WorkspacePool, now: Now) -> Bool {
    while let id = logs.popDue(now.instant) {
      guard let workspace = pool[id] else { continue }
      let file = LogSchedule.File(
        isUsable: workspace.isOpen && workspace.failure == nil,
        commits: workspace.transaction.commits,
        hasRounds: !workspace.transaction.rounds.isEmpty,
        isBarrierBusy: pool.commits.isBarrierBusy)
      switch workspace.care.log.step(file, now: now.instant, limits) {
      case .rest, .afterRounds: break
      case .later(let at): logs.watch(id, at: at)
      case .empty(let isIdle):
        workspace.upkeep.emptyLog(isIdle: isIdle, now: now)
        return true
      }
    }
    return false
  }

  /// Carries out at most one step of retention in a turn.
  private func retain(_ pool: WorkspacePool, now: Now) {
    let turn = retention.next(now: now.instant, pool.retentionPlace)
    for id in turn.later {
      if let workspace = pool[id] { pool.unloadIfIdle(workspace, now: now) }
    }
    if let id = turn.id { pool[id]?.upkeep.retain(now: now) }
  }

  /// Checks `filesLookedAtMax` of the open files, and closes workspaces whose file is gone.
  func watchFiles(_ pool: WorkspacePool) {
    let ids = fileWatch.next(atMost: limits.filesLookedAtMax) { pool.open.map(\.id) }
    for id in ids {
      guard let workspace = pool[id], workspace.isOpen, workspace.failure == nil,
        let loss = workspace.file.loss()
      else { continue }
      workspace.close(after: loss)
    }
  }

  // MARK: reports of workspaces

  /// Notes that the workspace has a log to be watched.
  func noteLog(of workspace: Workspace, isNew: Bool) {
    if logs.isLong(workspace.file.walPages) { logs.noteLong(workspace.id) }
    if isNew { logs.watch(workspace.id, at: workspace.care.log.due(limits)) }
  }

  /// Notes that the workspace's file is closed.
  func closed(_ id: WorkspaceID) { logs.closed(id) }

  /// Adds the workspace to retention, until it has no step of retention for now.
  func addToRetention(_ id: WorkspaceID) { retention.add(id) }

  /// Notes that a file is rewritten: the next one follows some time later.
  func shrinks(now: Instant) { retention.shrinks(now: now) }
}
