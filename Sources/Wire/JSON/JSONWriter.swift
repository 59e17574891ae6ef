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
    let comma = needsComma
    name.withUTF8Buffer { name in
      bytes.append(addingCapacity: name.count + 4) { output in
        if comma { output.append(UInt8(ascii: ",")) }
        output.append(UInt8(ascii: "\""))
        for index in 0..<name.count { unsafe output.append(name[index]) }
        output.append(UInt8(ascii: "\""))
        output.append(UInt8(ascii: ":"))
      }
    }
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

  /// The texts, one a line, that stand in another text. They are copied as they are spelled there;
  /// only what not every reader can read is decoded and written anew.
  package mutating func string(joining texts: [JSONScanner.Text], in source: [UInt8]) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    for (index, text) in texts.enumerated() {
      if index > 0 { bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")]) }
      if text.isReadable(in: source.span) {
        bytes.append(contentsOf: source[text.range])
      } else {
        JSONEscape.appendInside(text.string(in: source.span).utf8.span, to: &bytes)
      }
    }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  package mutating func int(_ value: Int) { ascii(String(value)) }
  package mutating func bool(_ value: Bool) { word(value ? "true" : "false") }
  package mutating func null() { word("null") }

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

  private mutating func word(_ text: StaticString) {
    comma()
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
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
