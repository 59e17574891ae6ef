/// Strings of JSON read and written one byte at a time, straight from RFC 8259 §7 and table 3-7 of
/// Unicode: what the faster loops of the module must agree with on every input.
enum JSONStringReference {
  /// Where a text that is one string is wrong, and in what way; nil when it is right.
  static func problem(_ text: [UInt8]) -> (offset: Int, why: String)? {
    var at = 1
    while at < text.count {
      switch text[at] {
      case 0x22:
        let rest = text[(at + 1)...].drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return rest.isEmpty ? nil : (rest.startIndex, "trailingBytes")
      case 0x5C:
        guard at + 1 < text.count else { return (text.count, "unexpectedEnd") }
        if text[at + 1] == UInt8(ascii: "u") {
          for digit in at + 2..<at + 6 {
            guard digit < text.count else { return (digit, "unexpectedEnd") }
            guard isHex(text[digit]) else { return (digit, "badEscape") }
          }
          at += 6
        } else {
          guard "\"\\/bfnrt".utf8.contains(text[at + 1]) else { return (at + 1, "badEscape") }
          at += 2
        }
      case ..<0x20: return (at, "controlCharacter")
      case ..<0x80: at += 1
      default:
        let length = sequence(text[at...])
        guard length > 0 else { return (at, "badUTF8") }
        at += length
      }
    }
    return (text.count, "unexpectedEnd")
  }

  static func written(_ value: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x22]
    var at = 0
    while at < value.count {
      let length = value[at] < 0x80 ? 1 : sequence(value[at...])
      switch value[at] {
      case 0x22, 0x5C: out += [0x5C, value[at]]
      case 0x08: out += Array(#"\b"#.utf8)
      case 0x09: out += Array(#"\t"#.utf8)
      case 0x0A: out += Array(#"\n"#.utf8)
      case 0x0C: out += Array(#"\f"#.utf8)
      case 0x0D: out += Array(#"\r"#.utf8)
      case ..<0x10: out += Array("\\u000\(String(value[at], radix: 16))".utf8)
      case ..<0x20: out += Array("\\u00\(String(value[at], radix: 16))".utf8)
      default: out += length > 0 ? value[at..<at + length] : [0xEF, 0xBF, 0xBD]
      }
      at += max(length, 1)
    }
    return out + [0x22]
  }

  /// The length of the well-formed sequence at the front, or 0: it is one if a Unicode decoder
  /// reads exactly one scalar from it.
  private static func sequence(_ bytes: ArraySlice<UInt8>) -> Int {
    for length in 2...4 where bytes.count >= length {
      let head = Array(bytes.prefix(length))
      if let text = String(validating: head, as: UTF8.self), text.unicodeScalars.count == 1 {
        return length
      }
    }
    return 0
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    "0123456789abcdefABCDEF".utf8.contains(byte)
  }
}
