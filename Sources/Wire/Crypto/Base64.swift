/// Bytes as text and back: RFC 4648 §4 (standard, padded) and §5 (`base64url`, here never padded).
package enum Base64 {
  package static func encode(_ bytes: [UInt8]) -> String {
    encode(bytes, with: standard, padded: true)
  }

  /// Encodes tokens and names for URLs.
  package static func encodeURL(_ bytes: [UInt8]) -> String {
    encode(bytes, with: url, padded: false)
  }

  /// Nil unless `text` is exactly what `encode` makes of some bytes: padded, no white space, no
  /// bits beyond the last byte (RFC 4648 §3.5), so that one value has one spelling.
  package static func decode(_ text: String) -> [UInt8]? {
    let count = text.utf8.count
    guard count % 4 == 0 else { return nil }
    let padding = text.utf8.reversed().prefix(2).prefix { $0 == 0x3D }.count
    return decode(text.utf8.dropLast(padding), as: standardValue)
  }

  /// Nil unless `text` is exactly what `encodeURL` makes of some bytes.
  package static func decodeURL(_ text: String) -> [UInt8]? {
    decode(text.utf8[...], as: urlValue)
  }

  private static let standard = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let url = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static func encode(_ bytes: [UInt8], with alphabet: [UInt8], padded: Bool) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var bits: UInt32 = 0
    var held: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      held += 8
      while held >= 6 {
        held -= 6
        text.append(alphabet[Int(bits >> held & 63)])
      }
    }
    if held > 0 { text.append(alphabet[Int(bits << (6 - held) & 63)]) }
    while padded && text.count % 4 != 0 { text.append(0x3D) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func decode(_ text: Substring.UTF8View, as value: (UInt8) -> UInt32?) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var bits: UInt32 = 0
    var held: UInt32 = 0
    for character in text {
      guard let six = value(character) else { return nil }
      bits = bits << 6 | six
      held += 6
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> held))
      }
    }
    return bits & (1 << held - 1) == 0 ? bytes : nil
  }

  private static func standardValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x2B: 62
    case 0x2F: 63
    default: commonValue(byte)
    }
  }

  private static func urlValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x2D: 62
    case 0x5F: 63
    default: commonValue(byte)
    }
  }

  private static func commonValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5A: UInt32(byte - 0x41)
    case 0x61...0x7A: UInt32(byte - 0x61 + 26)
    case 0x30...0x39: UInt32(byte - 0x30 + 52)
    default: nil
    }
  }
}
