/// Chunked bodies of any bytes, cut in two where the first byte says: both parsers agree about the
/// body, the cut changes nothing, and what was read can be written and read again. Run by
/// `Tests/Fuzz/run Chunked 60`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let coded = Array(bytes[1...])
  let cut = min(Int(bytes[0]), coded.count)
  let whole = requestBody([coded])
  precondition(whole == requestBody([Array(coded[..<cut]), Array(coded[cut...])]))
  precondition(whole == requestBody(coded.map { [$0] }))
  guard let whole else { return 0 }
  precondition(whole == responseBody([Array(coded[..<cut]), Array(coded[cut...])]))
  precondition(whole == responseBody([written(whole, piece: cut + 1)]))
  return 0
}

/// The body of a request whose coded body is `pieces`; nil when it is refused or not complete.
private func requestBody(_ pieces: [[UInt8]]) -> [UInt8]? {
  var limits = HTTPLimits()
  limits.bodyBytesMax = 4096
  var parser = HTTPRequestParser(limits: limits)
  let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
  for piece in [Array(head.utf8)] + pieces {
    parser.receive(piece)
    while true {
      let step = parser.next()
      if case .body(let body) = step { return body }
      if case .failure = step { return nil }
      if step == .needMore { break }
    }
  }
  return nil
}

private func responseBody(_ pieces: [[UInt8]]) -> [UInt8]? {
  var parser = HTTPResponseParser(limits: HTTPLimits())
  var body: [UInt8] = []
  let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  for piece in [Array(head.utf8)] + pieces {
    parser.receive(piece)
    while true {
      let step = parser.next()
      if case .bodyPart(let part) = step { body += part }
      if step == .end { return body }
      if case .failure = step { return nil }
      if step == .needMore { break }
    }
  }
  return nil
}

private func written(_ body: [UInt8], piece: Int) -> [UInt8] {
  var output: [UInt8] = []
  var start = 0
  while start < body.count {
    let end = min(start + piece, body.count)
    HTTPResponseWriter.appendChunk(Array(body[start..<end]), to: &output)
    start = end
  }
  HTTPResponseWriter.appendLastChunk(to: &output)
  return output
}
