/// What stands at a member that should be a string. In A2A `null` means absent, as both protobuf
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

/// What stands at a member that should be a Boolean or a count.
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

  /// Reads a member that should be an integer of zero or more. Larger ones than fit are cut.
  mutating func count(_ bytes: Span<UInt8>) throws(JSONError) -> ScalarField<Int> {
    let kind = try kind(bytes)
    let range = try skip(bytes)
    guard kind == .number else { return kind == .null ? .absent : .wrong }
    var value = 0
    for at in range {
      let digit = bytes[at] &- UInt8(ascii: "0")
      guard digit < 10 else { return .wrong }
      value = min(value * 10 + Int(digit), Int(Int32.max))
    }
    return .value(value)
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
