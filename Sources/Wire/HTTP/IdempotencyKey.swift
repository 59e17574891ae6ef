/// The value of an `Idempotency-Key` field: bare, or as the quoted string of the IETF draft
/// (draft-ietf-httpapi-idempotency-key-header: an RFC 8941 string). Compared without its quotes.
package struct IdempotencyKey: Hashable, Sendable {
  package let text: String

  package struct Refusal: Error, Sendable {
    package let text: String

    package init(text: String) { self.text = text }
  }

  /// The key of a request; `nil` if it has none.
  package static func of(
    _ headers: HTTPHeaders, bytesMax: Int
  ) throws(Refusal) -> IdempotencyKey? {
    let values = headers.all("idempotency-key")
    guard let value = values.first else { return nil }
    guard values.count == 1 else {
      throw Refusal(text: "Idempotency-Key was given more than once; it is allowed once")
    }
    return try IdempotencyKey(value, bytesMax: bytesMax)
  }

  package init(_ value: String, bytesMax: Int) throws(Refusal) {
    let bytes = Array(value.utf8)
    let text = bytes.first == UInt8(ascii: "\"") ? try Self.unquoted(bytes) : bytes
    guard (1...bytesMax).contains(text.count) else {
      throw Refusal(text: "Idempotency-Key must have 1 to \(bytesMax) bytes")
    }
    let isQuoted = text.count < bytes.count
    // RFC 8941 §3.3.3: a quoted string may hold spaces.
    let lowest: UInt8 = isQuoted ? 0x20 : 0x21
    guard text.allSatisfy({ lowest <= $0 && $0 <= 0x7E }),
      isQuoted || !text.contains(UInt8(ascii: "\""))
    else {
      throw Refusal(text: "Idempotency-Key must be visible ASCII, bare or in double quotes")
    }
    self.text = String(decoding: text, as: UTF8.self)
  }

  /// RFC 8941 §4.2.5: a backslash stands before a quote or a backslash and nothing else.
  private static func unquoted(_ bytes: [UInt8]) throws(Refusal) -> [UInt8] {
    let refusal = Refusal(
      text: "Idempotency-Key: a quoted key is \"…\", with nothing behind it, and a backslash only "
        + "before a quote or a backslash")
    var text: [UInt8] = []
    var index = 1
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        guard index == bytes.count else { throw refusal }
        return text
      }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard index < bytes.count,
        bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\")
      else { throw refusal }
      text.append(bytes[index])
      index += 1
    }
    throw refusal
  }
}
