/// The members of one object as ranges, for code that looks at a few of them and is not hot.
struct JSONMembers {
  struct Member {
    let name: String
    /// The name with its quotes.
    let key: Range<Int>
    let value: Range<Int>
    let kind: JSONScanner.Kind
  }

  let list: [Member]

  /// Reads the object at `range`; the text has been validated, so anything else is empty.
  init(_ bytes: Span<UInt8>, in range: Range<Int>) {
    list = (try? Self.scan(bytes, from: range.lowerBound)) ?? []
  }

  private static func scan(_ bytes: Span<UInt8>, from: Int) throws(JSONError) -> [Member] {
    var scanner = JSONScanner(at: from)
    guard try scanner.kind(bytes) == .object else { return [] }
    var list: [Member] = []
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      let kind = try scanner.kind(bytes)
      let quoted = key.range.lowerBound - 1..<key.range.upperBound + 1
      list.append(
        Member(
          name: key.string(in: bytes), key: quoted, value: try scanner.skip(bytes), kind: kind))
    }
    return list
  }

  /// The last member of this name that is not null.
  subscript(_ name: String) -> Member? {
    for member in list.reversed() where member.kind != .null && member.name == name {
      return member
    }
    return nil
  }

  /// The last member of one of these names that is not null: in A2A null means absent.
  subscript(_ names: String...) -> Member? {
    list.last { names.contains($0.name) && $0.kind != .null }
  }

  /// The elements of the array at `range`.
  static func elements(_ bytes: Span<UInt8>, in range: Range<Int>) -> [Range<Int>] {
    (try? scanElements(bytes, from: range.lowerBound)) ?? []
  }

  private static func scanElements(
    _ bytes: Span<UInt8>, from: Int
  ) throws(JSONError) -> [Range<Int>] {
    var scanner = JSONScanner(at: from)
    guard try scanner.kind(bytes) == .array else { return [] }
    var list: [Range<Int>] = []
    var isFirst = true
    try scanner.enter(bytes)
    while try scanner.nextElement(bytes, isFirst: &isFirst) { list.append(try scanner.skip(bytes)) }
    return list
  }

  /// The name of an enumeration's value, or its number as it is spelled.
  static func enumeration(_ bytes: Span<UInt8>, _ member: Member) -> String? {
    guard member.kind == .number else { return string(bytes, at: member.value) }
    return JSONScanner.Text(range: member.value, isEscaped: false).string(in: bytes)
  }

  /// The string at `range`, or nil when another kind of value is there.
  static func string(_ bytes: Span<UInt8>, at range: Range<Int>) -> String? {
    text(bytes, at: range)?.string(in: bytes)
  }

  /// The same, not decoded.
  static func text(_ bytes: Span<UInt8>, at range: Range<Int>) -> JSONScanner.Text? {
    var scanner = JSONScanner(at: range.lowerBound)
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
    return try? scanner.string(bytes)
  }
}
