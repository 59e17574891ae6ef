/// The times at which retention reads a workspace's file, and the places where it begins.
///
/// By age it reads from the beginning of the file to the first message that is too young, so that
/// no index is needed. At that moment no more messages can be unanswered than a queue holds, and
/// only those are read in vain. By size it goes on where it last stopped.
///
/// Where many messages come due, they are deleted as evenly as they came, half a round at a time.
/// The other half is for later messages that came early enough but ended too late, so that one
/// round reaches the end of the due messages where bodies are small. Another round would write the
/// pages at the edge again.
package struct RetentionSchedule: Sendable {
  package enum Sweep: Sendable, Equatable { case age, size }

  /// The current sweep, which reads the file in rounds.
  package private(set) var sweep: Sweep?
  package private(set) var cursor: Seq = 0
  /// Retention does nothing before this time.
  package private(set) var at: Instant
  /// When the first message that is kept can be deleted, as far as it is known.
  package private(set) var dueAt: WallTime?
  /// When the first key or tombstone can be deleted.
  package private(set) var expiryAt: WallTime?

  private let bounds: Bounds
  private var earliestEnd: WallTime?
  private var lastLook: Now
  private var lastLookCommits: UInt64 = 0
  private var began: Instant
  private var ended: Instant
  private var tally: Tally
  private var sizeCursor: Seq = 0
  /// When retention by size starts again from the beginning of the file: messages that were not
  /// received the last time may be by then.
  private var sizeRestartAt: Instant
  /// When the file is read again after it was read from the beginning and still keeps too much.
  private var sizeRetryAt: Instant

  /// The work of a sweep so far.
  private struct Tally: Sendable {
    var deleted = 0
    /// Time spent on rounds that deleted nothing and found more messages behind.
    var vain = Duration.zero
    var lastRound: Instant
  }

  /// The limits that retention uses: a copy of all limits in every workspace would take memory.
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

  /// Returns when there is something to do next. `commits`: the commits of the file so far.
  ///
  /// A closed file is opened if messages in it are due, but not to see how large it is.
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

  /// The time has come: returns the sweep that begins or goes on; `nil` if there is nothing to do.
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
      // Messages that have ended since the last look are deleted no earlier.
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

  /// Counts the commits of retention itself, which say nothing new; all others do, even those
  /// between two rounds.
  package mutating func wrote(_ own: Range<UInt64>) {
    if lastLookCommits == own.lowerBound { lastLookCommits = own.upperBound }
  }

  /// A key or a tombstone was added, and is deleted at `time`.
  package mutating func willExpire(at time: WallTime) { expiryAt = min(expiryAt ?? time, time) }

  /// A round was refused: the disk is full.
  package mutating func refused(now: Now) {
    at = now.instant + bounds.retentionEvery
    // A refused round counts as no time spent on reading.
    began = now.instant
    tally.lastRound = now.instant
  }

  private mutating func end(now: Now) {
    if sweep == .size { sizeCursor = cursor }
    sweep = nil
    at = now.instant + untilHalfRound(now)
    ended = now.instant
  }

  /// Returns the time in which half a round comes due, at the pace since the last sweep; longer
  /// after a sweep that read past many messages that stay.
  private func untilHalfRound(_ now: Now) -> Duration {
    let every = bounds.retentionEvery
    let vain = Duration.nanoseconds(10 * min(tally.vain, every).nanoseconds)
    guard tally.deleted > 0 else { return max(every, vain) }
    let each = min(every.nanoseconds, (now.instant - ended).nanoseconds / Int64(tally.deleted))
    let time = Duration.nanoseconds(each * Int64(bounds.retentionRowsMax / 2))
    return max(bounds.retentionPause, min(time, every), vain)
  }
}
