/// Responses as bytes, appended to the buffer that goes out in one write.
///
/// No value can split a response: control characters in values become spaces (RFC 9110 §5.5), and a
/// field whose name is not a token is left out. The fields that frame the message (Connection,
/// Content-Length, Transfer-Encoding, Date) are written here, from `body` and the other arguments,
/// and left out of what the caller passes; two of them would let a peer choose where it ends.
package enum HTTPResponseWriter {
  package typealias Body = HTTPResponseHead.Body

  /// The form of a body of unknown length: HTTP/1.0 cannot read chunks (RFC 9112 §7.1).
  package static func stream(toMinor minor: Int) -> Body { minor > 0 ? .chunked : .untilClose }

  /// Appends status line, fields and the empty line.
  ///
  /// `minor` is the request's version, `date` the bytes of `HTTPDate.format`. For the answer to
  /// HEAD pass the body that GET would have had, and write none of it. With `untilClose` the
  /// connection must be closed afterwards, and the head says so whatever `keepAlive` is.
  package static func appendHead(
    status: Int, headers: [(String, String)], body: Body, minor: Int, keepAlive: Bool,
    date: [UInt8], to output: inout [UInt8]
  ) {
    appendStart(status: status, body: body, minor: minor, to: &output)
    for (name, value) in headers {
      appendField(name.utf8.span, value.utf8.span, to: &output)
    }
    appendEnd(body: body, minor: minor, keepAlive: keepAlive, date: date, to: &output)
  }

  /// Writes fields that came from another message; their spelling stays.
  package static func appendHead(
    status: Int, headers: HTTPHeaders, body: Body, minor: Int, keepAlive: Bool, date: [UInt8],
    to output: inout [UInt8]
  ) {
    appendStart(status: status, body: body, minor: minor, to: &output)
    headers.forEachPair { appendField($0.span, $1.span, to: &output) }
    appendEnd(body: body, minor: minor, keepAlive: keepAlive, date: date, to: &output)
  }

  /// Appends a response of status 1xx, such as `100 Continue`. Never to an HTTP/1.0 client (RFC
  /// 9110 §15.2).
  package static func appendInterim(status: Int, to output: inout [UInt8]) {
    precondition((100..<200).contains(status) && status != 101, "not an interim status")
    appendStatusLine(status, to: &output)
    output.append(contentsOf: "\r\n".utf8)
  }

  /// Appends one piece of a streamed body. An empty piece appends nothing: as a chunk it would be
  /// the last one.
  package static func appendChunk(
    _ bytes: [UInt8], as body: Body = .chunked, to output: inout [UInt8]
  ) {
    guard body == .chunked else {
      output.append(contentsOf: bytes)
      return
    }
    guard !bytes.isEmpty else { return }
    output.append(contentsOf: String(bytes.count, radix: 16).utf8)
    output.append(contentsOf: "\r\n".utf8)
    output.append(contentsOf: bytes)
    output.append(contentsOf: "\r\n".utf8)
  }

  /// Appends the end of a streamed body; without chunks that is the connection's end.
  package static func appendLastChunk(as body: Body = .chunked, to output: inout [UInt8]) {
    if body == .chunked { output.append(contentsOf: "0\r\n\r\n".utf8) }
  }

  private static func appendStart(
    status: Int, body: Body, minor: Int, to output: inout [UInt8]
  ) {
    precondition((200...599).contains(status), "a final status has three digits")
    precondition(minor > 0 || body != .chunked, "an HTTP/1.0 client cannot read chunks")
    // RFC 9110 §8.6, RFC 9112 §6.1: neither length nor coding in a response without a body.
    precondition(status != 204 || body == .none, "204 has no body")
    appendStatusLine(status, to: &output)
  }

  /// RFC 9112 §2.3: the version is the server's own, also to an HTTP/1.0 client.
  private static func appendStatusLine(_ status: Int, to output: inout [UInt8]) {
    // Nearly every answer is this one.
    if status == 200 { return append("HTTP/1.1 200 OK\r\n", to: &output) }
    append("HTTP/1.1 ", to: &output)
    appendDecimal(status, to: &output)
    output.append(HTTPCharacter.space)
    output.append(contentsOf: HTTPStatus.reason(status).utf8)
    append("\r\n", to: &output)
  }

  private static func appendEnd(
    body: Body, minor: Int, keepAlive: Bool, date: [UInt8], to output: inout [UInt8]
  ) {
    switch body {
    case .length(let length):
      append("Content-Length: ", to: &output)
      appendDecimal(length, to: &output)
      append("\r\n", to: &output)
    case .chunked: append("Transfer-Encoding: chunked\r\n", to: &output)
    case .none, .untilClose: break
    }
    if !keepAlive || body == .untilClose {
      append("Connection: close\r\n", to: &output)
    } else if minor == 0 {
      // RFC 9112 §9.3: an HTTP/1.0 client must be told that the connection stays open.
      append("Connection: keep-alive\r\n", to: &output)
    }
    append("Date: ", to: &output)
    output.append(contentsOf: date)
    append("\r\n\r\n", to: &output)
  }

  private static func appendField(
    _ name: Span<UInt8>, _ value: Span<UInt8>, to output: inout [UInt8]
  ) {
    guard isWritable(name) else { return }
    output.append(addingCapacity: name.count + value.count + 4) { output in
      for index in name.indices { output.append(name[index]) }
      output.append(HTTPCharacter.colon)
      output.append(HTTPCharacter.space)
      for index in value.indices {
        let byte = value[index]
        output.append(HTTPCharacter.isFieldValue(byte) ? byte : HTTPCharacter.space)
      }
      output.append(HTTPCharacter.carriageReturn)
      output.append(HTTPCharacter.lineFeed)
    }
  }

  private static func isWritable(_ name: Span<UInt8>) -> Bool {
    guard !name.isEmpty else { return false }
    for index in name.indices where !HTTPCharacter.isToken(name[index]) { return false }
    return switch name.count {
    case 4: !spells(name, "date")
    case 10: !spells(name, "connection")
    case 14: !spells(name, "content-length")
    case 17: !spells(name, "transfer-encoding")
    default: true
    }
  }

  /// Whether a name of the word's length is the word, which is in lower case.
  private static func spells(_ name: Span<UInt8>, _ word: String) -> Bool {
    let word = word.utf8.span
    for index in word.indices where HTTPCharacter.lowercased(name[index]) != word[index] {
      return false
    }
    return true
  }

  private static func append(_ text: StaticString, to output: inout [UInt8]) {
    text.withUTF8Buffer { unsafe output.append(contentsOf: $0) }
  }

  private static func appendDecimal(_ number: Int, to output: inout [UInt8]) {
    // Up to fifteen digits such a string lives in registers, not on the heap.
    output.append(contentsOf: String(number).utf8)
  }
}
