/// Reads strings out of a text that the scanner has validated.
extension JSONScanner.Text {
  /// True when the string is `name`. A name in the text may be spelled with escapes
  /// (RFC 8259 §8.3), so the rare escaped one is decoded first.
  @_disfavoredOverload
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

  /// The same for a name in ASCII that this code spelled itself. A key is asked for a dozen names
  /// in turn: all but those of its own length cost one comparison each.
  @inline(__always) func equals(_ name: StaticString, in bytes: Span<UInt8>) -> Bool {
    if isEscaped { return decodes(to: name, in: bytes) }
    return range.count == name.utf8CodeUnitCount && spells(name, in: bytes)
  }

  private func decodes(to name: StaticString, in bytes: Span<UInt8>) -> Bool {
    string(in: bytes) == name.description
  }

  private func spells(_ name: StaticString, in bytes: Span<UInt8>) -> Bool {
    let first = range.lowerBound
    return name.withUTF8Buffer { name in
      for index in 0..<name.count {
        guard unsafe bytes[first &+ index] == name[index] else { return false }
      }
      return true
    }
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
        at = copy(bytes, from: at, upTo: range.upperBound, to: &out)
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

  /// Appends what stands before the next escape and returns where that is.
  private static func copy(
    _ bytes: Span<UInt8>, from start: Int, upTo end: Int, to out: inout [UInt8]
  ) -> Int {
    var at = start
    repeat {
      at = min(PlainRun.end(bytes, from: at + 1), end)
    } while at < end && bytes[at] != UInt8(ascii: "\\")
    let run = bytes.extracting(start..<at)
    unsafe run.withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
    return at
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

  /// The four digits of the `\uXXXX` at `at`.
  static func unit(_ bytes: Span<UInt8>, at: Int) -> UInt32 {
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
