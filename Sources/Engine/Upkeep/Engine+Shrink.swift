import Relay
import Store
import System

/// Gives the free pages of idle files back, as each workspace's `Shrinking` says.
extension Engine {
  /// Notes whether the file is to be made smaller: when it is opened, and when its log was emptied
  /// because it is idle.
  func noteFreePages(_ desk: Desk, from at: Instant) throws(StoreError) {
    desk.shrinking = nil
    let (free, used) = (try desk.file.freePages(), try desk.file.usedPages())
    guard
      Shrinking.pays(
        free: free, used: used, isDiskLow: isDiskLow, hasRoom: diskGuard.hasRoom(forLogOf: used),
        limits)
    else { return }
    desk.shrinking = Shrinking(from: at, commits: desk.transaction.commits, limits)
    // Nothing else of it may come due for days.
    retentionTurns.add(desk.id)
  }

  func shrink(_ desk: Desk, now: Now) {
    guard !isShuttingDown else {
      desk.shrinking = nil
      return
    }
    let action = desk.shrinking?.step(
      now: now.instant, isBarrierBusy: !rounds.isEmpty,
      hasRounds: !desk.transaction.rounds.isEmpty,
      notBefore: retentionTurns.shrinksFrom, limits)
    switch action {
    case .wait, nil: break
    case .rewrite:
      retentionTurns.shrinks(now: now.instant)
      writeOnceMore(desk, now: now)
    case .cut: cutTail(desk, now: now)
    }
  }

  private func cutTail(_ desk: Desk, now: Now) {
    let start = Clock.instant()
    do throws(StoreError) {
      if try desk.file.cutTail(bytes: limits.shrinkCutBytes) {
        desk.shrinking?.didCut(now: now.instant, took: Clock.instant() - start, limits)
        return
      }
    } catch {
      // The checkpoint does it, or meets the same error.
      notShrunk(desk, error)
    }
    desk.shrinking = nil
    // Until then the file is nothing without its log.
    if desk.transaction.rounds.isEmpty { emptyLog(desk, isIdle: false, now: now) }
  }

  private func notShrunk(_ desk: Desk, _ error: StoreError) {
    repeatedLog.warning("workspace_not_shrunk", workspace: desk.id, error.description)
  }

  private func writeOnceMore(_ desk: Desk, now: Now) {
    let start = Clock.instant()
    do throws(StoreError) {
      let (free, used) = (try desk.file.freePages(), try desk.file.usedPages())
      let before = desk.transaction.commits
      try desk.file.shrink()
      desk.transaction.committedBeside()
      desk.log.used(at: now.instant)
      desk.retention.wrote(before..<desk.transaction.commits)
      desk.shrinking?.rewrote(commits: desk.transaction.commits)
      desk.wantsSync = true
      touch(desk)
      log.info(
        "workspace_shrunk",
        [
          "workspace": .text(desk.id.text), "free_pages": .number(Int64(free)),
          "used_pages": .number(Int64(used)),
          "ms": .number((Clock.instant() - start).nanoseconds / 1_000_000),
        ])
    } catch {
      // Nothing has changed. What it needs of the disk for that is not worth the reserve; it is
      // tried again when the file has been idle once more.
      desk.shrinking = nil
      notShrunk(desk, error)
      if !isFinal(error, desk), desk.transaction.rounds.isEmpty {
        emptyLog(desk, isIdle: false, now: now)
      }
    }
  }
}

extension Desk {
  /// When the next step of making its file smaller is due.
  var shrinkDue: Instant? {
    isOpen ? shrinking?.next(commits: transaction.commits, synced: transaction.synced) : nil
  }

  /// The end of its file is being cut: a checkpoint would cut it at one go, and can wait.
  var isBeingCut: Bool { shrinking?.stage == .written }
}
