/// User names and passwords in URLs (RFC 3986 §3.2.1 calls them deprecated): who publishes such a
/// URL publishes the password.
package enum URLUser {
  /// Whether the text is a URL with a user name: `scheme://user@…`, also with backslashes or another
  /// number of slashes, as browsers read it.
  package static func isIn(_ text: String) -> Bool {
    let bytes = text.utf8.drop { $0 <= 0x20 }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      let first = bytes.first, isLetter(first),
      bytes[..<colon].allSatisfy({ isLetter($0) || isDigit($0) || Self.schemeMarks.contains($0) })
    else { return false }
    let rest = bytes[bytes.index(after: colon)...]
    let authority = rest.drop(while: isSlash)
    guard authority.startIndex != rest.startIndex else { return false }
    return authority.prefix { !isSlash($0) && !Self.ends.contains($0) }
      .contains(UInt8(ascii: "@"))
  }

  /// The path of the first string in a JSON value that is such a URL, as `provider.url`.
  package static func place(in json: JSON) -> String? {
    if let text = json.string { return isIn(text) ? "" : nil }
    for member in json.object ?? [] {
      if let inner = place(in: member.value) { return join(member.key, inner) }
    }
    for (index, element) in (json.array ?? []).enumerated() {
      if let inner = place(in: element) { return join("\(index)", inner) }
    }
    return nil
  }

  /// The text without it; any other text as it is.
  static func removed(from text: String) -> String {
    guard isIn(text), let colon = text.firstIndex(of: ":") else { return text }
    let rest = text[text.index(after: colon)...]
    let authority = rest.drop { $0 == "/" || $0 == "\\" }
    let end = authority.firstIndex { "/\\?#".contains($0) } ?? authority.endIndex
    guard let mark = authority[..<end].lastIndex(of: "@") else { return text }
    return String(text[..<authority.startIndex] + text[text.index(after: mark)...])
  }

  /// The value with all its strings so.
  static func removed(from json: JSON) -> JSON {
    switch json {
    case .string(let text): .string(removed(from: text))
    case .array(let elements): .array(elements.map { removed(from: $0) })
    case .object(let members):
      .object(members.map { JSON.Member($0.key, removed(from: $0.value)) })
    case .null, .bool, .number: json
    }
  }

  private static func join(_ name: String, _ inner: String) -> String {
    inner.isEmpty ? name : "\(name).\(inner)"
  }

  private static let schemeMarks = Array("+-.".utf8)
  private static let ends = Array("?#".utf8)

  private static func isSlash(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { HTTPCharacter.isDigit(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
}
