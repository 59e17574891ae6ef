/// The digest of files that were made before digests had a key (`DigestKey.unkeyedUpTo`). It is
/// only compared with digests that such a file holds, never stored.
///
/// Anybody who chooses the bytes can make two of them collide. It is two lanes of folded 64×64
/// multiplication over 16 bytes at a time.
package struct Digest128: FieldDigest, Sendable {
  private var first: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var second: UInt64 = 0xD1B5_4A32_D192_ED03
  private var length: UInt64 = 0

  package init() {}

  package mutating func update(_ bytes: ArraySlice<UInt8>) {
    let span = unsafe bytes.span.bytes
    var offset = 0
    while offset + 16 <= span.byteCount {
      // In bounds by the line above; any byte pattern is an integer.
      let low = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let high = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
      mix(low, high)
      offset += 16
    }
    var low: UInt64 = 0
    var high: UInt64 = 0
    while offset < span.byteCount {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(bytes[bytes.startIndex + offset])
      offset += 1
    }
    mix(low, high ^ UInt64(span.byteCount) << 56 ^ UInt64(span.byteCount))
    length &+= UInt64(span.byteCount)
  }

  package mutating func update(_ number: UInt64) { mix(number, 0xA076_1D64_78BD_642F) }

  package var value: UUIDBytes {
    var end = self
    end.mix(length, 0xE703_7ED1_A0B4_28DB)
    end.mix(end.second, end.first)
    return UUIDBytes(high: end.first, low: end.second)
  }

  private mutating func mix(_ low: UInt64, _ high: UInt64) {
    let one = (first ^ low).multipliedFullWidth(by: 0xA076_1D64_78BD_642F ^ high | 1)
    let two = (second ^ high).multipliedFullWidth(by: 0x8EBC_6AF0_9C88_C6E3 ^ low | 1)
    first = one.high ^ one.low ^ (second << 32 | second >> 32)
    second = two.high ^ two.low ^ high &+ low
  }
}
