import Foundation
import TestKit
import Testing

@Suite struct TestSeedTests {
  @Test func `the seed is fixed unless another one is asked for`() {
    #expect(TestSeed.parse(nil) == 1 && TestSeed.parse("7") == 7)
    #expect(Set((0..<8).map { _ in TestSeed.parse("random") }).count > 1)
    #expect(TestSeed.parse("") == nil && TestSeed.parse("some") == nil)
  }

  /// A generator without a seed makes a failure that nobody can repeat.
  @Test(arguments: TidyTests.files("Tests", "swift")) func `no test draws numbers without a seed`(
    file: URL
  ) throws {
    let drawing = ["TestSeed.swift", "TestSeedTests.swift", "BenchCalls.swift"]
    guard !drawing.contains(file.lastPathComponent) else { return }
    let text = try String(contentsOf: file, encoding: .utf8)
    for match in text.matches(of: /(?:\.random\(|\.shuffle[d]?\(|\.randomElement\().*/) {
      #expect(match.output.contains("using:"), "take Dice(seed: TestSeed.value): \(match.output)")
    }
    #expect(!text.contains("SystemRandomNumberGenerator"))
  }
}
