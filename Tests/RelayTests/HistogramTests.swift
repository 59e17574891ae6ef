import Relay
import Testing

@Suite struct HistogramTests {
  @Test func `a value falls into the first bucket that is not below it`() {
    var histogram = Histogram(bounds: [10, 20])
    for value in [0, 10, 11, 20, 21, 1000] { histogram.add(Int64(value)) }
    #expect(histogram.counts == [2, 2, 2])
    #expect(histogram.sum == 1062 && histogram.count == 6)
  }

  @Test(arguments: [Histogram.times, Histogram.amounts]) func `bounds ascend`(bounds: [Int64]) {
    #expect(Histogram(bounds: bounds).counts.count == bounds.count + 1)
  }
}
