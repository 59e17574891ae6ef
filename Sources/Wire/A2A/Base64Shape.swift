/// The spelling of a string that should be base64 (RFC 4648 §4, §5).
///
/// Many writers break lines (RFC 2045 §6.8: every 76 characters), leave out the padding or use the
/// alphabet of URLs. The official servers take all of that, but not every reader decodes it:
/// Python's `b64decode` drops the letters that only URLs have. So it is passed on in the one form
/// that all readers have.
enum Base64Shape {
  case canonical, loose, wrong

  init(_ text: JSONScanner.Text, in bytes: Span<UInt8>) {
    if text.isEscaped {
      // Some writers escape every slash, and line breaks are: the decoded bytes are what counts.
      let decoded = JSONText.unescaped(text.range, in: bytes)
      self.init(decoded.span, 0..<decoded.count)
    } else {
      self.init(bytes, text.range)
    }
  }

  private init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    var letters = 0
    var last: UInt8 = 0
    var padding = 0
    var isCanonical = true
    var at = range.lowerBound
    while at < range.upperBound {
      // Nearly all of a file is letters.
      if padding == 0, range.upperBound &- at >= ByteBlock.count {
        let block = ByteBlock(bytes, at: at)
        if Self.areLetters(block) {
          if Self.isOfURLs(block).areAny { isCanonical = false }
          letters += ByteBlock.count
          at += ByteBlock.count
          last = bytes[at - 1]
          continue
        }
      }
      defer { at += 1 }
      switch bytes[at] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        letters += 1
      case UInt8(ascii: "-"), UInt8(ascii: "_"):
        letters += 1
        isCanonical = false
      case UInt8(ascii: "="):
        padding += 1
        continue
      case 0x20, 0x09, 0x0A, 0x0D:
        isCanonical = false
        continue
      default:
        self = .wrong
        return
      }
      guard padding == 0 else {
        self = .wrong
        return
      }
      last = bytes[at]
    }
    guard letters % 4 != 1, padding <= 2, letters > 0 || padding == 0 else {
      self = .wrong
      return
    }
    if Self.withoutRest(last, letters: letters) != last { isCanonical = false }
    self = isCanonical && (letters + padding) % 4 == 0 ? .canonical : .loose
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The last letter without the bits that belong to no byte, which strict decoders want to be zero
  /// (RFC 4648 §3.5).
  private static func withoutRest(_ letter: UInt8, letters: Int) -> UInt8 {
    let rest = [0, 0, 4, 2][letters % 4]
    guard rest > 0, let six = alphabet.firstIndex(of: letter) else { return letter }
    return alphabet[(six >> rest) << rest]
  }

  /// The string at `range`, quotes included, in the canonical form; nil when it has that already.
  static func mended(_ bytes: Span<UInt8>, at range: Range<Int>) -> [UInt8]? {
    var scanner = JSONScanner(at: range.lowerBound)
    guard bytes[range.lowerBound] == UInt8(ascii: "\""), let text = try? scanner.string(bytes),
      Base64Shape(text, in: bytes) == .loose
    else { return nil }
    var mended: [UInt8] = []
    mended.reserveCapacity(text.range.count + 2)
    if text.isEscaped {
      append(JSONText.unescaped(text.range, in: bytes).span, to: &mended)
    } else {
      append(bytes.extracting(text.range), to: &mended)
    }
    if let last = mended.last {
      mended[mended.count - 1] = withoutRest(last, letters: mended.count)
    }
    while mended.count % 4 != 0 { mended.append(UInt8(ascii: "=")) }
    return mended
  }

  /// Appends the letters of `text` as they are in the canonical alphabet, without padding.
  private static func append(_ text: Span<UInt8>, to mended: inout [UInt8]) {
    mended.append(addingCapacity: text.count) { output in
      var at = 0
      while at < text.count {
        if text.count &- at >= ByteBlock.count {
          let block = ByteBlock(text, at: at)
          if areLetters(block) {
            block.appendWithoutURLLetters(to: &output)
            at += ByteBlock.count
            continue
          }
        }
        defer { at += 1 }
        switch text[at] {
        case UInt8(ascii: "-"): output.append(UInt8(ascii: "+"))
        case UInt8(ascii: "_"): output.append(UInt8(ascii: "/"))
        case UInt8(ascii: "="), 0x20, 0x09, 0x0A, 0x0D: continue
        case let letter: output.append(letter)
        }
      }
    }
  }

  /// All bytes are letters, of whichever alphabet.
  @inline(__always) private static func areLetters(_ block: ByteBlock) -> Bool {
    let isOther = block.equals(UInt8(ascii: "+")) | block.equals(UInt8(ascii: "/"))
    return (block.isLatin | block.isDigit | isOther | isOfURLs(block)).areAll
  }

  /// Letters that only the alphabet of URLs has.
  @inline(__always) private static func isOfURLs(_ block: ByteBlock) -> ByteBlock.Marks {
    block.equals(UInt8(ascii: "-")) | block.equals(UInt8(ascii: "_"))
  }
}
