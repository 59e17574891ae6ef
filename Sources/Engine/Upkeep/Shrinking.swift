import Relay

/// Decides when an idle file gives its free pages back; it touches no file.
///
/// What is free is given back in steps, each of them short for whoever else waits:
///
/// 1. What the file holds is written once more, into its log, in a transaction of its own.
/// 2. A barrier covers that. What lies behind the new end is dead then, whatever happens.
/// 3. It is cut off a piece at a time: to free a MiB takes a file system about a millisecond.
/// 4. The log is copied into the file. A checkpoint that comes before that cuts the rest at one go:
///    at a stop, after a crash, or when something else is written that fills the log.
struct Shrinking {
  enum Stage {
    case wanted
    /// What the file holds stands in its log once more; when that is durable, its end is cut.
    case written
  }

  enum Action: Equatable { case wait, rewrite, cut }

  private(set) var stage = Stage.wanted
  /// Nothing happens before then.
  private var at: Instant
  /// Callers are let go first until then.
  private let patience: Instant
  /// While it is wanted, anything that is written ends it; later it has to be durable.
  private var commits: UInt64

  /// Shrinking is wanted, and nothing happens before `at`. `commits`: of the file so far.
  init(from at: Instant, commits: UInt64, _ limits: Limits) {
    self.at = at
    patience = at + limits.shrinkPatience
    self.commits = commits
  }

  /// Says whether a file with so many pages is worth it: when it is nearly empty, and on a low disk
  /// already when others need what is free in it. `hasRoom`: the disk has room for a log of all
  /// that the file holds.
  static func pays(
    free: Int, used: Int, isDiskLow: Bool, hasRoom: Bool, _ limits: Limits
  ) -> Bool {
    guard isDiskLow else { return free > limits.freePagesMax && used <= limits.shrinkPagesMax }
    return free > used / 4 + Limits.freePagesLowMax && hasRoom && used <= limits.shrinkPagesLowMax
  }

  /// When the next step is due; `nil` as long as something else has to happen before.
  func next(commits: UInt64, synced: UInt64) -> Instant? {
    switch stage {
    case .wanted: commits == self.commits ? at : nil
    case .written: synced >= self.commits ? at : nil
    }
  }

  /// Takes the next step. One file is written once more after the other: no other one before
  /// `free`.
  mutating func step(
    now: Instant, isBarrierBusy: Bool, hasRounds: Bool, notBefore free: Instant, _ limits: Limits
  ) -> Action {
    guard stage == .wanted else { return .cut }
    let isPatient = isBarrierBusy && now < patience
    guard !isPatient, free <= now, !hasRounds else {
      at = max(free, now + limits.pendingRetry)
      return .wait
    }
    return .rewrite
  }

  /// All that the file holds was committed once more, as the last of so many commits.
  mutating func rewrote(commits: UInt64) {
    stage = .written
    self.commits = commits
  }

  /// A piece was cut off, and more is left: a pause is at least as long as that took.
  mutating func didCut(now: Instant, took: Duration, _ limits: Limits) {
    at = now + took + max(limits.retentionPause, took)
  }
}
