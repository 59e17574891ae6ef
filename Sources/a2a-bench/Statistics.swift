import Relay
import System

/// Nanoseconds of the clock by which everything here is measured.
func ticks() -> Int64 { Clock.instant().nanoseconds }

let nanosecondsPerSecond: Int64 = 1_000_000_000

/// Durations of one kind, in nanoseconds.
struct Samples {
  private(set) var values: [Int64] = []

  init(capacity: Int = 0) { values.reserveCapacity(capacity) }

  mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

  /// The percentiles asked for, in milliseconds; 0 when there are no samples.
  func milliseconds(_ percentiles: [Double]) -> [Double] {
    let sorted = values.sorted()
    return percentiles.map { percentile in
      guard !sorted.isEmpty else { return 0 }
      let rank = Int((percentile / 100 * Double(sorted.count)).rounded(.up)) - 1
      return Double(sorted[max(0, min(rank, sorted.count - 1))]) / 1e6
    }
  }
}

/// The middle one, or the mean of the two in the middle.
func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// The value that a quarter of them do not reach.
func lowerQuartile(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.sorted()[values.count / 4]
}

extension Double {
  /// `1234.50` with so many digits behind the point.
  func text(_ digits: Int) -> String {
    guard isFinite else { return "-" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (magnitude * scale).rounded()
    guard scaled < 1e15 else { return "\(self)" }
    let whole = String(Int64(scaled) / Int64(scale))
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + whole }
    let part = String(Int64(scaled) % Int64(scale))
    return sign + whole + "." + String(repeating: "0", count: digits - part.count) + part
  }
}
