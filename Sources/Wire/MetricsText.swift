/// Writes Prometheus' text format, version 0.0.4.
///
/// A family's `# HELP` and `# TYPE` come once, before its samples, and all its samples stand
/// together; the caller keeps that order.
package struct MetricsText: Sendable {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package enum Kind: String, Sendable { case counter, gauge, histogram }

  package private(set) var bytes: [UInt8] = []

  package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    text("# HELP ")
    text(name)
    text(" ")
    // In a help text a quotation mark stands for itself.
    escape(help, quotes: false)
    text("\n# TYPE ")
    text(name)
    text(" ")
    text(kind.rawValue)
    text("\n")
  }

  /// A whole number.
  package mutating func sample(
    _ name: String, _ labels: [(name: String, value: String)], _ value: Int
  ) {
    line(name, labels, String(value))
  }

  package mutating func sample(_ name: String, _ value: Int) { line(name, [], String(value)) }

  /// Nanoseconds, in seconds.
  package mutating func sample(
    _ name: String, _ labels: [(name: String, value: String)] = [], nanoseconds: Int64
  ) {
    line(name, labels, Self.seconds(nanoseconds))
  }

  /// The buckets of a histogram, which are counted up, its sum and its count. `counts` has one more
  /// than `bounds`: what was above the last.
  package mutating func histogram(
    _ name: String, _ labels: [(name: String, value: String)] = [], bounds: [String],
    counts: [Int], sum: String
  ) {
    precondition(counts.count == bounds.count + 1, "a bucket for each bound, and one above all")
    var total = 0
    for (index, count) in counts.enumerated() {
      total += count
      let bound = index < bounds.count ? bounds[index] : "+Inf"
      line(name + "_bucket", labels + [("le", bound)], String(total))
    }
    line(name + "_sum", labels, sum)
    line(name + "_count", labels, String(total))
  }

  /// `1.5`, from nanoseconds: exact, and without an exponent.
  package static func seconds(_ nanoseconds: Int64) -> String {
    let size = nanoseconds.magnitude
    var text = (nanoseconds < 0 ? "-" : "") + String(size / 1_000_000_000)
    let rest = size % 1_000_000_000
    guard rest > 0 else { return text }
    let digits = String(rest)
    text += "." + String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
    return text
  }

  private mutating func line(
    _ name: String, _ labels: [(name: String, value: String)], _ value: String
  ) {
    text(name)
    if !labels.isEmpty {
      text("{")
      for (index, label) in labels.enumerated() {
        if index > 0 { text(",") }
        text(label.name)
        text("=\"")
        escape(label.value, quotes: true)
        text("\"")
      }
      text("}")
    }
    text(" ")
    text(value)
    text("\n")
  }

  private mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Backslash and line feed, and in a label's value the quotation mark.
  private mutating func escape(_ value: String, quotes: Bool) {
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): text("\\\\")
      case UInt8(ascii: "\n"): text("\\n")
      case UInt8(ascii: "\"") where quotes: text("\\\"")
      default: bytes.append(byte)
      }
    }
  }
}
