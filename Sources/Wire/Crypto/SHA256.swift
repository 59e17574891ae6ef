/// SHA-256, FIPS 180-4 §6.2: for tokens that are stored as hashes, entity tags and HMAC.
package struct SHA256: Sendable {
  package static let blockBytes = 64

  private var state = SHA256State()

  /// The unfinished block; `held` bytes of it count.
  private var block = InlineArray<64, UInt8>(repeating: 0)
  private var held = 0
  private var total: UInt64 = 0

  package init() {}

  package static func hash(_ bytes: [UInt8]) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  package mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

  package mutating func update(_ bytes: Span<UInt8>) {
    total &+= UInt64(bytes.count)
    var index = 0
    while index < bytes.count {
      if held == 0 && bytes.count - index >= Self.blockBytes {
        state.compress(bytes, at: index)
        index += Self.blockBytes
        continue
      }
      block[held] = bytes[index]
      held += 1
      index += 1
      if held == Self.blockBytes {
        state.compress(block.span, at: 0)
        held = 0
      }
    }
  }

  /// The hash of everything handed in so far; more may follow.
  package func finalize() -> Digest {
    var state = state
    var block = block
    // FIPS 180-4 §5.1.1: a one bit, zeros, and the length in bits at the end of a block.
    block[held] = 0x80
    for index in (held + 1)..<Self.blockBytes { block[index] = 0 }
    if held >= 56 {
      state.compress(block.span, at: 0)
      block = InlineArray(repeating: 0)
    }
    let bits = total &* 8
    for index in 0..<8 {
      block[56 + index] = UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * index))
    }
    state.compress(block.span, at: 0)
    return state.digest
  }

  /// 32 bytes of hash, cheap to copy and to use as a key.
  package struct Digest: Hashable, Sendable, CustomStringConvertible {
    let a: UInt64
    let b: UInt64
    let c: UInt64
    let d: UInt64

    init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
      self.a = a
      self.b = b
      self.c = c
      self.d = d
    }

    /// Nil unless there are exactly 32 bytes, as a column of a database should hold.
    package init?(_ bytes: [UInt8]) {
      guard bytes.count == 32 else { return nil }
      func word(_ start: Int) -> UInt64 {
        bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
      }
      self.init(a: word(0), b: word(8), c: word(16), d: word(24))
    }

    package var bytes: [UInt8] {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(32)
      for word in [a, b, c, d] {
        for shift in [56, 48, 40, 32, 24, 16, 8, 0] as [UInt64] {
          bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
      }
      return bytes
    }

    package var hex: String { Hex.encode(bytes) }
    package var description: String { hex }
  }
}
