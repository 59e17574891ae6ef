/// A JSON value as a tree, for everything off the hot path: cards, settings, tests.
///
/// Numbers keep their spelling and members their order, so that a value which is only passed on
/// comes out as it went in, white space aside. When a name repeats, the last one is read
/// (RFC 8259 §4) and all are written.
package indirect enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  package struct Member: Equatable, Sendable {
    package var key: String
    package var value: JSON

    package init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// - `valuesMax`: members and elements that the text may have. Each takes some 100 bytes of
  ///   memory here, however short it is.
  package init(
    parsing bytes: [UInt8], valuesMax: Int = JSONScanner.valuesMax
  ) throws(JSONError) {
    try self.init(parsing: bytes.span, valuesMax: valuesMax)
  }

  package init(
    parsing bytes: ArraySlice<UInt8>, valuesMax: Int = JSONScanner.valuesMax
  ) throws(JSONError) {
    try self.init(parsing: bytes.span, valuesMax: valuesMax)
  }

  package init(
    parsing span: Span<UInt8>, valuesMax: Int = JSONScanner.valuesMax
  ) throws(JSONError) {
    var scanner = JSONScanner(valuesMax: valuesMax)
    try scanner.begin(span)
    self = try Self.value(span, &scanner)
    try scanner.end(span)
  }

  private static func value(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> JSON {
    switch try scanner.kind(bytes) {
    case .string: return .string(try scanner.string(bytes).string(in: bytes))
    case .number:
      let text = JSONScanner.Text(range: try scanner.skip(bytes), isEscaped: false)
      return .number(text.string(in: bytes))
    case .bool:
      let isTrue = bytes[scanner.index] == UInt8(ascii: "t")
      try scanner.literal(bytes)
      return .bool(isTrue)
    case .null:
      try scanner.literal(bytes)
      return .null
    case .array:
      var elements: [JSON] = []
      var isFirst = true
      try scanner.enter(bytes)
      while try scanner.nextElement(bytes, isFirst: &isFirst) {
        elements.append(try value(bytes, &scanner))
      }
      return .array(elements)
    case .object:
      var members: [Member] = []
      var names = JSONScanner.Names()
      try scanner.enter(bytes)
      while let key = try scanner.nextKey(bytes, &names) {
        members.append(Member(key.string(in: bytes), try value(bytes, &scanner)))
      }
      return .object(members)
    }
  }
}

extension JSON {
  /// The member's value; nil when there is none or this is not an object. Setting nil removes it,
  /// setting a new name appends it.
  package subscript(key: String) -> JSON? {
    get { object?.last { $0.key == key }?.value }
    set {
      guard case .object(var members) = self else { return }
      let at = members.lastIndex { $0.key == key }
      if let at, let newValue {
        members[at].value = newValue
      } else if let newValue {
        members.append(Member(key, newValue))
      } else {
        members.removeAll { $0.key == key }
      }
      self = .object(members)
    }
  }

  /// Sets many members in one pass; the subscript would look through all of them for each.
  package mutating func set(_ added: some Sequence<Member>) {
    guard case .object(var members) = self else { return }
    // An assignment must not copy the list.
    self = .null
    var places: [String: Int] = [:]
    for (place, member) in members.enumerated() { places[member.key] = place }
    for member in added {
      if let place = places[member.key] {
        members[place].value = member.value
      } else {
        places[member.key] = members.count
        members.append(member)
      }
    }
    self = .object(members)
  }

  package var isNull: Bool { self == .null }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The number when it is spelled as an integer that fits.
  package var int: Int? {
    if case .number(let raw) = self { Int(raw) } else { nil }
  }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var array: [JSON]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var object: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(nilLiteral: ()) { self = .null }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .number(String(value)) }
  package init(stringLiteral value: String) { self = .string(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}

extension JSON {
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    write(into: &out)
    return out
  }

  /// Appends the value in its compact form.
  package func write(into out: inout [UInt8]) {
    var writer = JSONWriter(appendingTo: out)
    out = []
    write(into: &writer)
    out = writer.bytes
  }

  package func write(into writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let raw): writer.raw(Array(raw.utf8))
    case .string(let value): writer.string(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(into: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(member.key)
        member.value.write(into: &writer)
      }
      writer.endObject()
    }
  }
}
