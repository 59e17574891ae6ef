import Relay
import Testing

/// What is reckoned with times that somebody else has written down.
@Suite struct InstantTests {
  private let first = WallTime(nanoseconds: .min)
  private let now = Now(
    instant: Instant(nanoseconds: 1 << 40),
    wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))

  @Test func `it stops at the first and at the last time there is`() {
    #expect(first - now.wall == .nanoseconds(Int64.min))
    #expect(now.wall - first == .nanoseconds(Int64.max))
    #expect(now.wall + .seconds(Int64.max) == .never)
    #expect(.never + .seconds(1) == WallTime.never)
    #expect(first + .seconds(-1) == first)
    #expect(now.instant(at: .never) > now.instant && now.instant(at: first) < now.instant)
    #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
    #expect(Duration.seconds(-Int64.max).nanoseconds == .min)
    #expect(Duration.seconds(1).nanoseconds == 1_000_000_000)
  }
}
