/// The search for the quote that ends a string of a valid text. Escapes mean nothing to it but that
/// a quote may be one.
enum QuoteSearch {
  /// Bytes to walk one by one where a quote is near, before blocks are looked at again.
  static let walkBytes = 64

  /// Skips blocks of 16 bytes that have no quote, and notes whether they have a backslash.
  static func block(_ bytes: Span<UInt8>, from start: Int, _ hasSlash: inout Bool) -> Int {
    var at = start
    while bytes.count &- at >= ByteBlock.count {
      let block = ByteBlock(bytes, at: at)
      guard !block.equals(UInt8(ascii: "\"")).areAny else { return at }
      if !hasSlash { hasSlash = block.equals(UInt8(ascii: "\\")).areAny }
      at &+= ByteBlock.count
    }
    return at
  }

  /// Whether the byte at `index` of a string that starts at `start` belongs to a backslash before
  /// it: an odd number of them stands there.
  static func isEscaped(_ bytes: Span<UInt8>, at index: Int, from start: Int) -> Bool {
    var at = index
    while at > start && bytes[at &- 1] == UInt8(ascii: "\\") { at &-= 1 }
    return (index &- at) % 2 == 1
  }
}
