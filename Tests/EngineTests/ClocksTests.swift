import Relay
import System
import Testing

@testable import Engine

/// When relay.db is told of the clocks, and what a start makes of that; without a file.
@Suite struct ClocksTests {
  private let limits = Limits()
  private let metrics = Metrics()
  private let clocks: Clocks
  private var now = Now(
    instant: Instant(nanoseconds: 1_000_000_000),
    wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))

  init() {
    clocks = Clocks(limits, metrics, Log(level: .error, format: .text))
    #expect(clocks.begin(nil, newest: WallTime(nanoseconds: 0), boot: "a", now: now).isEmpty)
  }

  private mutating func advance(_ duration: Duration, wall: Duration = .zero) {
    now = Now(instant: now.instant + duration, wall: now.wall + duration + wall)
  }

  private func record(besides count: Int, boot: String = "a") -> ClockRecord? {
    clocks.recordToStore(besides: count, boot: boot, now: now)
  }

  private mutating func store() { clocks.didStore(record(besides: 1), true, now: now) }

  @Test mutating func `a record goes with the first change, then with one in each interval`() {
    #expect(record(besides: 0) == nil)
    #expect(record(besides: 1)?.instant == now.instant)
    store()
    #expect(record(besides: 1) == nil)
    advance(limits.pulseInterval - .nanoseconds(1))
    #expect(record(besides: 1) == nil)
    advance(.nanoseconds(1))
    #expect(record(besides: 0) == nil && record(besides: 1) != nil)
    #expect(record(besides: 1)?.boot == "a")
  }

  @Test mutating func `on another boot a record goes with the next change`() {
    store()
    #expect(record(besides: 1) == nil && record(besides: 1, boot: "b")?.boot == "b")
  }

  @Test mutating func `a doubt is logged at once, and each extension of it once`() {
    _ = clocks.look(now)
    store()
    advance(.seconds(1), wall: .seconds(86_400))
    #expect(clocks.look(now) == [.jumped(.seconds(86_400))])
    #expect(metrics.clockJumps == 1 && clocks.doubt(now) == limits.clockDoubtTime)
    let doubted = record(besides: 0)
    #expect(doubted?.doubtfulUntil == clocks.doubtfulUntil)
    clocks.didStore(doubted, true, now: now)
    #expect(record(besides: 0) == nil && record(besides: 1) == nil)
    advance(.seconds(1), wall: .seconds(-86_400))
    #expect(clocks.look(now) == [.jumped(.seconds(-86_400))])
    #expect(record(besides: 0)?.doubtfulUntil == clocks.doubtfulUntil)
  }

  @Test mutating func `a record that was refused is tried again later, not in each turn`() {
    _ = clocks.look(now)
    advance(.seconds(1), wall: .seconds(86_400))
    _ = clocks.look(now)
    clocks.didStore(record(besides: 0), false, now: now)
    advance(limits.revocationRetry - .nanoseconds(1))
    #expect(record(besides: 0) == nil && record(besides: 1) == nil)
    advance(.nanoseconds(1))
    #expect(record(besides: 0) != nil)
    clocks.didStore(record(besides: 0), true, now: now)
    #expect(record(besides: 0) == nil)
    // Nothing was to be written: nothing is known of relay.db.
    clocks.didStore(nil, false, now: now)
    advance(limits.pulseInterval)
    #expect(record(besides: 1) != nil)
  }

  @Test mutating func `a start compares with the record, or else with the newest time`() throws {
    let day = Duration.seconds(86_400)
    let record = clocks.record(boot: "a", now: now)
    advance(.seconds(1), wall: .zero - day)
    for (record, boot, newest) in [
      (record, "a", now.wall), (record, "b", now.wall), (nil, "a", now.wall + day),
    ] {
      let next = Clocks(limits, metrics, Log(level: .error, format: .text))
      #expect(!next.begin(record, newest: newest, boot: boot, now: now).isEmpty)
      #expect(next.isDoubtful(now) && next.doubt(now) == limits.clockDoubtTime)
    }
    let same = Clocks(limits, metrics, Log(level: .error, format: .text))
    let right = Now(instant: now.instant, wall: now.wall + day)
    #expect(same.begin(record, newest: right.wall, boot: "a", now: right).isEmpty)
    #expect(same.recordToStore(besides: 1, boot: "a", now: right) == nil, "relay.db has it")
  }
}
