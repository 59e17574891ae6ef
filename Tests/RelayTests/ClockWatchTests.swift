import Relay
import Testing

/// A wall clock that is set by others, and a process that may stand still.
@Suite struct ClockWatchTests {
  private var watch = ClockWatch(Limits())
  private var now = Now(
    instant: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))

  private mutating func look(after time: Duration = .seconds(1), moved: Duration = .zero)
    -> [ClockWatch.Finding]
  {
    now = Now(instant: now.instant + time, wall: now.wall + (time + moved))
    return watch.look(now)
  }

  @Test mutating func `small corrections are nothing`() {
    #expect(look().isEmpty)
    #expect(look(moved: .seconds(500)).isEmpty)
    #expect(look(moved: .seconds(-900)).isEmpty)
    #expect(!watch.isDoubtful(now))
  }

  @Test(arguments: [Duration.seconds(601), .seconds(-601)])
  mutating func `a jump is doubted for an hour, and then believed`(moved: Duration) {
    #expect(look().isEmpty)
    #expect(look(moved: moved) == [.jumped(moved)])
    #expect(watch.isDoubtful(now))
    for _ in 0..<359 { #expect(look(after: .seconds(10)).isEmpty) }
    #expect(watch.isDoubtful(now))
    #expect(look(after: .seconds(10)).isEmpty)
    #expect(!watch.isDoubtful(now))
  }

  @Test mutating func `many small steps to one side are a jump`() {
    #expect(look().isEmpty)
    #expect(look(moved: .seconds(400)).isEmpty)
    #expect(look(moved: .seconds(400)) == [.jumped(.seconds(800))])
  }

  @Test mutating func `a clock before what was written is doubted, once`() {
    #expect(watch.look(written: now.wall + .seconds(500), now: now) == nil)
    #expect(
      watch.look(written: now.wall + .seconds(5000), now: now) == .jumped(.seconds(-5000)))
    #expect(watch.isDoubtful(now))
    #expect(watch.look(written: now.wall + .seconds(5000), now: now) == nil)
  }

  @Test mutating func `a gap in which the process did not run is found, once`() {
    #expect(look().isEmpty)
    #expect(look(after: .seconds(10)).isEmpty)
    #expect(look(after: .seconds(11)) == [.stoodStill(.seconds(11))])
    #expect(look().isEmpty)
  }

  // MARK: starts

  private static let month = Duration.seconds(30 * 86_400)

  /// Time passes, and nobody moves the clock.
  private mutating func pass(_ time: Duration) { #expect(look(after: time) == [.stoodStill(time)]) }

  /// Another process: what the last one has written down is all that it knows.
  private mutating func start(boot: String = "a", after time: Duration, moved: Duration = .zero)
    -> [ClockWatch.Finding]
  {
    let record = watch.record(boot: "a", now: now)
    // Another boot counts from its own beginning.
    let instant = boot == "a" ? now.instant + time : Instant(nanoseconds: 5)
    now = Now(instant: instant, wall: now.wall + (time + moved))
    watch = ClockWatch(Limits())
    return [watch.begin(record, boot: boot, now: now)].compactMap { $0 } + watch.look(now)
  }

  @Test mutating func `a start that finds the clock where it must be believes it`() {
    #expect(look().isEmpty)
    #expect(start(after: Self.month).isEmpty)
    #expect(start(boot: "b", after: .seconds(500)).isEmpty)
    #expect(!watch.isDoubtful(now))
  }

  @Test(arguments: [month, .zero - month])
  mutating func `a clock that was moved between two starts is doubted`(moved: Duration) {
    #expect(look().isEmpty)
    #expect(start(after: .seconds(90), moved: moved) == [.jumped(moved)])
    #expect(watch.isDoubtful(now))
  }

  @Test(arguments: [month, .zero - month])
  mutating func `on another boot a clock far from where it was is doubted`(moved: Duration) {
    #expect(look().isEmpty)
    #expect(start(boot: "b", after: .seconds(90), moved: moved) == [.unknown(moved + .seconds(90))])
    #expect(watch.isDoubtful(now))
    #expect(look(moved: .zero - moved) == [.jumped(.zero - moved)])
    pass(.seconds(3599))
    #expect(watch.isDoubtful(now), "it was set right, and is doubted from then")
    #expect(look().isEmpty)
    #expect(!watch.isDoubtful(now))
  }

  @Test mutating func `a doubt goes on over starts, and ends when its hour is over`() {
    #expect(look().isEmpty)
    #expect(look(moved: Self.month) == [.jumped(Self.month)])
    #expect(start(after: .seconds(1800)) == [.unknown(.zero)])
    #expect(start(after: .seconds(1799)) == [.unknown(.zero)])
    #expect(watch.isDoubtful(now))
    #expect(start(after: .seconds(1)).isEmpty)
    #expect(!watch.isDoubtful(now))
  }

  @Test mutating func `on another boot a doubt starts its hour again`() {
    #expect(look().isEmpty)
    #expect(look(moved: Self.month) == [.jumped(Self.month)])
    #expect(start(boot: "b", after: .seconds(60)) == [.unknown(.seconds(60))])
    pass(.seconds(3599))
    #expect(watch.isDoubtful(now))
  }

  @Test mutating func `no record makes a doubt longer than its hour`() {
    #expect(look().isEmpty)
    var record = watch.record(boot: "a", now: now)
    record.doubtfulUntil = Instant(nanoseconds: .max)
    #expect(watch.begin(record, boot: "a", now: now) == .unknown(.zero))
    pass(.seconds(3600))
    #expect(!watch.isDoubtful(now))
  }

  @Test mutating func `a clock that was set back makes no credential good again`() {
    #expect(look().isEmpty)
    #expect(look(moved: .zero - Self.month) == [.jumped(.zero - Self.month)])
    let before = now.wall + Self.month
    #expect(watch.credentialTime(now) == before)
    #expect(start(after: .seconds(60)) == [.unknown(.zero)])
    #expect(watch.credentialTime(now) == before + .seconds(60))
    #expect(start(boot: "b", after: .zero) == [.unknown(.zero)])
    #expect(watch.credentialTime(now) == before + .seconds(60))
    pass(.seconds(3600))
    #expect(watch.credentialTime(now) == now.wall, "now it is believed")
  }

  @Test mutating func `one that was ahead and is set right ends none before its time`() {
    #expect(look().isEmpty)
    #expect(look(moved: Self.month) == [.jumped(Self.month)])
    #expect(watch.credentialTime(now) == now.wall)
    #expect(look(moved: .zero - Self.month) == [.jumped(.zero - Self.month)])
    #expect(watch.credentialTime(now) == now.wall)
  }
}
