import Relay
import Store
import System

/// Gives the free pages of idle files back, as the workspace's `Shrinking` decides.
extension WorkspaceUpkeep {
  /// The instant of the next step of shrinking.
  var shrinkDue: Instant? {
    guard workspace.isOpen else { return nil }
    return workspace.care.shrinking?.next(
      commits: workspace.transaction.commits, synced: workspace.transaction.synced)
  }

  /// Whether the end of the file is being cut. A checkpoint would cut the rest in one step, and can
  /// wait.
  var isBeingCut: Bool { workspace.care.shrinking?.stage == .written }

  /// Plans to shrink the file if it has many free pages. Called when the file is opened, and when
  /// its log was emptied because it was idle.
  func noteFreePages(from at: Instant) throws(StoreError) {
    workspace.care.shrinking = nil
    let (free, used) = (try workspace.file.freePages(), try workspace.file.usedPages())
    guard
      Shrinking.pays(
        free: free, used: used, isDiskLow: disk.isLow, hasRoom: disk.hasRoom(forLogOf: used),
        limits)
    else { return }
    workspace.care.shrinking = Shrinking(from: at, commits: workspace.transaction.commits, limits)
    // No other timer of the workspace may be due for days.
    services.upkeep.addToRetention(workspace.id)
  }

  func shrink(now: Now) {
    guard !process.isShuttingDown else {
      workspace.care.shrinking = nil
      return
    }
    let action = workspace.care.shrinking?.step(
      now: now.instant, isBarrierBusy: commits.isBarrierBusy,
      hasRounds: !workspace.transaction.rounds.isEmpty,
      notBefore: services.upkeep.retention.shrinksFrom, limits)
    switch action {
    case .wait, nil: break
    case .rewrite:
      services.upkeep.shrinks(now: now.instant)
      writeOnceMore(now: now)
    case .cut: cutTail(now: now)
    }
  }

  private func cutTail(now: Now) {
    let start = Clock.instant()
    do throws(StoreError) {
      if try workspace.file.cutTail(bytes: limits.shrinkCutBytes) {
        workspace.care.shrinking?.didCut(now: now.instant, took: Clock.instant() - start, limits)
        return
      }
    } catch {
      // The checkpoint cuts the end, or meets the same error.
      notShrunk(error)
    }
    workspace.care.shrinking = nil
    // Until the log is copied, the file is unusable without it.
    if workspace.transaction.rounds.isEmpty { emptyLog(isIdle: false, now: now) }
  }

  private func notShrunk(_ error: StoreError) {
    repeatedLog.warning("workspace_not_shrunk", workspace: workspace.id, error.description)
  }

  private func writeOnceMore(now: Now) {
    let start = Clock.instant()
    do throws(StoreError) {
      let (free, used) = (try workspace.file.freePages(), try workspace.file.usedPages())
      let before = workspace.transaction.commits
      try workspace.file.shrink()
      workspace.transaction.committedBeside()
      workspace.care.log.used(at: now.instant)
      workspace.care.retention.wrote(before..<workspace.transaction.commits)
      workspace.care.shrinking?.rewrote(commits: workspace.transaction.commits)
      workspace.turn.wantsSync = true
      workspace.touch()
      log.info(
        "workspace_shrunk",
        [
          "workspace": .text(workspace.id.text), "free_pages": .number(Int64(free)),
          "used_pages": .number(Int64(used)),
          "ms": .number((Clock.instant() - start).nanoseconds / 1_000_000),
        ])
    } catch {
      // Nothing has changed. Shrinking is not worth the reserve; it is tried again when the file
      // has been idle once more.
      workspace.care.shrinking = nil
      notShrunk(error)
      if !workspace.isFinal(error), workspace.transaction.rounds.isEmpty {
        emptyLog(isIdle: false, now: now)
      }
    }
  }
}
