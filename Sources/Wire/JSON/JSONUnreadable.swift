/// The reason why a JSON text is not accepted: some reader of A2A could not read it (RFC 8259 §8.2,
/// §9 and §4 leave that open). One rule for calls, results and cards, whatever member it stands in.
package struct JSONUnreadable: Equatable, Sendable, CustomStringConvertible {
  /// Limit: Levels of nested JSON in a call, a result or a card. The official Python client of 1.0
  /// reads 46 levels inside a part of a status message, and a short result has one more.
  package static let depthMax = 47
  /// A number of more characters may be too large without an exponent.
  static let digitsMax = 308

  /// The text is for people; the case is for tests.
  package enum Problem: String, Sendable {
    case surrogate =
      "half of a surrogate pair (\\ud800 to \\udfff) is no character; cut texts between characters"
    case null = "the character U+0000 is not allowed in strings and names; leave it out"
    case number = "the number is too large; up to 1.7e308 is allowed"
    case depth = "arrays and objects may be nested 47 deep; these are deeper"
    case repeated = "the member is there twice; each name is allowed once in an object"
  }

  package let problem: Problem
  /// The path of the value, such as `params.message.parts[0].text`.
  package let path: String

  package var description: String {
    path.isEmpty ? problem.rawValue : "\(path): \(problem.rawValue)"
  }

  /// The first such place in a text that is valid JSON; nil when everybody can read it.
  package static func first(in bytes: Span<UInt8>) -> JSONUnreadable? {
    var search = Search()
    var scanner = JSONScanner()
    do throws(JSONError) {
      try scanner.begin(bytes)
      if try search.isGood(bytes, &scanner) { return nil }
    } catch {
      // Whoever reads the text says what is no JSON in it.
      return nil
    }
    return search.problem.map { JSONUnreadable(problem: $0, path: search.path) }
  }

  /// The same for a text that `scanner` has walked from its first to its last byte.
  static func first(in bytes: Span<UInt8>, walkedBy scanner: JSONScanner) -> JSONUnreadable? {
    scanner.isSuspect ? first(in: bytes) : nil
  }

  /// The place is the member `name` of the object that is the whole text, or inside of it.
  func isIn(_ name: String) -> Bool {
    path == name || path.hasPrefix(name + ".") || path.hasPrefix(name + "[")
  }
}

/// Walks a valid text until something in it is unreadable.
private struct Search {
  /// Members of one object that are compared with each other; more are looked up.
  private static let comparedMax = 16
  /// Letters of one member's name that a path shows.
  private static let shownMax = 40

  var problem: JSONUnreadable.Problem?
  /// From the inside to the outside.
  private var steps: [String] = []
  private var depth = 0
  /// The names of the objects that are open, those of the innermost last.
  private var names: [JSONScanner.Text] = []

  var path: String {
    var path = ""
    for step in steps.reversed() { path += path.isEmpty || step.hasPrefix("[") ? step : "." + step }
    return path
  }

  mutating func isGood(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    switch try scanner.kind(bytes) {
    case .string:
      scanner.isSuspect = false
      let text = try scanner.string(bytes)
      return !scanner.isSuspect || isGood(text, bytes)
    case .number: return isFinite(try scanner.skip(bytes), bytes) || found(.number)
    case .bool, .null:
      try scanner.literal(bytes)
      return true
    case .object, .array:
      guard depth < JSONUnreadable.depthMax else { return found(.depth) }
      depth += 1
      defer { depth -= 1 }
      return try bytes[scanner.index] == UInt8(ascii: "{")
        ? isObjectGood(bytes, &scanner) : isArrayGood(bytes, &scanner)
    }
  }

  private mutating func isArrayGood(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    var isFirst = true
    var index = 0
    try scanner.enter(bytes)
    while try scanner.nextElement(bytes, isFirst: &isFirst) {
      guard try isGood(bytes, &scanner) else {
        steps.append("[\(index)]")
        return false
      }
      index += 1
    }
    return true
  }

  private mutating func isObjectGood(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    let start = names.count
    var known: Set<[UInt8]> = []
    var seen = JSONScanner.Names()
    try scanner.enter(bytes)
    while let name = try scanner.nextKey(bytes, &seen) {
      guard isGood(name, bytes), isNew(name, since: start, &known, bytes) || found(.repeated),
        try isGood(bytes, &scanner)
      else {
        steps.append(String(name.string(in: bytes).prefix(Self.shownMax)))
        return false
      }
    }
    names.removeSubrange(start...)
    return true
  }

  private mutating func found(_ problem: JSONUnreadable.Problem) -> Bool {
    self.problem = problem
    return false
  }

  private mutating func isNew(
    _ name: JSONScanner.Text, since start: Int, _ known: inout Set<[UInt8]>, _ bytes: Span<UInt8>
  ) -> Bool {
    let count = names.count - start
    if count == Self.comparedMax {
      for name in names[start...] { known.insert(Self.bytes(name, bytes)) }
    }
    if count >= Self.comparedMax {
      names.append(name)
      return known.insert(Self.bytes(name, bytes)).inserted
    }
    for other in names[start...] where isSame(other, name, bytes) { return false }
    names.append(name)
    return true
  }

  private func isSame(
    _ one: JSONScanner.Text, _ other: JSONScanner.Text, _ bytes: Span<UInt8>
  ) -> Bool {
    if one.isEscaped || other.isEscaped {
      return Self.bytes(one, bytes) == Self.bytes(other, bytes)
    }
    guard one.range.count == other.range.count else { return false }
    for at in 0..<one.range.count
    where bytes[one.range.lowerBound + at] != bytes[other.range.lowerBound + at] { return false }
    return true
  }

  /// Names are the same when their bytes are: `String` would take canonical equivalents for one.
  private static func bytes(_ name: JSONScanner.Text, _ bytes: Span<UInt8>) -> [UInt8] {
    Array(name.string(in: bytes).utf8)
  }

  /// Looks at escapes only: bytes that are not escaped are UTF-8, and no controls.
  private mutating func isGood(_ text: JSONScanner.Text, _ bytes: Span<UInt8>) -> Bool {
    guard text.isEscaped else { return true }
    var at = text.range.lowerBound
    let end = text.range.upperBound
    while at < end {
      guard bytes[at] == UInt8(ascii: "\\") else {
        at = PlainRun.end(bytes, from: at)
        if at < end, bytes[at] != UInt8(ascii: "\\") { at += 1 }
        continue
      }
      guard bytes[at + 1] == UInt8(ascii: "u") else {
        at += 2
        continue
      }
      switch JSONText.unit(bytes, at: at) {
      case 0: return found(.null)
      case .some(let unit) where unit & 0xF800 == 0xD800:
        guard JSONText.isPair(unit, bytes, at: at, upTo: end) else { return found(.surrogate) }
        at += 12
      default: at += 6
      }
    }
    return true
  }

  /// Whether a binary64 holds the number (RFC 8259 §6). One that is short and has no exponent fits.
  private func isFinite(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
    var hasExponent = false
    for at in range where bytes[at] | 0x20 == UInt8(ascii: "e") { hasExponent = true }
    guard hasExponent || range.count > JSONUnreadable.digitsMax else { return true }
    let text = JSONScanner.Text(range: range, isEscaped: false).string(in: bytes)
    return Double(text)?.isFinite ?? false
  }
}
