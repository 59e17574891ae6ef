/// Sixteen bytes that are written as a UUID (RFC 9562 §4): 8-4-4-4-12 hexadecimal digits.
///
/// Every message is named several times by such an id: in its path, its response and its delivery,
/// so that the text is read and written without a loop over single digits.
package struct UUIDBytes: Hashable, Sendable, Comparable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads the text form, upper or lower case; `nil` for anything else.
  package init?(_ text: String) { self.init(text.utf8.span) }

  package init?(_ text: Span<UInt8>) {
    guard text.count == 36, text[8] == Self.dash, text[13] == Self.dash, text[18] == Self.dash,
      text[23] == Self.dash
    else { return nil }
    // An invalid digit sets bits above the fourth, here or in any other place.
    var wrong: UInt64 = 0
    let first = Self.read(text, 0..<8, &wrong)
    let second = Self.read(text, 9..<13, &wrong) << 16 | Self.read(text, 14..<18, &wrong)
    let third = Self.read(text, 19..<23, &wrong)
    let fourth = Self.read(text, 24..<36, &wrong)
    guard wrong < 16 else { return nil }
    self.init(high: first << 32 | second, low: third << 48 | fourth)
  }

  package var text: String {
    let digits = InlineArray<36, UInt8>(initializingWith: { output in write(into: &output) })
    guard let text = try? UTF8Span(validating: digits.span) else {
      preconditionFailure("hexadecimal digits are ASCII")
    }
    return String(copying: text)
  }

  package func append(to out: inout [UInt8]) {
    out.append(addingCapacity: 36) { output in write(into: &output) }
  }

  private func write(into output: inout OutputSpan<UInt8>) {
    Self.write(Self.digits(of: high >> 32), 8, &output)
    output.append(Self.dash)
    let middle = Self.digits(of: high & 0xFFFF_FFFF)
    Self.write(middle, 4, &output)
    output.append(Self.dash)
    Self.write(middle << 32, 4, &output)
    output.append(Self.dash)
    let upper = Self.digits(of: low >> 32)
    Self.write(upper, 4, &output)
    output.append(Self.dash)
    Self.write(upper << 32, 4, &output)
    Self.write(Self.digits(of: low & 0xFFFF_FFFF), 8, &output)
  }

  package static func < (left: UUIDBytes, right: UUIDBytes) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  private static let dash = UInt8(ascii: "-")

  /// Appends the first `count` bytes of a word, the highest first.
  @inline(__always) private static func write(
    _ word: UInt64, _ count: UInt64, _ output: inout OutputSpan<UInt8>
  ) {
    for index in 0..<count {
      output.append(UInt8(truncatingIfNeeded: word &>> (56 &- 8 &* index)))
    }
  }

  /// Returns the eight digits of 32 bits, all made at once: each digit is spread to a byte, and
  /// digits from ten on, which carry into their upper half when six is added, are moved to the
  /// letters.
  @inline(__always) private static func digits(of number: UInt64) -> UInt64 {
    var spread = (number | number << 16) & 0x0000_FFFF_0000_FFFF
    spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
    spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
    let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return spread &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }

  @inline(__always) private static func read(
    _ text: Span<UInt8>, _ range: Range<Int>, _ wrong: inout UInt64
  ) -> UInt64 {
    var number: UInt64 = 0
    for index in range {
      let digit = value(ofHex: text[index])
      wrong |= digit
      number = number << 4 | digit
    }
    return number
  }

  /// The value of a digit, or more than 15 for any other byte.
  @inline(__always) private static func value(ofHex byte: UInt8) -> UInt64 {
    let decimal = byte &- UInt8(ascii: "0")
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return decimal < 10 ? UInt64(decimal) : letter < 6 ? UInt64(letter) &+ 10 : 16
  }
}
