import Testing

@testable import Wire

@Suite struct HTTPMalformedTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let input: String
    let status: Int
    let reason: HTTPFailure.Reason
    var testDescription: String { "\(reason) \(input.debugDescription.prefix(60))" }

    init(_ input: String, _ status: Int, _ reason: HTTPFailure.Reason) {
      self.input = input
      self.status = status
      self.reason = reason
    }

    /// A request whose fields, after Host, are `fields`.
    init(fields: String, _ status: Int, _ reason: HTTPFailure.Reason) {
      self.init("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n", status, reason)
    }

    init(chunks: String, _ status: Int, _ reason: HTTPFailure.Reason) {
      self.init(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)", status, reason)
    }
  }

  static let requestLines: [Case] = [
    Case("\u{16}\u{3}\u{1}\u{2}", 400, .notHTTP),
    Case(" GET / HTTP/1.1\r\n", 400, .notHTTP),
    Case("GET\r\n", 400, .malformedRequestLine),
    Case("GET /\r\n", 400, .malformedRequestLine),
    Case("GET  HTTP/1.1\r\n", 400, .malformedRequestLine),
    Case("GET  / HTTP/1.1\r\n", 400, .malformedRequestLine),
    Case("GET /a b HTTP/1.1\r\n", 400, .malformedRequestLine),
    Case("GET / HTTP/1.1 \r\n", 400, .malformedRequestLine),
    Case("GET\t/\tHTTP/1.1\r\n", 400, .malformedRequestLine),
    Case("G(T / HTTP/1.1\r\n", 400, .malformedRequestLine),
    Case("GET / http/1.1\r\n", 400, .malformedRequestLine),
    Case("GET / HTTP/1.1x\r\n", 400, .malformedRequestLine),
    Case("\r\n\r\n\r\n\r\n\r\n", 400, .malformedRequestLine),
    Case("GET / HTTP/1.1\n", 400, .bareLineBreak),
    Case("GET /\r HTTP/1.1\r\n", 400, .bareLineBreak),
    Case("GET\r / HTTP/1.1\r\n", 400, .bareLineBreak),
    Case("\nGET / HTTP/1.1\r\n", 400, .bareLineBreak),
    Case("\rGET / HTTP/1.1\r\n", 400, .bareLineBreak),
    Case("GET /a#b HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET /ä HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET /\u{0} HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET /\t HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET * HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET a/b HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET h:80 HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET http:///p HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET http://u@h/p HTTP/1.1\r\n", 400, .malformedTarget),
    Case("GET ftp://h/p HTTP/1.1\r\n", 400, .malformedTarget),
    Case("CONNECT h:80 HTTP/1.1\r\n", 501, .tunnel),
    Case("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, .unsupportedVersion),
    Case("GET / HTTP/1.2\r\n", 505, .unsupportedVersion),
    Case("GET / HTTP/0.9\r\n", 505, .unsupportedVersion),
  ]

  static let fields: [Case] = [
    Case("GET / HTTP/1.1\r\n\r\n", 400, .hostCount),
    Case("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n", 400, .hostCount),
    Case("GET / HTTP/1.0\r\nHost: h\r\nhost: h\r\n\r\n", 400, .hostCount),
    Case("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, .malformedHost),
    Case("GET / HTTP/1.1\r\nHost: u@h/p\r\n\r\n", 400, .malformedHost),
    Case("GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, .foldedField),
    Case(fields: "A: b\r\n\tc", 400, .foldedField),
    Case(fields: "A : b", 400, .malformedField),
    Case(fields: ": b", 400, .malformedField),
    Case(fields: "A b", 400, .malformedField),
    Case(fields: "A", 400, .malformedField),
    Case(fields: "Ä: b", 400, .malformedField),
    Case(fields: "A: b\u{0}c", 400, .malformedField),
    Case(fields: "A\u{0}: b", 400, .malformedField),
    Case(fields: "A: b\u{7F}", 400, .malformedField),
    Case(fields: "A: b\rc: d", 400, .bareLineBreak),
    Case(fields: "A: b\nc: d", 400, .bareLineBreak),
    Case(fields: "A: b\r\n\n", 400, .bareLineBreak),
    Case(fields: "Content-Length: 1\r\nTransfer-Encoding: chunked", 400, .lengthAndEncoding),
    Case(fields: "Transfer-Encoding: x\r\nContent-Length: 1", 400, .lengthAndEncoding),
    Case(fields: "Content-Length: 1\r\nContent-Length: 2", 400, .repeatedContentLength),
    Case(fields: "Content-Length: 1\r\nContent-Length: 1", 400, .repeatedContentLength),
    Case(fields: "Content-Length: 1, 1", 400, .malformedContentLength),
    Case(fields: "Content-Length:", 400, .malformedContentLength),
    Case(fields: "Content-Length: +1", 400, .malformedContentLength),
    Case(fields: "Content-Length: -1", 400, .malformedContentLength),
    Case(fields: "Content-Length: 0x1", 400, .malformedContentLength),
    Case(fields: "Content-Length: 1 1", 400, .malformedContentLength),
    Case(fields: "Content-Length: 10485761", 413, .bodyTooLarge),
    Case(fields: "Content-Length: 99999999999999999999999999", 413, .bodyTooLarge),
    Case(fields: "Content-Length: 18446744073709551617", 413, .bodyTooLarge),
    Case(fields: "Transfer-Encoding: gzip, chunked", 501, .unsupportedEncoding),
    Case(fields: "Transfer-Encoding: identity", 501, .unsupportedEncoding),
    Case(fields: "Transfer-Encoding:", 501, .unsupportedEncoding),
    Case(fields: "Transfer-Encoding: xchunked", 501, .unsupportedEncoding),
    Case(
      fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501,
      .unsupportedEncoding),
    Case(
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, .encodingInHTTP10),
    Case(fields: "Expect: 200-ok", 417, .unknownExpectation),
    Case(fields: "Expect: 100-continue\r\nExpect: x", 417, .unknownExpectation),
  ]

  static let chunks: [Case] = [
    Case(chunks: "\r\n", 400, .malformedChunk),
    Case(chunks: "g\r\n", 400, .malformedChunk),
    Case(chunks: "+1\r\n", 400, .malformedChunk),
    Case(chunks: "-1\r\n", 400, .malformedChunk),
    Case(chunks: "0x1\r\n", 400, .malformedChunk),
    Case(chunks: " 1\r\n", 400, .malformedChunk),
    Case(chunks: "1 \r\n", 400, .malformedChunk),
    Case(chunks: "1 ;a\r\n", 400, .malformedChunk),
    Case(chunks: "1;a\rb\r\n", 400, .malformedChunk),
    Case(chunks: "1;a\u{0}\r\n", 400, .malformedChunk),
    Case(chunks: "10000000000000000\r\n", 400, .malformedChunk),
    Case(chunks: "8000000000000000\r\n", 400, .malformedChunk),
    Case(chunks: "7fffffffffffffff\r\n", 413, .bodyTooLarge),
    Case(chunks: "1\n", 400, .bareLineBreak),
    Case(chunks: "1;a\nb\r\n", 400, .bareLineBreak),
    Case(chunks: "1\r\nab\r\n", 400, .malformedChunk),
    Case(chunks: "1\r\na\rb", 400, .malformedChunk),
    Case(chunks: "1\r\na\n", 400, .malformedChunk),
    Case(chunks: "a00001\r\n", 413, .bodyTooLarge),
    Case(chunks: "1\r\na\r\na00000\r\n", 413, .bodyTooLarge),
    Case(chunks: "1;" + String(repeating: "x", count: 254) + "\r\n", 400, .chunkLineTooLong),
    Case(chunks: "0\r\nA : b\r\n\r\n", 400, .malformedField),
    Case(chunks: "0\r\n a: b\r\n\r\n", 400, .foldedField),
    Case(chunks: "0\r\na: b\n", 400, .bareLineBreak),
  ]

  @Test(arguments: requestLines + fields + chunks)
  func `a malformed request is refused with its status`(malformed: Case) {
    let failure = HTTPTestKit.failure(malformed.input)
    #expect(failure?.reason == malformed.reason)
    #expect(failure?.status == malformed.status)
  }

  @Test func `every reason has a name of its own and a sentence`() {
    let failures = HTTPFailure.Reason.allCases.map { HTTPFailure($0, limit: 7) }
    #expect(Set(failures.map(\.reason.rawValue)).count == failures.count)
    #expect(Set(failures.map(\.text)).count == failures.count)
    #expect(failures.allSatisfy { $0.text.hasSuffix(".") && (400..<600).contains($0.status) })
    #expect(HTTPFailure(.bodyTooLarge, limit: 7).text.contains("at most 7 are allowed"))
  }
}
