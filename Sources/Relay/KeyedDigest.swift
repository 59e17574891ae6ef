/// A digest of fields in 128 bits, by which equal calls and repeated results are recognized.
package protocol FieldDigest {
  /// Adds one field of bytes. The length counts: `ab`, `c` differs from `a`, `bc`.
  mutating func update(_ bytes: ArraySlice<UInt8>)
  mutating func update(_ number: UInt64)
  var value: UUIDBytes { get }
}

extension FieldDigest {
  package mutating func update(_ text: String) { update(Array(text.utf8)[...]) }

  package func of(_ bytes: [UInt8]) -> UUIDBytes {
    var digest = self
    digest.update(bytes[...])
    return digest.value
  }
}

/// The secret of one workspace's digests. It is made with the workspace's file and stays in it, so
/// that the digests that the file holds keep their meaning over restarts, backups and exports.
package struct DigestKey: Sendable, Equatable {
  package var secret: UUIDBytes
  /// Messages up to this number were stored before the file had a key: their digests may be of
  /// `Digest128`.
  package var unkeyedUpTo: Seq

  package init(secret: UUIDBytes, unkeyedUpTo: Seq = 0) {
    self.secret = secret
    self.unkeyedUpTo = unkeyedUpTo
  }
}

/// SipHash-2-4 with 128 bits: without the key nobody can make two calls that collide.
///
/// Callers choose the bytes of their messages, and a caller may pass on bytes that somebody else
/// has written. With a digest without a secret, the author of such bytes could take another
/// message's place. Each field is fed as its length and its bytes, padded with zeros to whole
/// words.
package struct KeyedDigest: FieldDigest, Sendable {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  private var words: UInt64 = 0

  package init(_ key: DigestKey) {
    v0 = key.secret.high ^ 0x736F_6D65_7073_6575
    v1 = key.secret.low ^ 0x646F_7261_6E64_6F6D ^ 0xEE
    v2 = key.secret.high ^ 0x6C79_6765_6E65_7261
    v3 = key.secret.low ^ 0x7465_6462_7974_6573
  }

  package mutating func update(_ bytes: ArraySlice<UInt8>) {
    let span = unsafe bytes.span.bytes
    update(UInt64(span.byteCount))
    var offset = 0
    while offset &+ 8 <= span.byteCount {
      // In bounds by the line above; any byte pattern is an integer.
      update(
        UInt64(
          littleEndian: unsafe span.unsafeLoadUnaligned(
            fromByteOffset: offset, as: UInt64.self)))
      offset &+= 8
    }
    guard offset < span.byteCount else { return }
    var rest: UInt64 = 0
    for place in offset..<span.byteCount {
      rest |= UInt64(bytes[bytes.startIndex + place]) << UInt64(8 * (place - offset))
    }
    update(rest)
  }

  package mutating func update(_ number: UInt64) {
    words &+= 1
    v3 ^= number
    round()
    round()
    v0 ^= number
  }

  package var value: UUIDBytes {
    var end = self
    // The last word of SipHash: the length of all in its highest byte.
    end.update(words << 59)
    end.v2 ^= 0xEE
    let high = end.finish()
    end.v1 ^= 0xDD
    return UUIDBytes(high: high, low: end.finish())
  }

  private mutating func finish() -> UInt64 {
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  @inline(__always) private mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }
}
