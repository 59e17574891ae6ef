/// One agent's identity on the relay. It is random when the relay makes it, and otherwise the id
/// that a platform gave.
package struct WorkspaceID: Hashable, Sendable, CustomStringConvertible {
  package let bytes: UUIDBytes

  package init(_ bytes: UUIDBytes) { self.bytes = bytes }

  package init?(_ text: String) { self.init(text.utf8.span) }

  package init?(_ text: Span<UInt8>) {
    guard let bytes = UUIDBytes(text) else { return nil }
    self.bytes = bytes
  }

  /// Makes an id from 128 random bits: RFC 9562 version 4.
  package init(random high: UInt64, _ low: UInt64) {
    bytes = UUIDBytes(
      high: high & ~0xF000 | 0x4000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  package var text: String { bytes.text }
  package var description: String { text }

  /// The 32 bits by which a message id finds its workspace. Several workspaces may share them: the
  /// message's tag decides.
  package var short: UInt32 {
    // FNV-1a over the sixteen bytes: ids that a platform gives may be alike in their first bits.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in [bytes.high, bytes.low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        hash = (hash ^ (word >> UInt64(shift) & 0xFF)) &* 0x100_0000_01B3
      }
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }
}

/// The number of a message in its workspace's file: 1, 2, 3 … and never given twice.
package typealias Seq = Int64

/// The public id of a message, and of the task that it opens.
///
/// It is a UUID of RFC 9562 version 8 (custom layout): 32 bits of the workspace, 42 bits of the
/// sequence number, 48 random bits. It leads to the message without an index, in a relay with any
/// number of workspaces and also after the workspace has moved. The random bits make it
/// unguessable.
package struct MessageID: Hashable, Sendable, CustomStringConvertible {
  package let bytes: UUIDBytes

  package init(workspace: UInt32, seq: Seq, tag: UInt64) {
    precondition(seq > 0 && seq < 1 << 42, "a sequence number has 42 bits")
    let number = UInt64(seq)
    // version 8 and variant 10 take six bits: 16 + 12 + 14 are left for the number.
    let upper = (number >> 26) << 16 | 0x8000 | (number >> 14 & 0xFFF)
    let lower = (number & 0x3FFF) << 48 | tag & 0xFFFF_FFFF_FFFF
    bytes = UUIDBytes(
      high: UInt64(workspace) << 32 | upper, low: 0x8000_0000_0000_0000 | lower)
  }

  /// Reads the text form; `nil` if no relay can have made it.
  package init?(_ text: String) { self.init(text.utf8.span) }

  package init?(_ text: Span<UInt8>) {
    guard let bytes = UUIDBytes(text) else { return nil }
    self.init(bytes)
  }

  package init?(_ bytes: UUIDBytes) {
    guard bytes.high >> 12 & 15 == 8, bytes.low >> 62 == 2 else { return nil }
    self.bytes = bytes
    guard seq > 0 else { return nil }
  }

  package var workspace: UInt32 { UInt32(truncatingIfNeeded: bytes.high >> 32) }

  package var seq: Seq {
    let upper = (bytes.high >> 16 & 0xFFFF) << 26
    let middle = (bytes.high & 0xFFF) << 14
    let lower = bytes.low >> 48 & 0x3FFF
    return Seq(upper | middle | lower)
  }

  package var tag: UInt64 { bytes.low & 0xFFFF_FFFF_FFFF }
  package var text: String { bytes.text }
  package var description: String { text }
}

/// The number in a lease token: (boot number << 40) + counter. Every delivery gets a higher one, so
/// that a result with an old fence never overwrites a newer one. 23 bits of starts and 40 of
/// deliveries last for more than a century.
package struct Fence: Hashable, Comparable, Sendable {
  package let number: Int64

  package init(number: Int64) { self.number = number }
  package init(boot: UInt32, counter: UInt64) {
    precondition(boot < Fence.boots && counter < 1 << 40, "a fence has 23 and 40 bits")
    number = Int64(boot) << 40 | Int64(counter)
  }

  /// The number of different boot numbers.
  package static let boots: UInt32 = 1 << 23

  package static func < (left: Fence, right: Fence) -> Bool { left.number < right.number }
}
