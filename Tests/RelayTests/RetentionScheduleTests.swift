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

  /// A schedule that has looked through an empty file.
  private func rested() -> RetentionSchedule {
    var schedule = RetentionSchedule(limits, now: now)
    _ = schedule.look(isOver: false, isTrusted: true, commits: 0, now: now)
    schedule.did(plan(cursor: 0, isDone: true), isBusy: false, commits: 0, now: now)
    schedule.didExpire(next: nil, isBusy: false, commits: 0, now: now)
    return schedule
  }

  @Test func `a file that is opened is looked through from its beginning`() {
    var schedule = RetentionSchedule(limits, now: now)
    #expect(schedule.next(commits: 0) == now.instant + limits.retentionEvery)
    #expect(schedule.nextWake == now.wall)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: now) == .age)
    schedule.did(plan(cursor: 500, isDone: false), isBusy: true, commits: 1, now: now)
    #expect(schedule.next(commits: 1) == now.instant + limits.retentionPause)
    #expect(schedule.cursor == 500)
    schedule.did(plan(cursor: 600, isDone: false), isBusy: false, commits: 2, now: now)
    #expect(schedule.next(commits: 2) == now.instant)
  }

  @Test func `an empty file rests until something is written`() {
    var schedule = rested()
    #expect(schedule.next(commits: 0) == nil)
    #expect(schedule.nextWake == nil)
    let then = later(.seconds(5))
    #expect(schedule.next(commits: 1) != nil)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 1, now: then) == nil)
    // It cannot have ended before the last look.
    #expect(schedule.nextWake == now.wall + limits.retention)
    #expect(schedule.next(commits: 1) == now.instant + limits.retention)
  }

  @Test func `the next look is when the first message that was kept can go`() {
    var schedule = RetentionSchedule(limits, now: now)
    _ = schedule.look(isOver: false, isTrusted: true, commits: 0, now: now)
    let end = now.wall + (.zero - .seconds(60))
    schedule.did(
      plan(cursor: 9, isDone: true, earliestEnd: end), isBusy: false, commits: 0, now: now)
    schedule.didExpire(next: nil, isBusy: false, commits: 0, now: now)
    #expect(schedule.nextWake == end + limits.retention)
    #expect(schedule.sweep == nil)
    let due = later(limits.retention)
    #expect(schedule.look(isOver: false, isTrusted: false, commits: 0, now: due) == nil)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: due) == .age)
    #expect(schedule.cursor == 0)
  }

  @Test func `by size it goes on where it stopped, and from its beginning after a while`() {
    var schedule = rested()
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 1, now: now) == .size)
    #expect(schedule.cursor == 0)
    schedule.did(
      plan(cursor: 70, isDone: false, deleted: [70]), isBusy: false, commits: 1, now: now)
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
    schedule.did(plan(cursor: 9, isDone: true), isBusy: false, commits: 1, now: then)
    let soon = later(.seconds(140))
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 2, now: soon) == nil)
    // Fifty times as long as it took.
    let rest = later(.seconds(154))
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 2, now: rest) == .size)
  }

  @Test func `a round looks further only while nothing goes`() {
    var schedule = rested()
    _ = schedule.look(isOver: true, isTrusted: true, commits: 1, now: now)
    #expect(schedule.reach == limits.retentionRowsMax / 4)
    schedule.did(plan(cursor: 9, isDone: false), isBusy: false, commits: 1, now: now)
    #expect(schedule.reach == limits.retentionRowsMax)
  }

  @Test func `a refused round is tried again later`() {
    var schedule = rested()
    _ = schedule.look(isOver: true, isTrusted: true, commits: 1, now: now)
    schedule.refused(now: now)
    #expect(schedule.next(commits: 1) == now.instant + limits.retentionEvery)
    #expect(schedule.sweep == .size)
  }
}
