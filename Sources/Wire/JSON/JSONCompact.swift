/// JSON without the white space that means nothing: equal texts differ only there.
package enum JSONCompact {
  /// `bytes` are valid JSON. Strings keep their white space, and everything else its spelling.
  package static func bytes(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var compact: [UInt8] = []
    compact.reserveCapacity(bytes.count)
    var isString = false
    var isEscaped = false
    var start = bytes.startIndex
    for index in bytes.indices {
      let byte = bytes[index]
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isString = true
      } else if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
        // RFC 8259 §2: these four and nothing else.
        compact += bytes[start..<index]
        start = index + 1
      }
    }
    compact += bytes[start...]
    return compact
  }
}
