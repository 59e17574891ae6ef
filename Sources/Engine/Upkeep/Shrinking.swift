import Relay

/// Decides when an idle file gives its free pages back; it touches no file.
///
/// The file shrinks in short steps, so that nobody waits long:
///
/// 1. The content of the file is written once more, into its log, in a transaction of its own.
/// 2. A barrier covers that transaction. From then on the content behind the new end is dead.
/// 3. The dead end is cut off in pieces: a file system frees a MiB in about a millisecond.
/// 4. The log is copied into the file. An earlier checkpoint (at a stop, after a crash, or when
///    other writes fill the log) cuts the rest in one step.
struct Shrinking {
  enum Stage {
    case wanted
    /// The content stands in the log once more; when that is durable, the end of the file is cut.
    case written
  }

  enum Action: Equatable { case wait, rewrite, cut }

  private(set) var stage = Stage.wanted
  /// The earliest instant of the next step.
  private var at: Instant
  /// The instant until which callers' work goes first.
  private let patience: Instant
  /// The number of commits at the last step. Before the content is written, any other commit ends
  /// the shrinking; after that, this commit has to be durable.
  private var commits: UInt64

  /// Plans to shrink a file, not before `at`.
  ///
  /// - `commits`: the number of commits of the file so far.
  init(from at: Instant, commits: UInt64, _ limits: Limits) {
    self.at = at
    patience = at + limits.shrinkPatience
    self.commits = commits
  }

  /// Returns whether shrinking a file of this size is worth it: when it is nearly empty or, on a
  /// low disk, when other workspaces need its free pages.
  ///
  /// - `hasRoom`: the disk has room for a log of the file's whole content.
  static func pays(
    free: Int, used: Int, isDiskLow: Bool, hasRoom: Bool, _ limits: Limits
  ) -> Bool {
    guard isDiskLow else { return free > limits.freePagesMax && used <= limits.shrinkPagesMax }
    return free > used / 4 + Limits.freePagesLowMax && hasRoom && used <= limits.shrinkPagesLowMax
  }

  /// Returns the instant of the next step; `nil` while something else has to happen first.
  func next(commits: UInt64, synced: UInt64) -> Instant? {
    switch stage {
    case .wanted: commits == self.commits ? at : nil
    case .written: synced >= self.commits ? at : nil
    }
  }

  /// Returns the next step.
  ///
  /// - `free`: the earliest instant at which another file may be rewritten.
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

  /// Notes that the content was committed once more, as the last of this many commits.
  mutating func rewrote(commits: UInt64) {
    stage = .written
    self.commits = commits
  }

  /// Notes that a piece was cut off and more is left. The pause is at least as long as the cut
  /// took.
  mutating func didCut(now: Instant, took: Duration, _ limits: Limits) {
    at = now + took + max(limits.retentionPause, took)
  }
}
