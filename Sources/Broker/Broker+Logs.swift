package import Relay
import Store
import System

/// A workspace's write-ahead log that was not empty at some time, and when it is looked at.
struct WatchedLog: Comparable {
  var at: Instant
  var id: WorkspaceID
  static func < (left: WatchedLog, right: WatchedLog) -> Bool { left.at < right.at }
}

/// When write-ahead logs are copied into their files.
///
/// A checkpoint leaves the bytes of the log where they are; what was deleted is gone from the disk
/// only when the log is emptied. That is never done while a round of the file is on its way.
extension Broker {
  /// At most one checkpoint a turn, after the turn's barrier has been asked for: at `walPagesBusy`
  /// in any case, at `walPagesIdle` when no barrier is at work, and to nothing when the workspace
  /// has been idle, or something in it was deleted. Several files that are due at once would stall
  /// the loop for as many times 10 ms.
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
      if desk.isBeingCut, pages < 2 * limits.walPagesBusy { continue }
      let isDue = pages >= limits.walPagesBusy || inRound.isEmpty
      if isDue, pages > due?.pages ?? 0 { due = (desk, pages) }
    }
    // One that fails, on a full disk, must not keep what frees space from its turn.
    if let due, checkpoint(due.desk, .passive, now: now) { return }
    if emptyDueLog(now: now) { return }
    retain(now: now)
  }

  /// After a commit.
  func watchLog(_ desk: Desk) {
    if desk.isBlanking {
      desk.isBlanking = false
      if desk.blankedSince == nil { desk.blankedSince = desk.lastCommit }
    }
    guard desk.isOpen, desk.failure == nil else { return }
    if desk.file.walPages >= limits.walPagesIdle { longLogs.insert(desk.id) }
    guard !desk.isLogWatched, desk.cutAt != desk.commits else { return }
    desk.isLogWatched = true
    idleLogs.insert(WatchedLog(at: emptyingDue(desk), id: desk.id))
  }

  private func emptyingDue(_ desk: Desk) -> Instant {
    let idle = desk.lastCommit + limits.walIdle
    return desk.blankedSince.map { min(idle, $0 + limits.walBlankedMax) } ?? idle
  }

  /// Says whether there was one.
  private func emptyDueLog(now: Now) -> Bool {
    while let first = idleLogs.first, first.at <= now.instant {
      _ = idleLogs.popFirst()
      guard let desk = desks[first.id], desk.failure == nil, desk.isOpen, desk.isLogWatched,
        desk.cutAt != desk.commits
      else {
        desks[first.id]?.isLogWatched = false
        continue
      }
      let due = emptyingDue(desk)
      if due > now.instant {
        idleLogs.insert(WatchedLog(at: due, id: first.id))
      } else if desk.blankedSince == nil, !inRound.isEmpty {
        // Only its space would be gained, and callers wait.
        idleLogs.insert(WatchedLog(at: now.instant + limits.pendingRetry, id: first.id))
      } else if !desk.rounds.isEmpty {
        desk.mustEmptyLog = true
      } else {
        emptyLog(desk, isIdle: desk.lastCommit + limits.walIdle <= now.instant, now: now)
        return true
      }
    }
    return false
  }

  /// At the end of a turn: under load there is a round of it on its way at every moment, unless the
  /// next one waits for the last.
  func waitsForEmptyLog(_ desk: Desk, now: Now) -> Bool {
    guard desk.mustEmptyLog, desk.failure == nil, desk.isOpen else { return false }
    guard desk.rounds.isEmpty else {
      // The barrier's report is a turn; this is for its being late.
      desk.blockedUntil = now.instant + limits.pendingRetry
      touch(desk)
      return true
    }
    emptyLog(desk, isIdle: false, now: now)
    return false
  }

  /// Says whether it is empty; if not it is tried again like one in which something was deleted
  /// just now. No round of it is on its way.
  @discardableResult
  func emptyLog(_ desk: Desk, isIdle: Bool, now: Now) -> Bool {
    desk.mustEmptyLog = false
    desk.isLogWatched = false
    let isEmpty = checkpoint(desk, .truncate, isIdle: isIdle, now: now)
    if desk.blankedSince != nil { desk.blankedSince = isEmpty ? nil : now.instant }
    watchLog(desk)
    return isEmpty
  }

  @discardableResult
  private func checkpoint(
    _ desk: Desk, _ mode: CheckpointMode, isIdle: Bool = false, now: Now
  ) -> Bool {
    desk.lastCommit = now.instant
    // What was still to be cut goes with it.
    if desk.isBeingCut { desk.shrinking = nil }
    let start = Clock.instant()
    defer { metrics.checkpoints.add((Clock.instant() - start).nanoseconds) }
    do throws(StoreError) {
      let use: DiskRoom.Use = desk.blankedSince == nil ? .results : .deletion
      let isWhole = try withRoom(for: use) { () throws(StoreError) in
        try desk.file.checkpoint(mode)
      }
      guard isWhole, mode == .truncate, desk.rounds.isEmpty else { return isWhole }
      // SQLite has synced the log before it copied it: receipts too, which no barrier waits for.
      desk.file.markSynced()
      desk.synced = desk.commits
      desk.cutAt = desk.commits
      if isIdle { try noteFreePages(desk, from: now.instant) }
      return true
    } catch {
      metrics.checkpointErrors += 1
      _ = isFinal(error, desk)
      return false
    }
  }
}
