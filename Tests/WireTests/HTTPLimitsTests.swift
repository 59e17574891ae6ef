import Testing

@testable import Wire

@Suite struct HTTPLimitsTests {
  static let small: HTTPLimits = {
    var limits = HTTPLimits()
    limits.headBytesMax = 200
    limits.targetBytesMax = 20
    limits.headersMax = 3
    limits.bodyBytesMax = 10
    limits.chunkLineBytesMax = 8
    return limits
  }()

  func failure(_ text: String) -> HTTPFailure? {
    HTTPTestKit.failure(text, limits: Self.small)
  }

  @Test func `a head may be as long as its limit and no longer`() {
    let start = "GET / HTTP/1.1\r\nHost: h\r\nA: "
    func request(_ total: Int) -> String {
      start + String(repeating: "x", count: total - start.utf8.count - 4) + "\r\n\r\n"
    }
    #expect(failure(request(200)) == nil)
    #expect(failure(request(201)) == HTTPFailure(.headTooLarge, limit: 200))
    #expect(failure(start + String(repeating: "x", count: 300))?.status == 431)
  }

  @Test func `a target may be as long as its limit and no longer`() {
    func request(_ count: Int) -> String {
      "GET /\(String(repeating: "x", count: count - 1)) HTTP/1.1\r\nHost: h\r\n\r\n"
    }
    #expect(failure(request(20)) == nil)
    #expect(failure(request(21)) == HTTPFailure(.targetTooLong, limit: 20))
    #expect(failure(String(repeating: "x", count: 100))?.status == 414)
    #expect(failure(String(repeating: "x", count: 100) + "\r\n")?.status == 414)
    #expect(failure(String(repeating: "x", count: 100) + "\n")?.status == 414)
  }

  @Test func `the number of header fields is bounded`() {
    #expect(failure("GET / HTTP/1.1\r\nHost: h\r\na:\r\nb:\r\n\r\n") == nil)
    let failure = failure("GET / HTTP/1.1\r\nHost: h\r\na:\r\nb:\r\nc:\r\n\r\n")
    #expect(failure == HTTPFailure(.tooManyHeaders, limit: 3))
    #expect(failure?.status == 431)
  }

  @Test func `a body may be as long as its limit and no longer`() {
    let start = "POST / HTTP/1.1\r\nHost: h\r\n"
    let chunked = start + "Transfer-Encoding: chunked\r\n\r\n"
    let ten = "0123456789"
    #expect(failure("\(start)Content-Length: 10\r\n\r\n\(ten)") == nil)
    #expect(failure("\(start)Content-Length: 11\r\n\r\n") == HTTPFailure(.bodyTooLarge, limit: 10))
    #expect(failure("\(chunked)a\r\n\(ten)\r\n0\r\n\r\n") == nil)
    #expect(failure("\(chunked)b\r\n")?.status == 413)
    #expect(failure("\(chunked)a\r\n\(ten)\r\n1\r\n")?.status == 413)
  }

  @Test func `a chunk line and trailers are bounded`() {
    let start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(failure("\(start)1;abcd\r\nx\r\n0\r\n\r\n") == nil)
    #expect(failure("\(start)1;abcde\r\nx\r\n") == HTTPFailure(.chunkLineTooLong, limit: 8))
    #expect(failure("\(start)000000001")?.reason == .chunkLineTooLong)
    #expect(failure("\(start)0\r\na:\r\nb:\r\nc:\r\n\r\n") == nil)
    #expect(failure("\(start)0\r\na:\r\nb:\r\nc:\r\nd:\r\n")?.reason == .tooManyHeaders)
    let long = "a: " + String(repeating: "x", count: 191)
    #expect(
      failure("\(start)0\r\n\(long)\r\nb:\r\n\r\n") == HTTPFailure(.trailersTooLarge, limit: 200))
    #expect(failure("\(start)0\r\n\(long)xxxxxxx")?.status == 431)
  }

  @Test func `a large head fed byte by byte is read in linear time`() {
    // 30 KiB, looked at again for every byte, would be 450 million steps.
    var text = "GET / HTTP/1.1\r\nHost: h\r\n"
    for index in 0..<100 { text += "X-\(index): \(String(repeating: "v", count: 290))\r\n" }
    let pieces = Array((text + "\r\n").utf8).map { [$0] }
    #expect(HTTPTestKit.steps(of: pieces).count == 2)
  }
}
