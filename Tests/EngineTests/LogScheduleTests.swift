import Relay
import Testing

@testable import Engine

/// When write-ahead logs are emptied and copied, without a file.
@Suite struct LogScheduleTests {
  private let limits = Limits()
  private var log = LogSchedule()
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var file = LogSchedule.File(
    isUsable: true, commits: 0, hasRounds: false, isBarrierBusy: false)

  private mutating func commit() -> Instant? {
    file.commits += 1
    log.used(at: now)
    return watch()
  }

  private mutating func watch() -> Instant? {
    log.watch(commits: file.commits, isUsable: file.isUsable) ? log.due(limits) : nil
  }

  private mutating func step() -> LogSchedule.Step { log.step(file, now: now, limits) }

  /// The log comes due, is emptied or not, and is looked at once more.
  private mutating func empty(_ isEmpty: Bool) -> Instant? {
    log.willBeEmptied()
    log.used(at: now)
    if isEmpty { log.isEmpty(after: file.commits) }
    log.wasEmptied(isEmpty, now: now)
    return watch()
  }

  @Test mutating func `a log is emptied once it has been idle`() {
    #expect(watch() == nil, "nothing stands in it")
    #expect(commit() == now + limits.walIdle)
    now = now + .seconds(1)
    #expect(commit() == nil, "a time is set already")
    let due = now + limits.walIdle
    #expect(step() == .later(due))
    now = due
    #expect(step() == .empty(isIdle: true))
    #expect(empty(true) == nil && !log.holdsErased)
    #expect(step() == .rest, "until something is written")
    #expect(commit() == now + limits.walIdle)
  }

  @Test mutating func `for its space alone nobody waits, for what was deleted everybody does`() {
    _ = commit()
    now = now + limits.walIdle
    (file.isBarrierBusy, file.hasRounds) = (true, true)
    #expect(step() == .later(now + limits.pendingRetry) && !log.mustBeEmptied)
    log.willErase()
    #expect(commit() == nil && log.holdsErased)
    now = now + limits.walIdle
    #expect(step() == .afterRounds && log.mustBeEmptied)
    file.hasRounds = false
    #expect(step() == .empty(isIdle: true), "another file's barrier is no reason to wait")
    #expect(empty(true) == nil && !log.mustBeEmptied && !log.holdsErased)
  }

  @Test mutating func `what was deleted leaves a log that is never idle`() {
    log.willErase()
    let start = now
    _ = commit()
    while now + .seconds(30) < start + limits.walErasedMax {
      now = now + .seconds(30)
      _ = commit()
      #expect(step() == .later(min(now + limits.walIdle, start + limits.walErasedMax)))
    }
    now = start + limits.walErasedMax
    _ = commit()
    #expect(step() == .empty(isIdle: false))
    #expect(empty(true) == nil && !log.holdsErased)
  }

  @Test mutating func `a log that cannot be emptied is tried again like one deleted from now`() {
    log.willErase()
    _ = commit()
    now = now + limits.walIdle
    #expect(step() == .empty(isIdle: true))
    #expect(empty(false) == now + limits.walIdle && log.holdsErased)
    for _ in 0..<100 {
      now = now + .seconds(5)
      _ = commit()
    }
    now = now + (limits.walErasedMax - .seconds(500))
    _ = commit()
    #expect(step() == .empty(isIdle: false))
  }

  @Test mutating func `a file that is closed or failed needs no care, and is watched again later`()
  {
    _ = commit()
    now = now + limits.walIdle
    log.closed()
    #expect(step() == .rest)
    #expect(commit() == now + limits.walIdle)
    now = now + limits.walIdle
    file.isUsable = false
    #expect(step() == .rest)
    log.willErase()
    #expect(commit() == nil && log.holdsErased, "what is deleted is remembered all the same")
  }

  // MARK: whose turn it is

  private static let ids = (1...4).map { WorkspaceID(UUIDBytes(high: 0, low: $0)) }

  @Test func `the longest log that is due is copied, a busy barrier lets the others wait`() {
    let (busy, idle) = (limits.walPagesBusy, limits.walPagesIdle)
    var care = LogCare(limits)
    var logs: [WorkspaceID: LogCare.LongLog] = [:]
    func look(_ isBarrierBusy: Bool) -> WorkspaceID? {
      care.longest(isBarrierBusy: isBarrierBusy) { logs[$0] }
    }
    for (id, pages) in zip(Self.ids, [idle - 1, idle, busy - 1, busy]) {
      if care.isLong(pages) { care.noteLong(id) }
      logs[id] = LogCare.LongLog(pages: pages, isBeingCut: false)
    }
    #expect(care.long == Set(Self.ids[1...]))
    #expect(look(true) == Self.ids[3] && look(false) == Self.ids[3])
    logs[Self.ids[3]]?.isBeingCut = true
    #expect(look(true) == nil && look(false) == Self.ids[2])
    logs[Self.ids[3]]?.pages = 2 * busy
    #expect(look(true) == Self.ids[3], "there is an end to that")
    logs[Self.ids[3]]?.pages = 0
    logs[Self.ids[2]] = nil
    #expect(look(false) == Self.ids[1] && care.long == [Self.ids[1]])
    care.closed(Self.ids[1])
    #expect(look(false) == nil)
  }

  @Test func `logs come due in the order of their times`() {
    var care = LogCare(limits)
    for (id, seconds) in zip(Self.ids, [3, 1, 2, 4]) {
      care.watch(id, at: Instant(nanoseconds: 0) + .seconds(seconds))
    }
    let end = Instant(nanoseconds: 0) + .seconds(3)
    #expect(care.popDue(Instant(nanoseconds: 0)) == nil)
    #expect((0..<4).map { _ in care.popDue(end) } == [Self.ids[1], Self.ids[2], Self.ids[0], nil])
  }
}
