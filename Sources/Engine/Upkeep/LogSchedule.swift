import Relay

/// Decides when the write-ahead log of one workspace is emptied; it touches no file.
///
/// A checkpoint leaves the bytes in the log: deleted content is gone from the disk only when the
/// log is emptied. The log is emptied when nothing was written for `walIdle`, and at most
/// `walErasedMax` after content was deleted, but never while a commit round of the file waits for
/// its barrier.
struct LogSchedule {
  /// The state of the file when the log is due.
  struct File {
    /// Whether the file is open, without a final error.
    var isUsable: Bool
    /// The number of transactions committed so far.
    var commits: UInt64
    /// Whether a commit round of the file waits for its barrier.
    var hasRounds: Bool
    /// Whether a barrier runs, for this file or another.
    var isBarrierBusy: Bool
  }

  enum Step: Equatable {
    /// Nothing is due until something is written.
    case rest
    /// The log is due again at this instant.
    case later(Instant)
    /// The log is emptied as soon as no commit round of the file waits for its barrier.
    case afterRounds
    /// The log is emptied now. `isIdle`: nothing was written for `walIdle`.
    case empty(isIdle: Bool)
  }

  /// The instant of the last write or copy of the log.
  private var lastUse = Instant(nanoseconds: 0)
  /// The number of commits after which the log was empty.
  private var emptyAfter: UInt64 = 0
  /// Whether the next commit deletes content.
  private var isErasing = false
  /// The instant since which deleted content has been in the log.
  private var erasedSince: Instant?
  /// Whether a time is set at which the log is due.
  private var isWatched = false
  /// Whether the log is emptied as soon as no commit round of the file waits for its barrier.
  /// Nothing is committed before that.
  private(set) var mustBeEmptied = false

  /// Whether the log contains deleted content.
  var holdsErased: Bool { erasedSince != nil }

  // MARK: commits

  /// Notes that the next commit deletes content.
  mutating func willErase() { isErasing = true }

  /// Notes that a transaction was committed or the log was copied.
  mutating func used(at now: Instant) { lastUse = now }

  /// Checks the log after a commit. Returns whether the caller has to set the time at which it is
  /// due.
  mutating func watch(commits: UInt64, isUsable: Bool) -> Bool {
    if isErasing {
      isErasing = false
      if erasedSince == nil { erasedSince = lastUse }
    }
    guard isUsable, !isWatched, emptyAfter != commits else { return false }
    isWatched = true
    return true
  }

  /// Returns the instant at which the log is due.
  func due(_ limits: Limits) -> Instant {
    let idle = lastUse + limits.walIdle
    return erasedSince.map { min(idle, $0 + limits.walErasedMax) } ?? idle
  }

  // MARK: emptying

  /// Decides what to do with a log that is due.
  mutating func step(_ file: File, now: Instant, _ limits: Limits) -> Step {
    guard file.isUsable, isWatched, emptyAfter != file.commits else {
      isWatched = false
      return .rest
    }
    let due = due(limits)
    if due > now { return .later(due) }
    // Emptying would free only the log's space, and callers wait for the barrier.
    if !holdsErased, file.isBarrierBusy { return .later(now + limits.pendingRetry) }
    if file.hasRounds {
      mustBeEmptied = true
      return .afterRounds
    }
    return .empty(isIdle: lastUse + limits.walIdle <= now)
  }

  /// Notes that the log is about to be emptied.
  mutating func willBeEmptied() {
    mustBeEmptied = false
    isWatched = false
  }

  /// Notes that the log is empty after this many commits.
  mutating func isEmpty(after commits: UInt64) { emptyAfter = commits }

  /// Notes whether the log was emptied. A log that could not be is tried again as if content had
  /// been deleted now.
  mutating func wasEmptied(_ isEmpty: Bool, now: Instant) {
    if holdsErased { erasedSince = isEmpty ? nil : now }
  }

  /// Forgets the schedule of a file that was closed.
  mutating func closed() {
    isWatched = false
    mustBeEmptied = false
  }
}
