import Testing

@testable import Server

@Suite struct SyncPaceTests {
  @Test func `before the first sync the slowest is expected`() {
    #expect(SyncPace().expected == .seconds(1))
  }

  @Test func `it takes dozens of short syncs to forget the first unknown`() {
    var pace = SyncPace()
    var count = 0
    while pace.expected > .microseconds(300) {
      pace.took(.microseconds(100))
      count += 1
      guard count < 1_000 else { break }
    }
    #expect((40...80).contains(count))
  }

  @Test func `a slow sync is believed at once and forgotten slowly`() {
    var pace = SyncPace()
    for _ in 0..<200 { pace.took(.microseconds(100)) }
    #expect(pace.expected == .microseconds(100))
    pace.took(.milliseconds(10))
    #expect(pace.expected == .milliseconds(10))
    for _ in 0..<20 { pace.took(.microseconds(100)) }
    #expect(pace.expected > .microseconds(300))
    for _ in 0..<20 { pace.took(.microseconds(100)) }
    #expect(pace.expected <= .microseconds(300))
  }
}
