import Relay
import Testing

@testable import Engine

/// Which open files are compared with their paths at a look; without a file.
@Suite struct FileWatchTests {
  private static let ids = (1...5).map { WorkspaceID(UUIDBytes(high: 0, low: $0)) }

  @Test func `each open file has its turn before any has a second one`() {
    var watch = FileWatch()
    var asked = 0
    func next() -> [WorkspaceID] {
      watch.next(atMost: 2) {
        asked += 1
        return Self.ids
      }
    }
    for round in 1...3 {
      let looks = (0..<3).map { _ in next() }
      #expect(looks.map(\.count) == [2, 2, 1])
      #expect(Set(looks.joined()) == Set(Self.ids) && asked == round)
    }
    #expect(watch.next(atMost: 2) { [] }.isEmpty)
  }
}
