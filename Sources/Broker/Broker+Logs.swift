package import Relay
import Store

/// A workspace's write-ahead log that was not empty at some time.
struct IdleLog: Comparable {
  var since: Instant
  var id: WorkspaceID
  static func < (left: IdleLog, right: IdleLog) -> Bool { left.since < right.since }
}

/// When write-ahead logs are copied into their files.
extension Broker {
  /// At most one checkpoint a turn, after the turn's barrier has been asked for: at `walPagesBusy`
  /// in any case, at `walPagesIdle` when no barrier is at work, and to nothing when the workspace
  /// has been idle. Several files that are due at once would stall the loop for as many times 10
  /// ms.
  package func maintain(now: Now) {
    guard fatal == nil else { return }
    var due: (desk: Desk, pages: Int)?
    for id in longLogs {
      guard let desk = desks[id], desk.failure == nil, desk.isOpen,
        desk.file.walPages >= limits.walPagesIdle
      else {
        longLogs.remove(id)
        continue
      }
      let pages = desk.file.walPages
      let isDue = pages >= limits.walPagesBusy || inRound.isEmpty
      if isDue, pages > due?.pages ?? 0 { due = (desk, pages) }
    }
    if let due { return checkpoint(due.desk, .passive, now: now) }
    if inRound.isEmpty { emptyIdleLog(now: now) }
  }

  /// After a commit.
  func watchLog(_ desk: Desk) {
    guard desk.isOpen, desk.failure == nil else { return }
    if desk.file.walPages >= limits.walPagesIdle { longLogs.insert(desk.id) }
    guard !desk.isLogWatched, desk.file.walPages > 0 else { return }
    desk.isLogWatched = true
    idleLogs.insert(IdleLog(since: desk.lastCommit, id: desk.id))
  }

  private func emptyIdleLog(now: Now) {
    while let first = idleLogs.first, first.since + limits.walIdle <= now.instant {
      _ = idleLogs.popFirst()
      guard let desk = desks[first.id], desk.failure == nil, desk.isOpen, desk.isLogWatched,
        desk.file.walPages > 0
      else {
        desks[first.id]?.isLogWatched = false
        continue
      }
      let isIdle = desk.lastCommit + limits.walIdle <= now.instant
      guard isIdle, !desk.isUnsynced else {
        idleLogs.insert(IdleLog(since: isIdle ? now.instant : desk.lastCommit, id: first.id))
        continue
      }
      checkpoint(desk, .truncate, now: now)
      desk.isLogWatched = false
      return watchLog(desk)
    }
  }

  private func checkpoint(_ desk: Desk, _ mode: CheckpointMode, now: Now) {
    desk.lastCommit = now.instant
    do throws(StoreError) {
      try desk.file.checkpoint(mode)
    } catch {
      if !isFinal(error, desk) { giveUpReserve(error) }
    }
  }
}

