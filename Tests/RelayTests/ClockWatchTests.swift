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
}
