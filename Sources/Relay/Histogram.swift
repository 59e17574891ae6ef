/// Counts of measured values in fixed buckets. Measuring allocates nothing.
package struct Histogram: Sendable, Equatable {
  /// The upper bounds, ascending. Values above the last bound have a bucket of their own.
  package let bounds: [Int64]
  package private(set) var counts: [Int]
  package private(set) var sum: Int64 = 0

  package init(bounds: [Int64]) {
    precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  package mutating func add(_ value: Int64) {
    var index = 0
    while index < bounds.count, value > bounds[index] { index += 1 }
    counts[index] += 1
    sum += value
  }

  package var count: Int { counts.reduce(0, +) }

  /// Bounds for times, in nanoseconds from 50 µs to 5 s: a sync takes 0.2 ms on a good disk and 10
  /// ms in a cloud.
  package static let times: [Int64] = [
    50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
    50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
  ]

  /// Bounds for batch sizes: 1 to 4,096, each four times the last.
  package static let amounts: [Int64] = [1, 4, 16, 64, 256, 1024, 4096]
}
