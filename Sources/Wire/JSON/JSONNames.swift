extension JSONScanner {
  /// The names of the object that is being walked, as numbers that differ when names do, nearly
  /// always: they tell that no name is there twice, without looking at the names again.
  package struct Names {
    /// More names than this are not compared here.
    private static let max = 16

    var isFirst = true
    /// As many as `count` are set.
    private var seen = InlineArray<16, UInt32>(repeating: 0)
    private var count = 0

    package init() {}

    /// Notes a name. False: it may have been there before, or it cannot be told here.
    mutating func add(_ name: Text, _ bytes: Span<UInt8>) -> Bool {
      // Two spellings of one name have different numbers.
      guard !name.isEscaped, count < Self.max else { return false }
      let number = Self.number(name.range, bytes)
      // Most objects have a few names: a loop costs less than a vector.
      for index in 0..<count where seen[index] == number { return false }
      seen[count] = number
      count += 1
      return true
    }

    /// A number made of the length, the first and the last eight bytes.
    private static func number(_ range: Range<Int>, _ bytes: Span<UInt8>) -> UInt32 {
      var mixed = UInt64(truncatingIfNeeded: range.count)
      if range.count >= 8 {
        let raw = unsafe bytes.bytes
        // In bounds by the line above; any byte pattern is an integer.
        let first = unsafe raw.unsafeLoadUnaligned(
          fromByteOffset: range.lowerBound, as: UInt64.self)
        let last = unsafe raw.unsafeLoadUnaligned(
          fromByteOffset: range.upperBound &- 8, as: UInt64.self)
        mixed = (mixed ^ first) &* 0x9E37_79B9_7F4A_7C15 ^ last
      } else {
        for at in range { mixed = mixed << 8 | UInt64(bytes[at]) }
      }
      return UInt32(truncatingIfNeeded: (mixed &* 0xD6E8_FEB8_6659_FD93) >> 32) | 1
    }
  }
}
