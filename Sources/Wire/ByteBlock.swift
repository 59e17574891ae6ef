/// 16 bytes that are looked at together, to walk a long text fast.
///
/// It is written in arithmetic: the comparisons of `SIMD16`, and `any` and `all` over them, took a
/// hundred times as long.
struct ByteBlock {
  /// The answer to a question about each byte: its highest bit is set for yes, other bits mean
  /// nothing.
  struct Marks {
    fileprivate let bits: SIMD16<UInt8>

    @inline(__always) static func | (left: Marks, right: Marks) -> Marks {
      Marks(bits: left.bits | right.bits)
    }

    @inline(__always) var areAny: Bool { (words.x | words.y) & ByteBlock.highs != 0 }
    @inline(__always) var areAll: Bool {
      words.x & words.y & ByteBlock.highs == ByteBlock.highs
    }

    /// The bytes as two numbers.
    @inline(__always) fileprivate var words: SIMD2<UInt64> {
      unsafe unsafeBitCast(bits, to: SIMD2<UInt64>.self)
    }

    /// The same with 1 for yes and 0 for no.
    @inline(__always) fileprivate var ones: SIMD2<UInt64> {
      SIMD2((words.x & ByteBlock.highs) &>> 7, (words.y & ByteBlock.highs) &>> 7)
    }
  }

  static let count = 16
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  private let bytes: SIMD16<UInt8>

  /// The bytes from `at` on, of which there must be enough.
  @inline(__always) init(_ text: Span<UInt8>, at: Int) {
    precondition(text.count &- at >= Self.count, "a block is whole")
    let raw = unsafe text.bytes
    // In bounds by the line above; any byte pattern is a vector.
    bytes = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self)
  }

  @inline(__always) func equals(_ byte: UInt8) -> Marks {
    let difference = bytes ^ SIMD16(repeating: byte)
    return Marks(bits: (difference &- SIMD16(repeating: 1)) & ~difference)
  }

  /// Letters from A to Z and from a to z.
  @inline(__always) var isLatin: Marks {
    Self.isBelow(26, (bytes | SIMD16(repeating: 0x20)) &- SIMD16(repeating: UInt8(ascii: "a")))
  }

  @inline(__always) var isDigit: Marks {
    Self.isBelow(10, bytes &- SIMD16(repeating: UInt8(ascii: "0")))
  }

  /// Whether the bytes are eight backslashes, each before the letter of an escape of two bytes (RFC
  /// 8259 §7).
  @inline(__always) var isEscapePairs: Bool {
    let slashes = equals(UInt8(ascii: "\\"))
    let signs = slashes | equals(UInt8(ascii: "\"")) | equals(UInt8(ascii: "/"))
    let letters =
      equals(UInt8(ascii: "n")) | equals(UInt8(ascii: "r")) | equals(UInt8(ascii: "t"))
      | equals(UInt8(ascii: "b")) | equals(UInt8(ascii: "f"))
    let seconds = signs | letters
    // The first of each two bytes is in the even places.
    let even: UInt64 = 0x0080_0080_0080_0080
    let odd: UInt64 = 0x8000_8000_8000_8000
    let found = slashes.words & SIMD2(repeating: even) | seconds.words & SIMD2(repeating: odd)
    return found.x & found.y & Self.highs == Self.highs
  }

  @inline(__always) private static func isBelow(_ bound: UInt8, _ bytes: SIMD16<UInt8>) -> Marks {
    Marks(bits: (bytes &- SIMD16(repeating: bound)) & ~bytes)
  }

  /// Appends the bytes, with "+" in place of "-" and "/" in place of "_".
  @inline(__always) func appendWithoutURLLetters(to output: inout OutputSpan<UInt8>) {
    precondition(output.freeCapacity >= Self.count, "a block has room")
    let words = unsafe unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
    let minus = equals(UInt8(ascii: "-")).ones
    let underscore = equals(UInt8(ascii: "_")).ones
    // "-" is "+" and 2, "_" is "/" and 48: no byte borrows from the next one.
    let low = words.x &- minus.x &* 2 &- underscore.x &* 48
    let high = words.y &- minus.y &* 2 &- underscore.y &* 48
    unsafe output.withUnsafeMutableBufferPointer { buffer, count in
      // In bounds by the first line.
      let free = UnsafeMutableRawBufferPointer(buffer.extracting(count...))
      unsafe free.storeBytes(of: SIMD2(low, high), as: SIMD2<UInt64>.self)
      count += Self.count
    }
  }
}
