import System
import Testing

@Suite struct RandomTests {
  @Test func `no number comes twice across refills`() {
    let random = Random()
    let numbers = (0..<5000).map { _ in random.next() }
    #expect(Set(numbers).count == numbers.count)
    #expect(!numbers.contains(0))
  }

  @Test func `as many bytes come as were asked for`() {
    let random = Random()
    for count in 0..<40 { #expect(random.bytes(count).count == count) }
    #expect(random.bytes(32) != random.bytes(32))
  }
}
