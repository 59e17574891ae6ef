/// Requests and responses of any bytes: no trap, no endless loop, memory within the limits, and the
/// same steps whether the bytes come at once or one by one. Run by `Tests/Fuzz/run HTTPHead 60`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let whole = requestSteps(of: [bytes])
  precondition(whole == requestSteps(of: bytes.map { [$0] }), "requests depend on the pieces")
  for step in whole { checkHead(step) }
  precondition(
    responseHeads(of: [bytes]) == responseHeads(of: bytes.map { [$0] }),
    "responses depend on the pieces")
  return 0
}

private func requestSteps(of pieces: [[UInt8]]) -> [HTTPRequestParser.Step] {
  var parser = HTTPRequestParser(limits: fuzzLimits)
  var steps: [HTTPRequestParser.Step] = []
  for piece in pieces {
    parser.receive(piece)
    while true {
      let step = parser.next()
      if step == .needMore { break }
      steps.append(step)
      if case .failure = step { return steps }
    }
    precondition(
      parser.bufferedBytes <= fuzzLimits.headBytesMax + fuzzLimits.bodyBytesMax + piece.count)
  }
  return steps
}

/// What a router does with a head must not trap either.
private func checkHead(_ step: HTTPRequestParser.Step) {
  guard case .head(let head) = step else { return }
  precondition(head.path.utf8.first == 0x2F || head.path == "*")
  precondition(head.headers.count <= fuzzLimits.headersMax)
  _ = PercentEncoding.decode(head.path)
  _ = QueryItems(head.query).first("wait")
  _ = HTTPDate.parse(head.headers.first("if-modified-since") ?? "")
  _ = Base64.decode(head.headers.first("authorization") ?? "")
  _ = Base64.decodeURL(head.headers.first("authorization") ?? "")
  var output: [UInt8] = []
  HTTPResponseWriter.appendHead(
    status: 200, headers: head.headers, body: .none, minor: head.minor, keepAlive: true, date: [],
    to: &output)
}

private func responseHeads(of pieces: [[UInt8]]) -> [HTTPResponseParser.Step] {
  var parser = HTTPResponseParser(limits: fuzzLimits)
  var steps: [HTTPResponseParser.Step] = []
  for piece in pieces + [[]] {
    parser.receive(piece)
    if piece.isEmpty { parser.peerClosed() }
    while true {
      let step = parser.next()
      if step == .needMore { break }
      if case .bodyPart = step { continue }
      steps.append(step)
      if case .failure = step { return steps }
    }
  }
  return steps
}

/// Small, so that inputs of a few kilobytes reach every limit.
private let fuzzLimits: HTTPLimits = {
  var limits = HTTPLimits()
  limits.headBytesMax = 1024
  limits.targetBytesMax = 256
  limits.headersMax = 8
  limits.bodyBytesMax = 512
  limits.chunkLineBytesMax = 32
  return limits
}()
