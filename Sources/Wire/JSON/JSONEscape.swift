/// The escape loop of RFC 8259 §7: only what must be escaped is, and clean runs are copied whole.
enum JSONEscape {
  static func append(_ text: Span<UInt8>, to out: inout [UInt8]) {
    reserve(text.count + 2, in: &out)
    out.append(UInt8(ascii: "\""))
    appendInside(text, to: &out)
    out.append(UInt8(ascii: "\""))
  }

  /// The same without the quotes.
  static func appendInside(_ text: Span<UInt8>, to out: inout [UInt8]) {
    var runStart = 0
    var at = 0
    while true {
      at = PlainRun.end(text, from: at)
      guard at < text.count else { break }
      let byte = text[at]
      if byte >= 0x80 {
        let length = UTF8Check.length(text, at: at)
        if length > 0 {
          at += length
          continue
        }
      }
      copy(text, runStart..<at, to: &out)
      escape(byte, to: &out)
      at += 1
      runStart = at
    }
    copy(text, runStart..<at, to: &out)
  }

  /// Makes room once for what is certain to come. Never less than twice what there was: many short
  /// strings must not each move the array.
  private static func reserve(_ more: Int, in out: inout [UInt8]) {
    let needed = out.count + more
    if needed > out.capacity { out.reserveCapacity(max(needed, out.capacity * 2)) }
  }

  private static func copy(_ text: Span<UInt8>, _ run: Range<Int>, to out: inout [UInt8]) {
    guard !run.isEmpty else { return }
    let slice = text.extracting(run)
    unsafe slice.withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
  }

  @inline(__always) private static func escape(_ byte: UInt8, to out: inout [UInt8]) {
    let short = letter(byte)
    if short != 0 {
      out.append(UInt8(ascii: "\\"))
      out.append(short)
    } else {
      escapeRare(byte, to: &out)
    }
  }

  /// The character behind the backslash where two characters are enough, else 0.
  @inline(__always) private static func letter(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
    case 0x0A: UInt8(ascii: "n")
    case 0x0D: UInt8(ascii: "r")
    case 0x09: UInt8(ascii: "t")
    case 0x08: UInt8(ascii: "b")
    case 0x0C: UInt8(ascii: "f")
    default: 0
    }
  }

  private static func escapeRare(_ byte: UInt8, to out: inout [UInt8]) {
    if byte >= 0x80 {
      out.append(contentsOf: [0xEF, 0xBF, 0xBD])
    } else {
      let low = byte & 0x0F
      out.append(contentsOf: [0x5C, UInt8(ascii: "u"), 0x30, 0x30, 0x30 + (byte >> 4)])
      out.append(low < 10 ? 0x30 + low : UInt8(ascii: "a") + low - 10)
    }
  }
}
