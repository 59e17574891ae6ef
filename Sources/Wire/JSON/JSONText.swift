/// Reads strings out of a text that the scanner has validated.
extension JSONScanner.Text {
  /// True when the string is `name`. A name in the text may be spelled with escapes
  /// (RFC 8259 §8.3), so the rare escaped one is decoded first.
  package func equals(_ name: String, in bytes: Span<UInt8>) -> Bool {
    if isEscaped { return string(in: bytes) == name }
    guard range.count == name.utf8.count else { return false }
    var at = range.lowerBound
    for byte in name.utf8 {
      guard bytes[at] == byte else { return false }
      at += 1
    }
    return true
  }

  /// The decoded string. A surrogate escape without its other half becomes U+FFFD, because a
  /// Swift string cannot hold it.
  package func string(in bytes: Span<UInt8>) -> String {
    JSONText.decode(self, in: bytes)
  }

  package var isEmpty: Bool { range.isEmpty }
}

enum JSONText {
  static func decode(_ text: JSONScanner.Text, in bytes: Span<UInt8>) -> String {
    if !text.isEscaped {
      let slice = bytes.extracting(text.range)
      return unsafe slice.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
    return String(decoding: unescaped(text.range, in: bytes), as: UTF8.self)
  }

  /// The bytes of a string with its escapes resolved, as UTF-8.
  static func unescaped(_ range: Range<Int>, in bytes: Span<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var at = range.lowerBound
    while at < range.upperBound {
      guard bytes[at] == UInt8(ascii: "\\") else {
        out.append(bytes[at])
        at += 1
        continue
      }
      switch bytes[at + 1] {
      case UInt8(ascii: "u"):
        let (scalar, end) = scalar(bytes, at: at, upTo: range.upperBound)
        out.append(contentsOf: Character(scalar).utf8)
        at = end
        continue
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      default: out.append(bytes[at + 1])
      }
      at += 2
    }
    return out
  }

  /// The scalar of the `\uXXXX` at `at`, joined with a second one when they are a surrogate pair.
  private static func scalar(
    _ bytes: Span<UInt8>, at: Int, upTo end: Int
  ) -> (Unicode.Scalar, Int) {
    let replacement: Unicode.Scalar = "\u{FFFD}"
    let high = unit(bytes, at: at)
    if let scalar = Unicode.Scalar(high) { return (scalar, at + 6) }
    guard high < 0xDC00, at + 12 <= end, bytes[at + 6] == UInt8(ascii: "\\"),
      bytes[at + 7] == UInt8(ascii: "u")
    else { return (replacement, at + 6) }
    let low = unit(bytes, at: at + 6)
    guard (0xDC00...0xDFFF).contains(low) else { return (replacement, at + 6) }
    let joined = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
    return (Unicode.Scalar(joined) ?? replacement, at + 12)
  }

  private static func unit(_ bytes: Span<UInt8>, at: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in at + 2..<at + 6 { value = value << 4 | UInt32(hex(bytes[index]) ?? 0) }
    return value
  }

  @inline(__always) static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
    default: return nil
    }
  }
}
