/// The value of a member that should be a string. In A2A `null` means absent, as both protobuf
/// JSON and the 0.3 schema's optional members have it.
enum Field {
  case absent
  case text(JSONScanner.Text)
  case wrong

  var text: JSONScanner.Text? {
    if case .text(let text) = self { text } else { nil }
  }

  var isAbsent: Bool {
    if case .absent = self { true } else { false }
  }

  var isWrong: Bool {
    if case .wrong = self { true } else { false }
  }
}

/// The spellings of ProtoJSON (protobuf.dev/programming-guides/json) that readers of 1.0 take.
enum ProtoJSON {
  /// An integer as `5`, `"5"`, `5.0` or `1e1`. One that is too large for an `Int` is cut.
  static func integer(_ text: String) -> Int? {
    if let integer = Int(text) { return integer }
    // `Double` reads hexadecimals, too.
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
      let number = Double(text), number == number.rounded(.towardZero)
    else { return nil }
    return Int(exactly: number) ?? (number < 0 ? .min : .max)
  }
}

/// The value of a member that should be a Boolean or a count.
enum ScalarField<Value> {
  case absent
  case value(Value)
  case wrong
}

extension JSONScanner {
  /// Reads a member that should be a string.
  mutating func field(_ bytes: Span<UInt8>) throws(JSONError) -> Field {
    switch try kind(bytes) {
    case .string: return .text(try string(bytes))
    case .null:
      try literal(bytes)
      return .absent
    default:
      try skip(bytes)
      return .wrong
    }
  }

  mutating func flag(_ bytes: Span<UInt8>) throws(JSONError) -> ScalarField<Bool> {
    let kind = try kind(bytes)
    let isTrue = bytes[index] == UInt8(ascii: "t")
    try skip(bytes)
    switch kind {
    case .bool: return .value(isTrue)
    case .null: return .absent
    default: return .wrong
    }
  }

  /// Reads a member that should be an integer of zero or more, as `ProtoJSON` spells it.
  mutating func count(_ bytes: Span<UInt8>) throws(JSONError) -> ScalarField<Int> {
    switch try enumeration(bytes) {
    case .absent: return .absent
    case .text(let text):
      guard let value = ProtoJSON.integer(text.string(in: bytes)), value >= 0 else { return .wrong }
      return .value(value)
    case .wrong: return .wrong
    }
  }

  /// Reads a member that should be a name out of a few, which 1.0 also allows as its number.
  mutating func enumeration(_ bytes: Span<UInt8>) throws(JSONError) -> Field {
    guard try kind(bytes) == .number else { return try field(bytes) }
    return .text(Text(range: try skip(bytes), isEscaped: false))
  }

  /// Reads an object member; false when something other than an object or null is there.
  mutating func isObjectOrNull(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
    let kind = try kind(bytes)
    try skip(bytes)
    return kind == .object || kind == .null
  }

  /// Reads an array of strings; nil when something else is there.
  mutating func strings(_ bytes: Span<UInt8>) throws(JSONError) -> [Text]? {
    switch try kind(bytes) {
    case .null:
      try literal(bytes)
      return []
    case .array:
      var list: [Text] = []
      var isGood = true
      var isFirst = true
      try enter(bytes)
      while try nextElement(bytes, isFirst: &isFirst) {
        if case .text(let text) = try field(bytes) { list.append(text) } else { isGood = false }
      }
      return isGood ? list : nil
    default:
      try skip(bytes)
      return nil
    }
  }
}
