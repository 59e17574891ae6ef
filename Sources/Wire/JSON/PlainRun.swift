/// The search for the next byte of a string that means something: a quote, a backslash, a control
/// character, or a byte that is not ASCII. Nearly all text lies between such bytes, so that this
/// loop is most of what reading and writing JSON costs; it looks at 8 or 32 bytes at a time.
enum PlainRun {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080
  private static let spaces: UInt64 = 0x2020_2020_2020_2020
  private static let quotes: UInt64 = 0x2222_2222_2222_2222
  private static let slashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C

  /// The index of the first such byte at or behind `start`, or the count when there is none.
  @inline(__always) static func end(_ bytes: Span<UInt8>, from start: Int) -> Int {
    let raw = unsafe bytes.bytes
    let count = bytes.count
    var at = start
    var isLong = false
    while count &- at >= 8 {
      // In bounds by the line above; any byte pattern is an integer.
      let loaded = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
      let found = marks(UInt64(littleEndian: loaded))
      if found != 0 { return at &+ found.trailingZeroBitCount &>> 3 }
      at &+= 8
      // Most strings are names and ids; whatever is longer than two words may be a long text.
      if isLong { at = endOfBlocks(raw, from: at) }
      isLong = true
    }
    while at < count && isPlain(bytes[at]) { at &+= 1 }
    return at
  }

  /// Skips blocks of 32 bytes as long as all of them are plain.
  private static func endOfBlocks(_ raw: RawSpan, from start: Int) -> Int {
    var at = start
    while raw.byteCount &- at >= 32 {
      // In bounds by the line above; any byte pattern is a vector.
      let low = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self)
      let high = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at &+ 16, as: SIMD16<UInt8>.self)
      let found = unsafe unsafeBitCast(marks(low) | marks(high), to: SIMD2<UInt64>.self)
      guard (found.x | found.y) & highs == 0 else { return at }
      at &+= 32
    }
    return at
  }

  @inline(__always) static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// Returns a mask whose lowest set bit is the highest bit of the first byte that is not plain.
  /// Bits of later bytes may be wrong, because the subtraction borrows after the first match.
  @inline(__always) private static func marks(_ word: UInt64) -> UInt64 {
    let quote = word ^ quotes
    let slash = word ^ slashes
    let low = (word &- spaces) & ~word
    let same = (quote &- ones) & ~quote | (slash &- ones) & ~slash
    return (low | same | word) & highs
  }

  /// Sets the highest bit of every byte that is not plain, and of no other.
  @inline(__always) private static func marks(_ bytes: SIMD16<UInt8>) -> SIMD16<UInt8> {
    let quote = bytes ^ SIMD16(repeating: 0x22)
    let slash = bytes ^ SIMD16(repeating: 0x5C)
    let low = bytes &- SIMD16(repeating: 0x20)
    let same = (quote &- SIMD16(repeating: 1)) | (slash &- SIMD16(repeating: 1))
    return low | same | bytes
  }
}
