import Relay
import Testing

@testable import Server

@Suite struct UpkeepPaceTests {
  private let short = Limits.upkeepAfterMax
  private let long = Limits.upkeepAfterMax + .microseconds(1)
  private let start = Instant(nanoseconds: 1_000)

  private func runs(
    _ pace: inout UpkeepPace, _ spent: Duration, isAtBarrier: Bool = false, at now: Duration = .zero
  ) -> Bool {
    pace.mayRun(after: spent, isAtBarrier: isAtBarrier, now: start + now)
  }

  @Test func `short turns have time for upkeep, with and without a barrier at work`() {
    var pace = UpkeepPace()
    #expect(runs(&pace, .zero))
    #expect(runs(&pace, short))
    #expect(runs(&pace, short, isAtBarrier: true))
    #expect(!pace.isOwed)
  }

  @Test func `a long turn leaves upkeep to the next one`() {
    var pace = UpkeepPace()
    #expect(!runs(&pace, long))
    #expect(pace.isOwed)
    #expect(runs(&pace, short))
    #expect(!pace.isOwed)
  }

  @Test func `postponed upkeep waits for the barrier`() {
    var pace = UpkeepPace()
    #expect(!runs(&pace, long, isAtBarrier: true))
    #expect(!runs(&pace, short, isAtBarrier: true))
    #expect(!runs(&pace, long))
    #expect(runs(&pace, short))
  }

  @Test func `it waits for a barrier that never rests only so long, and not for a short turn`() {
    var pace = UpkeepPace()
    #expect(!runs(&pace, long, isAtBarrier: true))
    let end = Limits.upkeepBarrierWaitMax
    #expect(!runs(&pace, short, isAtBarrier: true, at: end - .milliseconds(1)))
    #expect(!runs(&pace, long, isAtBarrier: true, at: end))
    #expect(runs(&pace, short, isAtBarrier: true, at: end))
  }

  @Test func `upkeep comes in time even if all turns are long and the barrier never rests`() {
    var pace = UpkeepPace()
    let turn = Limits.upkeepDelayMax / 5
    var ran: [Int] = []
    for number in 0..<12 where runs(&pace, long, isAtBarrier: true, at: turn * number) {
      ran.append(number)
    }
    #expect(ran == [5, 11])
  }
}
