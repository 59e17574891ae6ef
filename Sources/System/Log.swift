package import Relay

/// A value in a log line. There is no case for secrets: a token is named by its fingerprint, which
/// is computed where the token is checked.
package enum LogValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case text(String)
  case number(Int64)
  case flag(Bool)

  package init(stringLiteral value: StaticString) { self = .text("\(value)") }
  package init(integerLiteral value: Int64) { self = .number(value) }
  package static func number(_ value: Int) -> LogValue { .number(Int64(value)) }
}

/// Structured lines on standard error: text for people at a terminal, JSON for everything else.
///
/// Names and keys are fixed in the source, so that no peer can write them; values are escaped. Any
/// thread may write, and none ever waits: a `LineWriter` drops what standard error does not take.
package struct Log: Sendable {
  package enum Level: UInt8, Comparable, Sendable {
    case debug, info, warning, error

    package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  package enum Format: Sendable {
    case text, json

    /// Text where somebody looks at it.
    package static var automatic: Format { StandardStream.error.isTerminal ? .text : .json }
  }

  package typealias Fields = KeyValuePairs<StaticString, LogValue>

  package let level: Level
  package let format: Format
  private let writer: LineWriter

  /// Writes lines of `level` and above, to standard error if no other `writer` is named.
  package init(level: Level = .info, format: Format = .automatic, to writer: LineWriter? = nil) {
    self.level = level
    self.format = format
    self.writer = writer ?? (format == .json ? Self.json : Self.text)
  }

  /// The one writer for all logs of a format: it owns a thread.
  private static let json = standardError(.json)
  private static let text = standardError(.text)

  private static func standardError(_ format: Format) -> LineWriter {
    LineWriter(StandardStream.error.rawValue) { lossLine(format, $0) }
  }

  static func lossLine(_ format: Format, _ loss: LineWriter.Loss) -> [UInt8] {
    let why = loss.error == 0 ? "nobody has read the log" : ErrorNumber.text(loss.error)
    return LogLine(
      format, .warning, "log_lines_lost", ["lines": .number(loss.lines), "error": .text(why)],
      at: Clock.wall()
    ).bytes
  }

  /// Lines that could not be written.
  package var lost: Int { writer.lost }

  /// Writes the last lines before the process ends, as far as the reader takes them.
  package func flush() { writer.flush() }

  package func debug(_ event: StaticString, _ fields: Fields = [:]) { write(.debug, event, fields) }
  package func info(_ event: StaticString, _ fields: Fields = [:]) { write(.info, event, fields) }
  package func warning(_ event: StaticString, _ fields: Fields = [:]) {
    write(.warning, event, fields)
  }
  package func error(_ event: StaticString, _ fields: Fields = [:]) { write(.error, event, fields) }

  private func write(_ level: Level, _ event: StaticString, _ fields: Fields) {
    guard level >= self.level else { return }
    let line = LogLine(format, level, event, fields, at: Clock.wall())
    writer.write(line.bytes)
  }
}

/// Bounds the lines that a peer can cause: a burst, then a few each second, the rest is counted.
package struct LogGate {
  private let perSecond: Int
  private var second: Int64 = .min
  private var written = 0
  private var suppressed = 0

  package init(perSecond: Int) { self.perSecond = perSecond }

  /// Returns the number of lines held back since the last one if a line may be written now, or
  /// `nil`.
  package mutating func admits(now: Instant) -> Int? {
    let current = now.nanoseconds / 1_000_000_000
    if current != second {
      second = current
      written = 0
    }
    guard written < perSecond else {
      suppressed += 1
      return nil
    }
    written += 1
    defer { suppressed = 0 }
    return suppressed
  }
}
