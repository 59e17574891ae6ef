import Relay
import System
import Testing

@Suite struct TimeTests {
  @Test func `the boot clock does not go back, and the wall clock is of this century`() {
    let first = Clock.now()
    let second = Clock.now()
    #expect(first.instant <= second.instant)
    #expect(first.wall.nanoseconds > 1_700_000_000 * 1_000_000_000)
  }

  @Test func `the timer fires at its instant and not before`() throws {
    let poller = try Poller(eventsMax: 1)
    let timer = try BootTimer()
    try poller.add(Poller.Token(descriptor: timer.raw, generation: 0), .readable)
    let due = Clock.instant() + .milliseconds(5)
    timer.arm(at: due)
    #expect(try poller.wait(milliseconds: 20_000) == 1)
    #expect(Clock.instant() >= due)
    timer.drain()
    #expect(try poller.wait(milliseconds: 0) == 0)
  }

  @Test func `an instant that has passed fires at once, and nil never`() throws {
    let poller = try Poller(eventsMax: 2)
    let timer = try BootTimer()
    try poller.add(Poller.Token(descriptor: timer.raw, generation: 0), .readable)
    timer.arm(at: Instant(nanoseconds: 0))
    #expect(try poller.wait(milliseconds: 20_000) == 1)
    timer.drain()
    timer.arm(at: Clock.instant() + .milliseconds(1))
    timer.arm(at: nil)
    // A second timer, due later than the first one was, fires alone.
    let later = try BootTimer()
    try poller.add(Poller.Token(descriptor: later.raw, generation: 1), .readable)
    later.arm(at: Clock.instant() + .milliseconds(5))
    #expect(try poller.wait(milliseconds: 20_000) == 1)
    #expect(poller.event(0).token.descriptor == later.raw)
  }
}
