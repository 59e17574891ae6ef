import Relay

/// Decides when the write-ahead log of one workspace is emptied; it touches no file.
///
/// A checkpoint leaves the bytes of the log where they are: content that was deleted is gone from
/// the disk only when the log is emptied. That happens when nothing was written for `walIdle`, and
/// at most `walErasedMax` after content was deleted, but never while a round of the file is on its
/// way.
struct LogSchedule {
  /// What the file looks like when the log comes due.
  struct File {
    /// It is open, and no final error has closed it.
    var isUsable: Bool
    /// Transactions committed so far.
    var commits: UInt64
    /// A round of it is on its way.
    var hasRounds: Bool
    /// A barrier is at work, for this file or another.
    var isBarrierBusy: Bool
  }

  enum Step: Equatable {
    /// Nothing is to be done until something is written.
    case rest
    /// The log comes due again then.
    case later(Instant)
    /// The log is emptied as soon as no round of the file is on its way.
    case afterRounds
    /// The log is emptied now. `isIdle`: nothing was written for `walIdle`.
    case empty(isIdle: Bool)
  }

  /// When the log was written or copied last.
  private var lastUse = Instant(nanoseconds: 0)
  /// The number of commits after which the log was empty.
  private var emptyAfter: UInt64 = 0
  /// The next commit deletes content.
  private var isErasing = false
  /// Since when content that was deleted stands in the log.
  private var erasedSince: Instant?
  /// A time is set at which the log comes due.
  private var isWatched = false
  /// The log is emptied as soon as no round of the file is on its way: until then nothing is
  /// committed.
  private(set) var mustBeEmptied = false

  /// Content that was deleted stands in the log.
  var holdsErased: Bool { erasedSince != nil }

  // MARK: commits

  /// The next commit deletes content.
  mutating func willErase() { isErasing = true }

  /// A transaction was committed, or the log was copied.
  mutating func used(at now: Instant) { lastUse = now }

  /// Looks at the log after a commit. Says whether a time has to be set at which the log comes due.
  mutating func watch(commits: UInt64, isUsable: Bool) -> Bool {
    if isErasing {
      isErasing = false
      if erasedSince == nil { erasedSince = lastUse }
    }
    guard isUsable, !isWatched, emptyAfter != commits else { return false }
    isWatched = true
    return true
  }

  /// When the log comes due.
  func due(_ limits: Limits) -> Instant {
    let idle = lastUse + limits.walIdle
    return erasedSince.map { min(idle, $0 + limits.walErasedMax) } ?? idle
  }

  // MARK: emptying

  /// The log has come due.
  mutating func step(_ file: File, now: Instant, _ limits: Limits) -> Step {
    guard file.isUsable, isWatched, emptyAfter != file.commits else {
      isWatched = false
      return .rest
    }
    let due = due(limits)
    if due > now { return .later(due) }
    // Only the space of the log would be gained, and callers wait.
    if !holdsErased, file.isBarrierBusy { return .later(now + limits.pendingRetry) }
    if file.hasRounds {
      mustBeEmptied = true
      return .afterRounds
    }
    return .empty(isIdle: lastUse + limits.walIdle <= now)
  }

  /// The log is about to be emptied.
  mutating func willBeEmptied() {
    mustBeEmptied = false
    isWatched = false
  }

  /// The log is empty, after so many commits.
  mutating func isEmpty(after commits: UInt64) { emptyAfter = commits }

  /// The log was emptied, or could not be: then it is tried again like a log in which content was
  /// deleted just now.
  mutating func wasEmptied(_ isEmpty: Bool, now: Instant) {
    if holdsErased { erasedSince = isEmpty ? nil : now }
  }

  /// The file was closed.
  mutating func closed() {
    isWatched = false
    mustBeEmptied = false
  }
}
