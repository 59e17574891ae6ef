/// Appends compact JSON to `bytes`; commas and colons are its own business.
///
/// Nesting is not checked: each `begin` needs its `end`, and inside an object every value follows
/// a `key`. Bytes given to `raw` are appended as they are and count as one value.
package struct JSONWriter: Sendable {
  package var bytes: [UInt8]
  private var needsComma = false

  package init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Goes on behind `bytes`, which hold whole values or nothing.
  package init(appendingTo bytes: consuming [UInt8]) { self.bytes = bytes }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  /// A member's name that this code spelled itself: ASCII without anything to escape.
  package mutating func key(_ name: StaticString) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A member's name from elsewhere.
  @_disfavoredOverload
  package mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A member's name as it stands in another text, quotes included.
  mutating func key(raw name: ArraySlice<UInt8>) {
    comma()
    bytes.append(contentsOf: name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ value: String) { string(utf8: value.utf8.span) }

  package mutating func string(utf8 bytes: [UInt8]) { string(utf8: bytes.span) }

  package mutating func string(utf8 slice: ArraySlice<UInt8>) { string(utf8: slice.span) }

  /// A string value from UTF-8 bytes. Bytes that are not UTF-8 become U+FFFD, one each.
  package mutating func string(utf8: Span<UInt8>) {
    comma()
    JSONEscape.append(utf8, to: &bytes)
    needsComma = true
  }

  package mutating func int(_ value: Int) { ascii(String(value)) }
  package mutating func bool(_ value: Bool) { ascii(value ? "true" : "false") }
  package mutating func null() { ascii("null") }

  /// One finished JSON value.
  package mutating func raw(_ value: [UInt8]) {
    comma()
    bytes.append(contentsOf: value)
    needsComma = true
  }

  package mutating func raw(_ value: ArraySlice<UInt8>) {
    comma()
    bytes.append(contentsOf: value)
    needsComma = true
  }

  /// An object without its closing brace, so that members can be added behind its own.
  mutating func rawOpen(_ object: ArraySlice<UInt8>, isEmpty: Bool) {
    comma()
    bytes.append(contentsOf: object)
    needsComma = !isEmpty
  }

  private mutating func ascii(_ text: String) {
    comma()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func open(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }
}

/// The escape loop of RFC 8259 §7: only what must be escaped is, and clean runs are copied whole.
enum JSONEscape {
  static func append(_ text: Span<UInt8>, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var runStart = 0
    var at = 0
    while at < text.count {
      let byte = text[at]
      if byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
        at += 1
        continue
      }
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
    out.append(UInt8(ascii: "\""))
  }

  private static func copy(_ text: Span<UInt8>, _ run: Range<Int>, to out: inout [UInt8]) {
    guard !run.isEmpty else { return }
    let slice = text.extracting(run)
    unsafe slice.withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
  }

  private static func escape(_ byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""): out.append(contentsOf: [0x5C, 0x22])
    case UInt8(ascii: "\\"): out.append(contentsOf: [0x5C, 0x5C])
    case 0x0A: out.append(contentsOf: [0x5C, UInt8(ascii: "n")])
    case 0x0D: out.append(contentsOf: [0x5C, UInt8(ascii: "r")])
    case 0x09: out.append(contentsOf: [0x5C, UInt8(ascii: "t")])
    case 0x08: out.append(contentsOf: [0x5C, UInt8(ascii: "b")])
    case 0x0C: out.append(contentsOf: [0x5C, UInt8(ascii: "f")])
    case 0x80...: out.append(contentsOf: [0xEF, 0xBF, 0xBD])
    default:
      let low = byte & 0x0F
      out.append(contentsOf: [0x5C, UInt8(ascii: "u"), 0x30, 0x30, 0x30 + (byte >> 4)])
      out.append(low < 10 ? 0x30 + low : UInt8(ascii: "a") + low - 10)
    }
  }
}
