package import Relay
import Store
import System

/// Copies write-ahead logs into their files, as `LogCare` and each workspace's `LogSchedule` say.
extension Engine {
  /// Makes at most one checkpoint a turn, after the turn's barrier has been asked for. Several
  /// checkpoints would stall the loop for as many times 10 ms. A turn without one is retention's.
  package func maintain(now: Now) {
    guard fatal == nil else { return }
    let longest = logCare.longest(isBarrierBusy: !rounds.isEmpty) { id in
      guard let desk = desks[id], desk.failure == nil, desk.isOpen else { return nil }
      return LogCare.LongLog(pages: desk.file.walPages, isBeingCut: desk.isBeingCut)
    }
    // A checkpoint that fails, on a full disk, must not keep what frees space from its turn.
    if let longest, let desk = desks[longest], checkpoint(desk, .passive, now: now) { return }
    if emptyDueLog(now: now) { return }
    retain(now: now)
  }

  /// Notes after a commit how long the log is, and when it comes due.
  func watchLog(_ desk: Desk) {
    let isUsable = desk.isOpen && desk.failure == nil
    let isNew = desk.log.watch(commits: desk.transaction.commits, isUsable: isUsable)
    guard isUsable else { return }
    if logCare.isLong(desk.file.walPages) { logCare.noteLong(desk.id) }
    if isNew { logCare.watch(desk.id, at: desk.log.due(limits)) }
  }

  /// Empties the first log that can be emptied of those that are due. Says whether there was one.
  private func emptyDueLog(now: Now) -> Bool {
    while let id = logCare.popDue(now.instant) {
      guard let desk = desks[id] else { continue }
      let file = LogSchedule.File(
        isUsable: desk.isOpen && desk.failure == nil, commits: desk.transaction.commits,
        hasRounds: !desk.transaction.rounds.isEmpty, isBarrierBusy: !rounds.isEmpty)
      switch desk.log.step(file, now: now.instant, limits) {
      case .rest, .afterRounds: break
      case .later(let at): logCare.watch(id, at: at)
      case .empty(let isIdle):
        emptyLog(desk, isIdle: isIdle, now: now)
        return true
      }
    }
    return false
  }

  /// Says, at the end of a turn, whether the transaction of a workspace waits until its log is
  /// empty. Under load a round of it is on its way at every moment, unless the next one waits for
  /// the last.
  func waitsForEmptyLog(_ desk: Desk, now: Now) -> Bool {
    guard desk.log.mustBeEmptied, desk.failure == nil, desk.isOpen else { return false }
    guard desk.transaction.rounds.isEmpty else {
      // The barrier's report is a turn; this is for its being late.
      desk.blockedUntil = now.instant + limits.pendingRetry
      touch(desk)
      return true
    }
    emptyLog(desk, isIdle: false, now: now)
    return false
  }

  /// Empties the log of a workspace of which no round is on its way. Says whether it is empty.
  @discardableResult
  func emptyLog(_ desk: Desk, isIdle: Bool, now: Now) -> Bool {
    desk.log.willBeEmptied()
    let isEmpty = checkpoint(desk, .truncate, isIdle: isIdle, now: now)
    desk.log.wasEmptied(isEmpty, now: now.instant)
    watchLog(desk)
    return isEmpty
  }

  @discardableResult
  private func checkpoint(
    _ desk: Desk, _ mode: CheckpointMode, isIdle: Bool = false, now: Now
  ) -> Bool {
    desk.log.used(at: now.instant)
    // What was still to be cut goes with it.
    if desk.isBeingCut { desk.shrinking = nil }
    let start = Clock.instant()
    defer { metrics.checkpoints.add((Clock.instant() - start).nanoseconds) }
    do throws(StoreError) {
      let use: DiskRoom.Use = desk.log.holdsErased ? .deletion : .results
      let isWhole = try withRoom(for: use) { () throws(StoreError) in
        try desk.file.checkpoint(mode)
      }
      guard isWhole, mode == .truncate, desk.transaction.rounds.isEmpty else { return isWhole }
      // SQLite has synced the log before it copied it: receipts too, which no barrier waits for.
      desk.file.markSynced()
      desk.transaction.passedAll()
      desk.log.isEmpty(after: desk.transaction.commits)
      if isIdle { try noteFreePages(desk, from: now.instant) }
      return true
    } catch {
      metrics.checkpointErrors += 1
      _ = isFinal(error, desk)
      return false
    }
  }
}
