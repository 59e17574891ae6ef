/// User names and passwords in URLs (RFC 3986 §3.2.1 calls them deprecated): who publishes such a
/// URL publishes the password.
package enum URLUser {
  /// Whether the text is a URL with a user name, as `scheme://user@…`, in any spelling that browsers
  /// read as one (WHATWG URL §4.4): backslashes, any number of slashes, none at all behind `https:`,
  /// no scheme before `//`, tabs and line feeds anywhere.
  package static func isIn(_ text: String) -> Bool { user(in: plain(text)) != nil }

  /// Tabs and line feeds count for nothing in a URL.
  private static func plain(_ text: String) -> String {
    let scalars = text.unicodeScalars.filter { $0 != "\t" && $0 != "\r" && $0 != "\n" }
    return String(String.UnicodeScalarView(scalars))
  }

  /// The range of the user name, with its `@`.
  private static func user(in text: String) -> Range<String.Index>? {
    let trimmed = text.utf8.drop { $0 <= 0x20 }
    var rest = trimmed
    var scheme: String?
    if let colon = trimmed.firstIndex(of: UInt8(ascii: ":")), let first = trimmed.first,
      isLetter(first),
      trimmed[..<colon].allSatisfy({ isLetter($0) || isDigit($0) || schemeMarks.contains($0) })
    {
      scheme = String(trimmed[..<colon])?.lowercased()
      rest = trimmed[trimmed.index(after: colon)...]
    }
    let authority = rest.drop(while: isSlash)
    let slashes = rest.prefix(while: isSlash).count
    let least = scheme.map { special.contains($0) ? 0 : 1 } ?? 2
    let name = authority.prefix { !isSlash($0) && !ends.contains($0) }
    guard slashes >= least, let mark = name.lastIndex(of: UInt8(ascii: "@")),
      scheme != nil && slashes > 0 || !name.contains(0x20)
    else { return nil }
    return authority.startIndex..<name.index(after: mark)
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
    var plain = plain(text)
    guard let user = user(in: plain) else { return text }
    plain.removeSubrange(user)
    return plain
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
  /// Schemes behind which a host follows whatever stands between.
  private static let special: Set<String> = ["http", "https", "ws", "wss", "ftp"]
  private static let ends = Array("?#".utf8)

  private static func isSlash(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { HTTPCharacter.isDigit(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
}
