package import Relay

/// One line of the log as bytes, with its line feed.
package struct LogLine {
  /// Limit: Bytes of a log line: a pipe takes so many as one piece (PIPE_BUF, pipe(7)).
  package static let bytesMax = 4096
  /// Bytes of a line at which its values are cut: what is left holds the names of all fields.
  private static let valuesMax = bytesMax - 512

  package private(set) var bytes = [UInt8]()

  package init(
    _ format: Log.Format, _ level: Log.Level, _ event: StaticString, _ fields: Log.Fields,
    at time: WallTime
  ) {
    bytes.reserveCapacity(160)
    switch format {
    case .text: writeText(level, event, fields, time)
    case .json: writeJSON(level, event, fields, time)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func writeText(
    _ level: Log.Level, _ event: StaticString, _ fields: Log.Fields, _ time: WallTime
  ) {
    append(time)
    append(" \(level.name) ")
    append("\(event)")
    for (key, value) in fields {
      append(" \(key)=")
      switch value {
      case .text(let text) where isPlain(text): append(text)
      case .text(let text): quote(text)
      case .number(let number): append(String(number))
      case .flag(let flag): append(flag ? "true" : "false")
      }
    }
  }

  /// Needs no quotes, and is short enough to be taken whole.
  private func isPlain(_ text: String) -> Bool {
    text.utf8.count + bytes.count <= Self.valuesMax
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 < 0x7F }
  }

  private mutating func writeJSON(
    _ level: Log.Level, _ event: StaticString, _ fields: Log.Fields, _ time: WallTime
  ) {
    append("{\"time\":\"")
    append(time)
    append("\",\"level\":\"\(level.name)\",\"event\":")
    quote("\(event)")
    for (key, value) in fields {
      append(",\"\(key)\":")
      switch value {
      case .text(let text): quote(text)
      case .number(let number): append(String(number))
      case .flag(let flag): append(flag ? "true" : "false")
      }
    }
    append("}")
  }

  /// RFC 8259 §7, and DEL: no value can end the line or move a terminal's cursor.
  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      guard bytes.count < Self.valuesMax else {
        append("…")
        break
      }
      switch UInt8(exactly: scalar.value) {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append("\\\(scalar)")
      case let byte? where byte < 0x20 || byte == 0x7F:
        append("\\u00")
        bytes.append(UInt8(ascii: "0") + byte >> 4)
        let digit = byte & 15
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      default: bytes.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// RFC 3339 §5.6 in UTC with milliseconds.
  private mutating func append(_ time: WallTime) {
    let milliseconds = max(time.nanoseconds, 0) / 1_000_000
    let (days, ofDay) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let (year, month, day) = LogLine.date(days: days)
    append(digits: year, 4)
    append("-")
    append(digits: month, 2)
    append("-")
    append(digits: day, 2)
    append("T")
    append(digits: ofDay / 3_600_000, 2)
    append(":")
    append(digits: ofDay / 60_000 % 60, 2)
    append(":")
    append(digits: ofDay / 1000 % 60, 2)
    append(".")
    append(digits: ofDay % 1000, 3)
    append("Z")
  }

  /// The Gregorian date so many days after 1970-01-01: years are counted from March, so that the
  /// leap day is a year's last.
  private static func date(days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let ofEra = shifted % 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let march = (5 * ofYear + 2) / 153
    let month = march < 10 ? march + 3 : march - 9
    return (year + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * march + 2) / 5 + 1)
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func append(digits value: Int64, _ count: Int) {
    let text = String(value)
    for _ in 0..<max(0, count - text.utf8.count) { bytes.append(UInt8(ascii: "0")) }
    append(text)
  }
}

extension Log.Level {
  var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }
}
