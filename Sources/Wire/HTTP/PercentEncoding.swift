/// Percent-encoding of URLs: RFC 3986 §2.1.
package enum PercentEncoding {
  /// The text with every escape replaced by its byte; nil when an escape is not `%` and two digits,
  /// or the bytes are not UTF-8. A decoded path may hold `/` and NUL: split before decoding.
  package static func decode(_ text: String) -> String? {
    guard text.utf8.contains(percent) else { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == percent else {
        bytes.append(byte)
        continue
      }
      guard let escaped = escape(&rest) else { return nil }
      bytes.append(escaped)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  static let percent: UInt8 = 0x25

  /// Takes the two digits after a percent sign; takes nothing when they are not there.
  static func escape(_ rest: inout Substring.UTF8View) -> UInt8? {
    let digits = rest.prefix(2)
    guard digits.count == 2, let high = Hex.value(of: digits[digits.startIndex]),
      let low = Hex.value(of: digits[digits.index(after: digits.startIndex)])
    else { return nil }
    rest = rest.dropFirst(2)
    return high << 4 | low
  }
}
