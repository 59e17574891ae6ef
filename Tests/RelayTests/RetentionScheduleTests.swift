import Testing

@testable import Relay

/// When a file is looked through, and from where.
@Suite struct RetentionScheduleTests {
  private let limits = Limits()
  private var now = Now(
    instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1 << 60))

  private func later(_ duration: Duration) -> Now {
    Now(instant: now.instant + duration, wall: now.wall + duration)
  }

  private func plan(
    cursor: Seq, isDone: Bool, earliestEnd: WallTime? = nil, deleted: [Seq] = []
  ) -> RetentionPlan {
    var plan = RetentionPlan(
      KeptSlice(), after: cursor, RetentionPlan.Rule(endedBy: nil, isOver: false), rowsMax: 1,
      bytesMax: 1)
    plan.isDone = isDone
    plan.earliestEnd = earliestEnd
    plan.deleted = deleted
    return plan
  }

  /// A schedule of a file that was empty when it was opened.
  private func rested() -> RetentionSchedule {
    RetentionSchedule(limits, oldest: nil, expiryAt: nil, now: now)
  }

  /// One that has looked through a file, and found a message of that age.
  private func opened(_ age: Duration) -> RetentionSchedule {
    RetentionSchedule(limits, oldest: now.wall + (.zero - age), expiryAt: nil, now: now)
  }

  @Test func `a file is looked through when its first message may be due`() {
    var schedule = opened(limits.retention - .seconds(9))
    #expect(schedule.next(commits: 0) == now.instant + .seconds(9))
    #expect(schedule.next(commits: 0, isOpen: false) == now.instant + .seconds(9))
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: now) == nil)
    let then = later(.seconds(9))
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: then) == .age)
    schedule.did(plan(cursor: 500, isDone: false), isBusy: true, own: 0..<1, now: then)
    #expect(schedule.next(commits: 1) == then.instant + limits.retentionPause)
    #expect(schedule.cursor == 500)
    schedule.did(plan(cursor: 600, isDone: false), isBusy: false, own: 1..<2, now: then)
    #expect(schedule.next(commits: 2) == then.instant)
    #expect(schedule.next(commits: 2, isOpen: false) == then.instant + limits.retentionRetry)
  }

  @Test func `an empty file rests until something is written`() {
    var schedule = rested()
    #expect(schedule.next(commits: 0) == nil)
    let then = later(.seconds(5))
    #expect(schedule.next(commits: 1) != nil)
    // A closed file is not opened to see how large it is.
    #expect(schedule.next(commits: 1, isOpen: false) == now.instant + limits.retention)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 1, now: then) == nil)
    // It cannot have ended before the last look.
    #expect(schedule.dueAt == now.wall + limits.retention)
    #expect(schedule.next(commits: 1) == now.instant + limits.retention)
  }

  @Test func `the next look is when the first message that was kept can go`() {
    var schedule = opened(limits.retention)
    _ = schedule.look(isOver: false, isTrusted: true, commits: 0, now: now)
    let end = now.wall + (.zero - .seconds(60))
    schedule.did(
      plan(cursor: 9, isDone: true, earliestEnd: end), isBusy: false, own: 0..<0, now: now)
    #expect(schedule.dueAt == end + limits.retention)
    #expect(schedule.sweep == nil)
    let due = later(limits.retention)
    #expect(schedule.look(isOver: false, isTrusted: false, commits: 0, now: due) == nil)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: due) == .age)
    #expect(schedule.cursor == 0)
  }

  @Test func `messages go as evenly as they came, a full round at a time`() {
    /// The rest after a sweep that began `before` its end, a second after the last one's.
    func rest(deleted: Int, before: Duration = .zero) -> Duration? {
      var schedule = opened(limits.retention)
      let end = later(.seconds(1))
      let begin = Now(
        instant: end.instant + (.zero - before), wall: end.wall + (.zero - before))
      #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: begin) == .age)
      schedule.did(
        plan(cursor: 9, isDone: true, earliestEnd: now.wall, deleted: Array(0..<Int64(deleted))),
        isBusy: true, own: 0..<1, now: end)
      #expect(schedule.sweep == nil)
      return schedule.next(commits: 2).map { $0 - end.instant }
    }
    let round = limits.retentionRowsMax
    #expect(rest(deleted: 0) == limits.retentionEvery)
    #expect(rest(deleted: 1) == limits.retentionEvery)
    #expect(rest(deleted: round) == limits.retentionEvery)
    #expect(rest(deleted: 20 * round) == .milliseconds(50))
    #expect(rest(deleted: 10_000 * round) == limits.retentionPause)
    // It read past much that stays: no look after look for what comes due behind it.
    #expect(rest(deleted: 20 * round, before: .milliseconds(100)) == .milliseconds(400))
    #expect(rest(deleted: 20 * round, before: .milliseconds(900)) == limits.retentionEvery)
  }

  @Test func `by size it goes on where it stopped, and from its beginning after a while`() {
    var schedule = rested()
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 1, now: now) == .size)
    #expect(schedule.cursor == 0)
    schedule.did(
      plan(cursor: 70, isDone: false, deleted: [70]), isBusy: false, own: 0..<1, now: now)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 1, now: now) == nil)
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 2, now: now) == .size)
    #expect(schedule.cursor == 70)
    _ = schedule.look(isOver: false, isTrusted: true, commits: 2, now: now)
    let restart = later(limits.retentionRestart)
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 3, now: restart) == .size)
    #expect(schedule.cursor == 0)
  }

  @Test func `a file that is too large and holds nothing to delete rests in between`() {
    var schedule = rested()
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 1, now: now) == .size)
    let then = later(.seconds(3))
    schedule.did(plan(cursor: 9, isDone: true), isBusy: false, own: 0..<1, now: then)
    let soon = later(.seconds(140))
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 2, now: soon) == nil)
    // Fifty times as long as it took.
    let rest = later(.seconds(154))
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 2, now: rest) == .size)
  }

  @Test func `a refused round is tried again later`() {
    var schedule = rested()
    _ = schedule.look(isOver: true, isTrusted: true, commits: 1, now: now)
    schedule.refused(now: now)
    #expect(schedule.next(commits: 1) == now.instant + limits.retentionEvery)
    #expect(schedule.sweep == .size)
  }
}
