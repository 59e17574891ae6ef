/// Walks a JSON text once, refuses whatever RFC 8259 does not allow, and hands out byte ranges.
///
/// Nothing is built: the caller asks for the next member or element, looks at its first byte, and
/// either walks into it or skips it. What is skipped is validated just as strictly. A lone
/// surrogate escape (`"\ud800"`) is grammatical (RFC 8259 §8.2) and passes; it is repaired only
/// when a string is decoded. A name may repeat inside an object (§4): every occurrence is handed
/// out, and all users in this module let the last one win, as most parsers do.
///
/// The bytes are passed to each call, always the same ones; the scanner itself is only a position.
package struct JSONScanner: Sendable {
  /// Limit: Levels of nested JSON: it bounds the stack, and no A2A message comes near.
  package static let depthMax = 128
  /// More members and elements than this in one text are refused. What the relay does with a text
  /// costs so much for each of them, and so much for each byte; the second bound is the body's.
  package static let valuesMax = 100_000

  package var index: Int
  var depth = 0
  /// Something was walked over that `JSONUnreadable` may object to. It is set for everything that
  /// it objects to, and for a little more: texts without it need no second walk.
  var isSuspect = false
  /// The text was validated: strings are only looked through for their end.
  let isInside: Bool
  /// Members and elements that may still come.
  private var valuesLeft: Int

  /// A walk over a whole text, which has at most `valuesMax` members and elements.
  package init(valuesMax: Int = Self.valuesMax) {
    index = 0
    isInside = false
    valuesLeft = valuesMax
  }

  /// A walk inside a text that was validated, from `index`: its values have been counted.
  package init(at index: Int) {
    self.index = index
    isInside = true
    valuesLeft = .max
  }

  /// One string of the text: the range between its quotes, and whether it holds escapes.
  package struct Text: Equatable, Sendable {
    package var range: Range<Int>
    package var isEscaped: Bool
  }

  /// The kind of a value, told from its first byte.
  package enum Kind: Sendable {
    case object, array, string, number, bool, null
  }

  /// Checks that `bytes` hold exactly one JSON value, with nothing but white space around it, and
  /// returns its range. It has at most `valuesMax` members and elements.
  @discardableResult
  package static func validate(
    _ bytes: Span<UInt8>, valuesMax: Int = Self.valuesMax
  ) throws(JSONError) -> Range<Int> {
    var scanner = JSONScanner(valuesMax: valuesMax)
    return try scanner.whole(bytes)
  }

  /// Walks the one value that `bytes` hold, with the white space around it, and returns its range.
  mutating func whole(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
    try begin(bytes)
    let range = try skip(bytes)
    try end(bytes)
    return range
  }

  /// Moves to the first byte of the text's value. RFC 8259 §8.1: a byte order mark may be refused.
  package mutating func begin(_ bytes: Span<UInt8>) throws(JSONError) {
    if index == 0 && bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF {
      throw JSONError(offset: 0, problem: .byteOrderMark)
    }
    skipSpace(bytes)
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
  }

  /// Checks that nothing but white space follows.
  package mutating func end(_ bytes: Span<UInt8>) throws(JSONError) {
    skipSpace(bytes)
    guard index == bytes.count else { throw fail(.trailingBytes) }
  }

  /// The kind of the value that starts here.
  package func kind(_ bytes: Span<UInt8>) throws(JSONError) -> Kind {
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
    switch bytes[index] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    default: throw fail(.unexpectedByte)
    }
  }

  /// Steps into the object or array that starts here.
  package mutating func enter(_ bytes: Span<UInt8>) throws(JSONError) {
    guard depth < Self.depthMax else { throw fail(.tooDeep) }
    depth += 1
    if depth > JSONUnreadable.depthMax { isSuspect = true }
    index += 1
  }

  /// The name of the next member, with the position on its value; nil behind the closing brace.
  /// Each object has `names` of its own.
  package mutating func nextKey(
    _ bytes: Span<UInt8>, _ names: inout Names
  ) throws(JSONError) -> Text? {
    guard try next(bytes, close: UInt8(ascii: "}"), isFirst: &names.isFirst) else { return nil }
    guard bytes[index] == UInt8(ascii: "\"") else { throw fail(.expectedKey) }
    let key = try string(bytes)
    if !names.add(key, bytes) { isSuspect = true }
    skipSpace(bytes)
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
    guard bytes[index] == UInt8(ascii: ":") else { throw fail(.expectedColon) }
    index += 1
    skipSpace(bytes)
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
    return key
  }

  /// Moves to the next element; false behind the closing bracket.
  package mutating func nextElement(
    _ bytes: Span<UInt8>, isFirst: inout Bool
  ) throws(JSONError) -> Bool {
    try next(bytes, close: UInt8(ascii: "]"), isFirst: &isFirst)
  }

  private mutating func next(
    _ bytes: Span<UInt8>, close: UInt8, isFirst: inout Bool
  ) throws(JSONError) -> Bool {
    skipSpace(bytes)
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
    if bytes[index] == close {
      depth -= 1
      index += 1
      return false
    }
    valuesLeft &-= 1
    guard valuesLeft >= 0 else { throw fail(.tooManyValues) }
    if isFirst {
      isFirst = false
      return true
    }
    guard bytes[index] == UInt8(ascii: ",") else { throw fail(.expectedComma) }
    index += 1
    skipSpace(bytes)
    guard index < bytes.count else { throw fail(.unexpectedEnd) }
    // `[1,]` and `{"a":1,}` are not JSON.
    guard bytes[index] != close else { throw fail(.unexpectedByte) }
    return true
  }

  /// Validates the value that starts here, moves behind it and returns its range.
  @discardableResult
  package mutating func skip(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
    let start = index
    switch try kind(bytes) {
    case .string: _ = try string(bytes)
    case .number: try number(bytes)
    case .bool, .null: try literal(bytes)
    case .object:
      try enter(bytes)
      var names = Names()
      while try nextKey(bytes, &names) != nil { try skip(bytes) }
    case .array:
      try enter(bytes)
      var isFirst = true
      while try nextElement(bytes, isFirst: &isFirst) { try skip(bytes) }
    }
    return start..<index
  }

  @inline(__always) mutating func skipSpace(_ bytes: Span<UInt8>) {
    // RFC 8259 §2: space, tab, line feed, carriage return and nothing else.
    while index < bytes.count {
      let byte = bytes[index]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      index += 1
    }
  }

  @inline(__always) func fail(_ problem: JSONError.Problem) -> JSONError {
    JSONError(offset: index, problem: problem)
  }
}
