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

  /// The rest after a sweep of one round that ends a second after the last one.
  private func rest(deleted: Int) -> Duration? {
    var schedule = opened(limits.retention)
    let end = later(.seconds(1))
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 0, now: end) == .age)
    let seqs = Array(0..<Int64(deleted))
    schedule.did(
      plan(cursor: 9, isDone: true, earliestEnd: now.wall, deleted: seqs), isBusy: true,
      own: 0..<1, now: end)
    #expect(schedule.sweep == nil)
    return schedule.next(commits: 2).map { $0 - end.instant }
  }

  @Test func `the next look is when half a round has come due`() {
    let half = limits.retentionRowsMax / 2
    #expect(rest(deleted: 0) == limits.retentionEvery)
    #expect(rest(deleted: 1) == limits.retentionEvery)
    #expect(rest(deleted: half) == limits.retentionEvery)
    #expect(rest(deleted: 20 * half) == .milliseconds(50))
    #expect(rest(deleted: 10_000 * half) == limits.retentionPause)
  }

  @Test func `after a sweep that read past much that stays it rests for ten times as long`() {
    for (rounds, expected) in [(1, 50), (20, 1000), (2000, 10_000)] {
      var schedule = opened(limits.retention)
      var then = later(.seconds(1))
      _ = schedule.look(isOver: false, isTrusted: true, commits: 0, now: then)
      schedule.did(plan(cursor: 1, isDone: false), isBusy: true, own: 0..<0, now: then)
      for _ in 0..<rounds {
        then = Now(instant: then.instant + .milliseconds(5), wall: then.wall + .milliseconds(5))
        schedule.did(plan(cursor: 1, isDone: false), isBusy: true, own: 0..<0, now: then)
      }
      let seqs = Array(0..<Int64(1000 * limits.retentionRowsMax))
      schedule.did(
        plan(cursor: 9, isDone: true, earliestEnd: now.wall, deleted: seqs), isBusy: true,
        own: 0..<1, now: then)
      #expect(schedule.next(commits: 2).map { $0 - then.instant } == .milliseconds(expected))
    }
  }

  /// Arrivals at an even pace, rounds of at most `retentionRowsMax`, and some that came early enough
  /// and ended too late; with few of these a sweep is one round.
  @Test(arguments: [500, 3_000, 6_000, 12_000], [64, 1_000])
  func `under an even load no sweep grows`(perSecond: Int, late: Int) {
    var schedule = opened(limits.retention)
    let start = later(.seconds(1))
    var current = start
    var gone = 0
    var sweeps = 0
    var rounds = 0
    var inFlight = late
    var most = 0
    var commits: UInt64 = 1
    for step in 0..<60_000 {
      current = Now(
        instant: start.instant + .milliseconds(step), wall: start.wall + .milliseconds(step))
      guard let at = schedule.next(commits: commits), at <= current.instant,
        schedule.look(isOver: false, isTrusted: true, commits: commits, now: current) != nil
      else { continue }
      let due = perSecond * (step + 1000) / 1000 - gone
      let taken = min(due, limits.retentionRowsMax)
      let looked = min(limits.retentionRowsMax - taken, inFlight)
      inFlight -= looked
      gone += taken
      rounds += 1
      schedule.did(
        plan(
          cursor: 1, isDone: taken == due && inFlight == 0,
          earliestEnd: current.wall + (.zero - limits.retention),
          deleted: Array(0..<Int64(taken))),
        isBusy: true, own: commits..<commits, now: current)
      commits += 1
      guard schedule.sweep == nil else { continue }
      sweeps += 1
      // The first two learn the pace.
      if sweeps > 2 { most = max(most, rounds) }
      rounds = 0
      inFlight = late
    }
    #expect(sweeps > 50)
    // While 1,000 are passed over, in five rounds, more come due.
    #expect((1...(late == 64 ? 1 : 6)).contains(most))
    #expect(perSecond * 61 - gone <= max(perSecond, limits.retentionRowsMax))
  }

  @Test func `a sweep by size that has deleted enough is followed at its pace`() {
    var schedule = rested()
    let then = later(.seconds(1))
    #expect(schedule.look(isOver: true, isTrusted: true, commits: 1, now: then) == .size)
    let seqs = Array(0..<Int64(10 * limits.retentionRowsMax))
    schedule.did(
      plan(cursor: 2000, isDone: false, deleted: seqs), isBusy: true, own: 1..<2, now: then)
    #expect(schedule.look(isOver: false, isTrusted: true, commits: 2, now: then) == nil)
    #expect(schedule.sweep == nil)
    #expect(schedule.next(commits: 3) == then.instant + .milliseconds(50))
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
