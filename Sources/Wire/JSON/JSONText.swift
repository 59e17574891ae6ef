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

  /// Whether no escape of the string stands for what not every reader takes.
  func isReadable(in bytes: Span<UInt8>) -> Bool {
    guard isEscaped else { return true }
    var scanner = JSONScanner()
    scanner.index = range.lowerBound - 1
    return (try? scanner.string(bytes)) != nil && !scanner.isSuspect
  }
}

extension [JSONScanner.Text] {
  /// The texts, one a line.
  func joined(in bytes: Span<UInt8>) -> String {
    var joined = ""
    for (index, text) in enumerated() {
      if index > 0 { joined += "\n" }
      joined += text.string(in: bytes)
    }
    return joined
  }
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
    // No escape is shorter than what it stands for.
    out.append(addingCapacity: range.count) { output in
      var at = range.lowerBound
      while at < range.upperBound {
        if bytes[at] == UInt8(ascii: "\\") {
          at = resolve(bytes, at: at, upTo: range.upperBound, to: &output)
          continue
        }
        // What is neither plain nor a backslash is a letter of another script.
        let end = min(PlainRun.end(bytes, from: at), range.upperBound)
        copy(bytes.extracting(at..<max(end, at + 1)), to: &output)
        at = max(end, at + 1)
      }
    }
    return out
  }

  private static func copy(_ run: Span<UInt8>, to output: inout OutputSpan<UInt8>) {
    precondition(run.count <= output.freeCapacity, "a run has as much room as in its text")
    unsafe run.withUnsafeBufferPointer { run in
      unsafe output.withUnsafeMutableBufferPointer { buffer, count in
        // In bounds by the line above.
        _ = unsafe buffer.extracting(count...).update(fromContentsOf: run)
        count += run.count
      }
    }
  }

  /// Appends what the escape at `at` stands for, and returns where it ends.
  @inline(__always) private static func resolve(
    _ bytes: Span<UInt8>, at: Int, upTo end: Int, to output: inout OutputSpan<UInt8>
  ) -> Int {
    let letter = bytes[at &+ 1]
    switch letter {
    case UInt8(ascii: "u"):
      let (scalar, end) = scalar(bytes, at: at, upTo: end)
      if scalar.isASCII {
        output.append(UInt8(truncatingIfNeeded: scalar.value))
      } else {
        for byte in String(scalar).utf8 { output.append(byte) }
      }
      return end
    case UInt8(ascii: "n"): output.append(0x0A)
    case UInt8(ascii: "r"): output.append(0x0D)
    case UInt8(ascii: "t"): output.append(0x09)
    case UInt8(ascii: "b"): output.append(0x08)
    case UInt8(ascii: "f"): output.append(0x0C)
    default: output.append(letter)
    }
    return at &+ 2
  }

  /// The scalar of the `\uXXXX` at `at`, joined with a second one when they are a surrogate pair.
  private static func scalar(
    _ bytes: Span<UInt8>, at: Int, upTo end: Int
  ) -> (Unicode.Scalar, Int) {
    let replacement: Unicode.Scalar = "\u{FFFD}"
    let high = unit(bytes, at: at) ?? 0
    if let scalar = Unicode.Scalar(high) { return (scalar, at + 6) }
    guard isPair(high, bytes, at: at, upTo: end), let low = unit(bytes, at: at + 6) else {
      return (replacement, at + 6)
    }
    let joined = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
    return (Unicode.Scalar(joined) ?? replacement, at + 12)
  }

  /// Whether `unit`, which the `\uXXXX` at `at` is, and another escape behind it are the halves of
  /// a surrogate pair.
  static func isPair(_ unit: UInt32, _ bytes: Span<UInt8>, at: Int, upTo end: Int) -> Bool {
    guard (0xD800...0xDBFF).contains(unit), at + 12 <= end,
      bytes[at + 6] == UInt8(ascii: "\\"), bytes[at + 7] == UInt8(ascii: "u"),
      let low = Self.unit(bytes, at: at + 6)
    else { return false }
    return (0xDC00...0xDFFF).contains(low)
  }

  /// The four digits of the `\uXXXX` at `at`; nil when there are others, or fewer.
  @inline(__always) static func unit(_ bytes: Span<UInt8>, at: Int) -> UInt32? {
    guard at &+ 6 <= bytes.count else { return nil }
    let raw = unsafe bytes.bytes
    // In bounds by the line above; any byte pattern is an integer.
    let loaded = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at &+ 2, as: UInt32.self)
    let digits = UInt32(bigEndian: loaded)
    // The highest bit of a byte is set from the first of a range of characters on, and not from
    // the one behind its last on. No byte carries into the next one: all are ASCII.
    guard digits & 0x8080_8080 == 0 else { return nil }
    let small = digits | 0x2020_2020
    let isNumber = (digits &+ 0x5050_5050) & ~(digits &+ 0x4646_4646)
    let isLetter = (small &+ 0x1F1F_1F1F) & ~(small &+ 0x1919_1919)
    guard (isNumber | isLetter) & 0x8080_8080 == 0x8080_8080 else { return nil }
    let values = (digits & 0x0F0F_0F0F) &+ (digits >> 6 & 0x0101_0101) &* 9
    let pairs = (values | values >> 4) & 0x00FF_00FF
    return (pairs | pairs >> 8) & 0xFFFF
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
