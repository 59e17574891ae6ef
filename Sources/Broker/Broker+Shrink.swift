import Relay
import Store
import System

/// How an idle file gives its free pages back.
struct Shrinking {
  enum Step {
    case wanted
    /// What the file holds stands in its log once more; when that is durable, its end is cut.
    case written
  }

  var step = Step.wanted
  /// Nothing happens before then.
  var at: Instant
  /// Callers are let go first until then.
  var patience: Instant
  /// When it is wanted, anything that is written ends it; later it has to be durable.
  var commits: UInt64
}

/// What is free in an idle file is given back in steps, each of them short for whoever else waits:
///
/// 1. What the file holds is written once more, into its log, in a transaction of its own.
/// 2. A barrier covers that. What lies behind the new end is dead then, whatever happens.
/// 3. It is cut off a piece at a time: to free a MiB takes a file system about a millisecond.
/// 4. The log is copied into the file. A checkpoint that comes before that cuts the rest at one go:
///    at a stop, after a crash, or when something else is written that fills the log.
extension Broker {
  /// Asked when the file is opened, and when its log has been emptied because it is idle.
  func noteFreePages(_ desk: Desk, from at: Instant) throws(StoreError) {
    desk.shrinking = nil
    let (free, used) = (try desk.file.freePages(), try desk.file.usedPages())
    guard isDiskLow ? diskGuard.mayShrink(free: free, used: used) : free > limits.freePagesMax,
      used <= (isDiskLow ? limits.shrinkPagesLowMax : limits.shrinkPagesMax)
    else { return }
    desk.shrinking = Shrinking(at: at, patience: at + limits.shrinkPatience, commits: desk.commits)
    // Nothing else of it may come due for days.
    retaining.insert(desk.id)
  }

  func shrink(_ desk: Desk, now: Now) {
    guard let shrinking = desk.shrinking, !isShuttingDown else {
      desk.shrinking = nil
      return
    }
    switch shrinking.step {
    case .wanted:
      let isBusy = !inRound.isEmpty && now.instant < shrinking.patience
      if isBusy || now.instant < nextShrink || !desk.rounds.isEmpty {
        desk.shrinking?.at = max(nextShrink, now.instant + limits.pendingRetry)
      } else {
        // One workspace after the other.
        nextShrink = now.instant + limits.retentionEvery
        writeOnceMore(desk, now: now)
      }
    case .written:
      let start = Clock.instant()
      do throws(StoreError) {
        if try desk.file.cutTail(bytes: limits.shrinkCutBytes) {
          let took = Clock.instant() - start
          desk.shrinking?.at = now.instant + took + max(limits.retentionPause, took)
          return
        }
      } catch {
        // The checkpoint does it, or meets the same error.
        notShrunk(desk, error)
      }
      desk.shrinking = nil
      // Until then the file is nothing without its log.
      if desk.rounds.isEmpty { emptyLog(desk, isIdle: false, now: now) }
    }
  }

  private func notShrunk(_ desk: Desk, _ error: StoreError) {
    repeatedLog.warning("workspace_not_shrunk", workspace: desk.id, error.description)
  }

  private func writeOnceMore(_ desk: Desk, now: Now) {
    let start = Clock.instant()
    do throws(StoreError) {
      let (free, used) = (try desk.file.freePages(), try desk.file.usedPages())
      let before = desk.commits
      try desk.file.shrink()
      desk.commits += 1
      desk.lastCommit = now.instant
      desk.retention.wrote(before..<desk.commits)
      desk.shrinking?.step = .written
      desk.shrinking?.commits = desk.commits
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
      if !isFinal(error, desk), desk.rounds.isEmpty { emptyLog(desk, isIdle: false, now: now) }
    }
  }
}

extension Desk {
  /// The next step of making its file smaller.
  var shrinkDue: Instant? {
    guard isOpen, let shrinking else { return nil }
    let isDue =
      switch shrinking.step {
      case .wanted: commits == shrinking.commits
      case .written: synced >= shrinking.commits
      }
    return isDue ? shrinking.at : nil
  }

  /// A checkpoint would cut its file at one go, and can wait for that.
  var isBeingCut: Bool { shrinking?.step == .written }
}
