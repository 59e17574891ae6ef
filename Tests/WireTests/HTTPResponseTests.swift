import Testing

@testable import Wire

@Suite struct HTTPResponseTests {
  static let date = HTTPDate.format(secondsSince1970: 784_111_777)

  func seen(_ text: String, closed: Bool = false, isHead: Bool = false) -> [HTTPSeen] {
    HTTPSeen.responses(in: Array(text.utf8), closed: closed, isHead: isHead)
  }

  @Test func `bytes that no field may hold are left out or replaced`() {
    var output: [UInt8] = []
    let fields = [
      ("A", "b\r\nc\u{0}d\te\u{7f}é"), ("B d", "no"), ("", "no"), ("cONTENT-lENGTH", "1"),
      ("Transfer-Encoding", "x"), ("Connection", "x"), ("DATE", "x"), ("Dat3", "y"),
    ]
    HTTPResponseWriter.appendHead(
      status: 200, headers: fields, body: .none, minor: 1, keepAlive: true, date: [0x64],
      to: &output)
    let expected = "HTTP/1.1 200 OK\r\nA: b  c d\te é\r\nDat3: y\r\nDate: d\r\n\r\n"
    #expect(String(decoding: output, as: UTF8.self) == expected)
  }

  @Test func `what the writer writes the parser reads`() throws {
    var output: [UInt8] = []
    HTTPResponseWriter.appendInterim(status: 100, to: &output)
    HTTPResponseWriter.appendHead(
      status: 200, headers: [("X-A", "b"), ("x-empty", "")], body: .length(5), minor: 1,
      keepAlive: true, date: Self.date, to: &output)
    output += "hello".utf8
    HTTPResponseWriter.appendHead(
      status: 202, headers: [], body: .chunked, minor: 1, keepAlive: true, date: Self.date,
      to: &output)
    HTTPResponseWriter.appendChunk(Array("one ".utf8), to: &output)
    HTTPResponseWriter.appendChunk([], to: &output)
    HTTPResponseWriter.appendChunk([UInt8](repeating: 0x78, count: 20), to: &output)
    HTTPResponseWriter.appendLastChunk(to: &output)
    HTTPResponseWriter.appendHead(
      status: 204, headers: [], body: .none, minor: 1, keepAlive: false, date: Self.date,
      to: &output)
    let seen = HTTPSeen.responses(in: output)
    try #require(seen.count == 3)
    #expect(seen.allSatisfy { $0.ended && $0.failure == nil })
    #expect(seen.map { $0.head?.status } == [200, 202, 204])
    #expect(seen.map { $0.head?.reason } == ["OK", "Accepted", "No Content"])
    #expect(seen.map { $0.head?.keepAlive } == [true, true, false])
    #expect(seen.map { $0.body.count } == [5, 24, 0])
    #expect(seen[0].interim == [100])
    #expect(seen[0].head?.headers.first("x-a") == "b")
    #expect(seen[0].head?.headers.first("x-empty") == "")
    #expect(seen[0].head?.headers.first("date") == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(seen[0].head?.body == .length(5))
  }

  @Test func `a response is these bytes`() {
    var output: [UInt8] = []
    HTTPResponseWriter.appendHead(
      status: 404, headers: [("Content-Type", "text/plain")], body: .length(0), minor: 0,
      keepAlive: true, date: Self.date, to: &output)
    #expect(
      String(decoding: output, as: UTF8.self)
        == "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n"
        + "Connection: keep-alive\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
  }

  @Test func `a stream to an HTTP 1 0 client ends with the connection`() throws {
    let body = HTTPResponseWriter.stream(toMinor: 0)
    #expect(body == .untilClose && HTTPResponseWriter.stream(toMinor: 1) == .chunked)
    var output: [UInt8] = []
    HTTPResponseWriter.appendHead(
      status: 200, headers: [], body: body, minor: 0, keepAlive: true, date: Self.date,
      to: &output)
    HTTPResponseWriter.appendChunk(Array("text".utf8), as: body, to: &output)
    HTTPResponseWriter.appendLastChunk(as: body, to: &output)
    let seen = try #require(HTTPSeen.responses(in: output, closed: true).first)
    #expect(seen.body == Array("text".utf8))
    #expect(seen.ended)
    #expect(seen.head?.keepAlive == false)
    #expect(seen.head?.headers.first("connection") == "close")
  }

