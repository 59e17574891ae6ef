/// When a workspace's file is looked through for what can go, and from where; pure.
///
/// By age it is looked through from its beginning to the first message that is too young, so that
/// no index is needed: at the time of the cut no more messages can have been unanswered than a
/// queue holds, and these are all that is read in vain. By size it goes on where it stopped last.
///
/// Where many come due, they go as evenly as they came, half a round at a time: the other half is
/// for those behind them that came early enough and ended too late, so that, where bodies are
/// small, one round sees to the end of what is due. Another would write the edge's pages again.
package struct RetentionSchedule: Sendable {
  package enum Sweep: Sendable, Equatable { case age, size }

  /// What is being looked through, in rounds.
  package private(set) var sweep: Sweep?
  package private(set) var cursor: Seq = 0
  /// Nothing happens before then.
  package private(set) var at: Instant
  /// The first message that is kept can go then, as far as it is known.
  package private(set) var dueAt: WallTime?
  /// The first key or tombstone can go then.
  package private(set) var expiryAt: WallTime?

  private let bounds: Bounds
  private var earliestEnd: WallTime?
  private var lastLook: Now
  private var lastLookCommits: UInt64 = 0
  private var began: Instant
  private var ended: Instant
  private var tally: Tally
  private var sizeCursor: Seq = 0
  /// By size it starts from its beginning again then: what was not received then may be now.
  private var sizeRestartAt: Instant
  /// It has been looked through from its beginning and keeps too much all the same.
  private var sizeRetryAt: Instant

  /// What a sweep has done so far.
  private struct Tally: Sendable {
    var deleted = 0
    /// Time for rounds that deleted nothing, and found more behind.
    var vain = Duration.zero
    var lastRound: Instant
  }

  /// The limits that count here; all of them are not carried with every workspace.
  private struct Bounds: Sendable {
    var retention: Duration
    var retentionEvery: Duration
    var retentionPause: Duration
    var retentionRetry: Duration
    var retentionRestart: Duration
    var retentionRowsMax: Int
  }

  /// - `oldest`: when the first message of the file came; nothing of it can have ended before.
  package init(_ limits: Limits, oldest: WallTime?, expiryAt: WallTime?, now: Now) {
    bounds = Bounds(
      retention: limits.retention, retentionEvery: limits.retentionEvery,
      retentionPause: limits.retentionPause, retentionRetry: limits.retentionRetry,
      retentionRestart: limits.retentionRestart, retentionRowsMax: limits.retentionRowsMax)
    at = now.instant
    lastLook = now
    began = now.instant
    ended = now.instant
    tally = Tally(lastRound: now.instant)
    sizeRetryAt = now.instant
    sizeRestartAt = now.instant
    dueAt = oldest.map { $0 + limits.retention }
    self.expiryAt = expiryAt
  }

  /// When there is something to do next. `commits`: of the file so far.
  ///
  /// A file that is closed is not opened to see how large it is, but for what is due.
  package func next(commits: UInt64, isOpen: Bool = true) -> Instant? {
    if sweep != nil { return isOpen ? at : at + bounds.retentionRetry }
    if commits != lastLookCommits {
      if isOpen { return at }
      let due = lastLook.wall + bounds.retention
      return max(at, lastLook.instant(at: min(firstDue ?? due, due)))
    }
    guard let due = firstDue else { return nil }
    return max(at, lastLook.instant(at: due))
  }

  private var firstDue: WallTime? {
    guard let dueAt, let expiryAt else { return dueAt ?? expiryAt }
    return min(dueAt, expiryAt)
  }

  /// It is time to look: says what to look for.
  package mutating func look(
    isOver: Bool, isTrusted: Bool, commits: UInt64, now: Now
  ) -> Sweep? {
    if sweep == .size, !isOver {
      end(now: now)
      return nil
    }
    if let sweep { return sweep }
    at = now.instant + bounds.retentionEvery
    if commits != lastLookCommits {
      // Whatever has ended since then can go no earlier.
      let earliest = lastLook.wall + bounds.retention
      dueAt = min(dueAt ?? earliest, earliest)
    }
    lastLook = now
    lastLookCommits = commits
    if isOver, sizeRetryAt <= now.instant {
      if sizeRestartAt <= now.instant { sizeCursor = 0 }
      if sizeCursor == 0 { sizeRestartAt = now.instant + bounds.retentionRestart }
      begin(.size, from: sizeCursor, now: now)
    } else if isTrusted, let dueAt, dueAt <= now.wall {
      begin(.age, from: 0, now: now)
    }
    return sweep
  }

  private mutating func begin(_ sweep: Sweep, from cursor: Seq, now: Now) {
    self.sweep = sweep
    self.cursor = cursor
    earliestEnd = nil
    tally = Tally(lastRound: now.instant)
    began = now.instant
  }

  /// A round has been carried out. `isBusy`: the relay has other work. `own`: the count of commits
  /// before it and after it.
  package mutating func did(_ plan: RetentionPlan, isBusy: Bool, own: Range<UInt64>, now: Now) {
    guard let sweep else { return }
    cursor = plan.cursor
    tally.deleted += plan.deleted.count
    if plan.deleted.isEmpty, !plan.isDone { tally.vain += now.instant - tally.lastRound }
    tally.lastRound = now.instant
    wrote(own)
    if let end = plan.earliestEnd { earliestEnd = min(earliestEnd ?? end, end) }
    at = isBusy ? now.instant + bounds.retentionPause : now.instant
    guard plan.isDone else { return }
    switch sweep {
    case .age: dueAt = earliestEnd.map { $0 + bounds.retention }
    case .size:
      // Once more from its beginning, or else a rest in proportion to the work.
      if sizeCursor == 0 {
        let rest = Duration.nanoseconds(50 * (now.instant - began).nanoseconds)
        sizeRetryAt = now.instant + max(bounds.retentionRetry, rest)
      }
      cursor = 0
    }
    end(now: now)
  }

  /// Keys and tombstones have been forgotten; the next ones can go at `next`.
  package mutating func didExpire(
    next: WallTime?, isBusy: Bool, own: Range<UInt64>, now: Now
  ) {
    expiryAt = next
    wrote(own)
    at = isBusy ? now.instant + bounds.retentionPause : now.instant
  }

  /// Retention's own commits say nothing new; all others do, also those between two rounds.
  package mutating func wrote(_ own: Range<UInt64>) {
    if lastLookCommits == own.lowerBound { lastLookCommits = own.upperBound }
  }

  /// A key has come, or a tombstone, which is forgotten then.
  package mutating func willExpire(at time: WallTime) { expiryAt = min(expiryAt ?? time, time) }

  /// A round was refused: the disk is full.
  package mutating func refused(now: Now) {
    at = now.instant + bounds.retentionEvery
    // That is no time spent on looking.
    began = now.instant
    tally.lastRound = now.instant
  }

  private mutating func end(now: Now) {
    if sweep == .size { sizeCursor = cursor }
    sweep = nil
    at = now.instant + untilHalfRound(now)
    ended = now.instant
  }

  /// How long it takes for half a round to come due, at the pace since the last sweep; longer after
  /// a sweep that read past much that stays.
  private func untilHalfRound(_ now: Now) -> Duration {
    let every = bounds.retentionEvery
    let vain = Duration.nanoseconds(10 * min(tally.vain, every).nanoseconds)
    guard tally.deleted > 0 else { return max(every, vain) }
    let each = min(every.nanoseconds, (now.instant - ended).nanoseconds / Int64(tally.deleted))
    let time = Duration.nanoseconds(each * Int64(bounds.retentionRowsMax / 2))
    return max(bounds.retentionPause, min(time, every), vain)
  }
}
