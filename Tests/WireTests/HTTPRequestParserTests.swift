import Testing

@testable import Wire

@Suite struct HTTPRequestParserTests {
  @Test func `a GET is a head and an empty body`() throws {
    let steps = HTTPTestKit.steps(of: "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Empty:\r\n\r\n")
    guard case .head(let head) = steps.first else { throw HTTPFailure(.notHTTP) }
    #expect(steps == [.head(head), .body([])])
    #expect(head.method == "GET")
    #expect(head.target == "/a?b=c")
    #expect(head.path == "/a")
    #expect(head.query == "b=c")
    #expect(head.minor == 1)
    #expect(head.keepAlive)
    #expect(head.framing == .none)
    #expect(!head.expectsContinue)
    #expect(head.headers.first("x-empty") == "")
  }

  @Test func `a body of known length is handed out whole`() {
    let steps = HTTPTestKit.steps(
      of: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world")
    #expect(HTTPTestKit.bodies(steps) == ["hello world"])
  }

  @Test func `pipelined requests come one after the other`() {
    let steps = HTTPTestKit.steps(
      of: "\r\nPOST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
        + "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
        + "\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(HTTPTestKit.bodies(steps) == ["one", "two", ""])
    #expect(steps.count == 6)
  }

  @Test func `chunks are joined, extensions and trailers ignored`() {
    let steps = HTTPTestKit.steps(
      of: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5;name=\"quoted; value\"\r\nhello\r\n00001;x\r\n \r\n5\r\nworld\r\n"
        + "0;last\r\nX-Trailer: yes\r\nContent-Length: 7\r\n\r\n")
    #expect(HTTPTestKit.bodies(steps) == ["hello world"])
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: a, ,Close\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: a\r\nconnection: close\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true),
    ("GET / HTTP/1.0\r\n\r\n", false),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
  ])
  func `a connection stays open when version and Connection say so`(text: String, open: Bool) throws
  {
    #expect(try HTTPTestKit.head(text).keepAlive == open)
  }

  @Test(
    arguments: [
      ("/a%2Fb/message:send", "/a%2Fb/message:send", nil, nil),
      ("/?", "/", "", nil),
      ("/p?a?b", "/p", "a?b", nil),
      ("//x", "//x", nil, nil),
      ("http://h:80/p/q?r=s", "/p/q", "r=s", "h:80"),
      ("HTTPS://[::1]:8080", "/", nil, "[::1]:8080"),
      ("http://h?q", "/", "q", "h"),
    ] as [(String, String, String?, String?)])
  func `a target is reduced to path and query`(
    target: String, path: String, query: String?, authority: String?
  ) throws {
    let head = try HTTPTestKit.head("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(head.target == target)
    #expect(head.path == path)
    #expect(head.query == query)
    #expect(head.authority == authority)
  }

  @Test func `the asterisk is a target of OPTIONS`() throws {
    #expect(try HTTPTestKit.head("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path == "*")
  }

  @Test func `100-continue is flagged, but not without a body nor in HTTP 1 0`() throws {
    let expect = "Expect: 100-Continue\r\n"
    let length = "Content-Length: 0\r\n\r\n"
    #expect(try HTTPTestKit.head("PUT / HTTP/1.1\r\nHost: h\r\n\(expect)\(length)").expectsContinue)
    #expect(!(try HTTPTestKit.head("PUT / HTTP/1.1\r\nHost: h\r\n\(expect)\r\n").expectsContinue))
    #expect(!(try HTTPTestKit.head("PUT / HTTP/1.0\r\n\(expect)\(length)").expectsContinue))
  }

  @Test func `an upgrade to h2c is left to the caller to ignore`() throws {
    let head = try HTTPTestKit.head(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
    #expect(head.headers.first("upgrade") == "h2c")
    #expect(head.keepAlive)
  }

  @Test func `the state between requests is told from the state within one`() {
    var parser = HTTPRequestParser(limits: HTTPLimits())
    #expect(parser.isIdle && !parser.isMidRequest)
    parser.receive(Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n".utf8))
    #expect(parser.next() == .needMore)
    #expect(!parser.isIdle && parser.isMidRequest)
    #expect(parser.bufferedBytes == 45)
    parser.receive(Array("\r\na".utf8))
    guard case .head = parser.next() else { return #expect(Bool(false), "no head") }
    #expect(parser.next() == .needMore)
    #expect(parser.bufferedBytes == 1)
    parser.receive(Array("bG".utf8))
    #expect(parser.next() == .body(Array("ab".utf8)))
    #expect(parser.isMidRequest)
    #expect(parser.bufferedBytes == 1)
  }

  @Test func `a failed parser stays failed and holds nothing`() {
    var parser = HTTPRequestParser(limits: HTTPLimits())
    parser.receive(Array("GET\r\n".utf8))
    let failure = parser.next()
    #expect(failure == .failure(HTTPFailure(.malformedRequestLine)))
    parser.receive(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
    #expect(parser.next() == failure)
    #expect(parser.bufferedBytes == 0)
    #expect(!parser.isIdle && !parser.isMidRequest)
  }

  @Test func `the body limit of one request can be lowered after its head`() {
    var parser = HTTPRequestParser(limits: HTTPLimits())
    let small = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd".utf8)
    for _ in 0..<2 {
      parser.receive(small)
      guard case .head = parser.next() else { return #expect(Bool(false), "no head") }
      parser.limitBody(to: 4)
      #expect(parser.next() == .body(Array("abcd".utf8)))
    }
    parser.receive(small)
    guard case .head = parser.next() else { return #expect(Bool(false), "no head") }
    parser.limitBody(to: 3)
    #expect(parser.next() == .failure(HTTPFailure(.bodyTooLarge, limit: 3)))
  }

  @Test func `a body may fill its limit when it comes in many pieces`() {
    var limits = HTTPLimits()
    limits.bodyBytesMax = 300_000
    var parser = HTTPRequestParser(limits: limits)
    parser.receive(Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n".utf8))
    guard case .head = parser.next() else { return #expect(Bool(false), "no head") }
    for _ in 0..<300 {
      #expect(parser.next() == .needMore)
      parser.receive([UInt8](repeating: 0x61, count: 1000))
    }
    #expect(parser.next() == .body([UInt8](repeating: 0x61, count: 300_000)))
    #expect(parser.isIdle)
  }

  @Test func `bytes keep their order when more comes before the last were taken`() {
    let text =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabcdef"
      + "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    let bytes = Array(text.utf8)
    let whole = HTTPTestKit.steps(of: [bytes])
    for size in 1...bytes.count {
      var parser = HTTPRequestParser(limits: HTTPLimits())
      var steps: [HTTPRequestParser.Step] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        parser.receive(Array(bytes[start..<min(start + size, bytes.count)]))
        steps.append(parser.next())
      }
      for _ in 0..<4 { steps.append(parser.next()) }
      #expect(steps.filter { $0 != .needMore } == whole)
    }
  }
}