  @Test func `no header can split a response or change its framing`() throws {
    let hostile = [
      ("X-A", "b\r\nSet-Cookie: c\u{0}\n"), ("X B", "c"), ("X\r\nC", "d"), ("", "e"), ("X:", "f"),
      ("Content-length", "99"), ("TRANSFER-Encoding", "chunked"), ("connection", "close"),
      ("DATE", "never"), ("X-Last", "g"),
    ]
    var copied = HTTPHeaders()
    for (name, value) in hostile { copied.append(name: name, value: value) }
    var outputs: [[UInt8]] = [[], []]
    HTTPResponseWriter.appendHead(
      status: 200, headers: hostile, body: .length(2), minor: 1, keepAlive: true, date: Self.date,
      to: &outputs[0])
    HTTPResponseWriter.appendHead(
      status: 200, headers: copied, body: .length(2), minor: 1, keepAlive: true, date: Self.date,
      to: &outputs[1])
    #expect(outputs[0] == outputs[1])
    let head = try #require(HTTPSeen.responses(in: outputs[0]).first?.head)
    let names = (0..<head.headers.count).map(head.headers.name(at:))
    #expect(names == ["X-A", "X-Last", "Content-Length", "Date"])
    #expect(head.headers.first("x-a") == "b  Set-Cookie: c")
    #expect(head.body == .length(2) && head.keepAlive)
  }

  @Test func `the answer to HEAD has a length and no body`() {
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    let seen = seen(two + two + "hello", isHead: true)
    #expect(seen.map(\.body.count) == [0, 5])
    #expect(seen.map(\.ended) == [true, true])
  }

  @Test func `statuses without a body have none whatever the fields say`() {
    let seen = seen(
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
        + "HTTP/1.1 204\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + "HTTP/1.0 200 \r\nContent-Length: 0\r\n\r\n")
    #expect(seen.map { $0.head?.status } == [304, 204, 200])
    #expect(seen.last?.interim == [102, 103])
    #expect(seen.last?.head?.keepAlive == false)
    #expect(seen.allSatisfy { $0.ended && $0.body.isEmpty })
  }

  @Test func `a body without length lasts until the connection closes`() throws {
    let text = "HTTP/1.1 200 OK\r\n\r\nsome text\r\n\r\n"
    let open = try #require(seen(text).first)
    #expect(!open.ended && open.head?.body == .untilClose)
    let closed = try #require(seen(text, closed: true).first)
    #expect(closed.ended && closed.body == Array("some text\r\n\r\n".utf8))
  }

  @Test(arguments: [
    "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
  ])
  func `a connection that ends within a response cuts it short`(text: String) {
    #expect(seen(text, closed: true).first?.failure == HTTPFailure(.truncated))
  }

  @Test(
    arguments: [
      ("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
      ("HTTP/1.1 20 OK\r\n\r\n", .malformedStatusLine),
      ("HTTP/1.1 099 No\r\n\r\n", .malformedStatusLine),
      ("HTTP/1.1 2000\r\n\r\n", .malformedStatusLine),
      ("HTTP/1.1 200 a\rb\r\n\r\n", .malformedStatusLine), ("\r\n\r\n", .malformedStatusLine),
      ("HTTP/1.1 200 OK\n\n", .bareLineBreak),
      ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .malformedField),
      ("HTTP/1.1 101 Up\r\n\r\n", .unaskedUpgrade),
      ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .malformedContentLength),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .unsupportedEncoding),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .malformedChunk),
    ] as [(String, HTTPFailure.Reason)])
  func `a malformed response is a failure`(text: String, reason: HTTPFailure.Reason) {
    #expect(seen(text).last?.failure?.reason == reason)
  }

  @Test func `every status that the parsers answer with has a reason phrase`() {
    for reason in HTTPFailure.Reason.allCases {
      #expect(!HTTPStatus.reason(HTTPFailure(reason).status).isEmpty)
    }
    #expect(HTTPStatus.reason(100) == "Continue" && HTTPStatus.reason(304) == "Not Modified")
    #expect(HTTPStatus.reason(503) == "Service Unavailable" && HTTPStatus.reason(599) == "")
  }

  @Test func `chunks for an HTTP 1 0 client are a bug in the caller`() async {
    await #expect(processExitsWith: .failure) {
      var output: [UInt8] = []
      HTTPResponseWriter.appendHead(
        status: 200, headers: [], body: .chunked, minor: 0, keepAlive: true, date: [],
        to: &output)
    }
  }
}
