/// The character classes of RFC 9110 §5.6, as questions about one byte.
enum HTTPCharacter {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let comma: UInt8 = 0x2C
  static let slash: UInt8 = 0x2F
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let question: UInt8 = 0x3F

  /// RFC 9110 §5.6.2: `tchar`, what methods and field names are made of.
  @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
    let mask = byte < 64 ? tokenLow : byte < 128 ? tokenHigh : 0
    return mask &>> UInt64(byte) & 1 == 1
  }

  /// RFC 9110 §5.5: visible characters, space, tab and obs-text. NUL and the other controls are not
  /// among them, and DEL is not either.
  @inline(__always) static func isFieldValue(_ byte: UInt8) -> Bool {
    byte >= space ? byte != 0x7F : byte == tab
  }

  @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// RFC 3986 §3.2.2: what a host and port may contain, brackets of an IPv6 literal included.
  static func isAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x24...0x2E, 0x30...0x3B, 0x3D, 0x41...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x7E: true
    default: false
    }
  }

  /// A bit for each byte below 64 and from 64 on. They are spelled out so that the compiler sees
  /// them: a head asks for every byte of its names.
  private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
  private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE
}
