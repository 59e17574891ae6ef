import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPRefusalTests {
  @Test func `a refused body is not read, and the refusal arrives`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    let length = 2_000_000
    try client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
    try client.send([UInt8](repeating: 120, count: length))
    let answer = try client.answer()
    #expect(answer.status == 401)
    #expect(answer.field("connection") == "close")
    #expect(try client.isClosedByServer())
  }

  @Test func `a refused request without a body leaves the connection open`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    #expect(try client.get("/refuse").status == 401)
    #expect(try client.get("/x").status == 200)
  }

  @Test func `a sender without end is reset after a bounded amount`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
    #expect(throws: HTTPTestClient.Failure.reset) {
      let part = [UInt8](repeating: 120, count: 100_000)
      for _ in 0..<10_000 { try client.send(part) }
    }
  }

  struct Breakage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let request: String
    let status: Int

    static let all = [
      Breakage("a long head", 431, "Host: a\r\nX: " + String(repeating: "x", count: 33_000)),
      Breakage("a body that is announced too long", 413, "Host: a\r\nContent-Length: 99999999\r\n"),
      Breakage("a body too long for its path", 413, "Host: a\r\nContent-Length: 11\r\n"),
      Breakage("a chunk too long", 413, "Host: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n"),
      Breakage("no host", 400, ""),
      Breakage(
        "two lengths", 400, "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      Breakage("a long target", 414, start: "GET /" + String(repeating: "x", count: 9000)),
      Breakage("HTTP/2", 505, start: "PRI * HTTP/2.0\r\n\r\nSM"),
      Breakage("TLS", 400, start: "\u{16}\u{3}\u{1}"),
    ]

    init(_ name: String, _ status: Int, _ fields: String) {
      self.init(name, status, start: "POST /small HTTP/1.1\r\n" + fields)
    }

    init(_ name: String, _ status: Int, start: String) {
      testDescription = name
      self.status = status
      request = start + "\r\n\r\n"
    }
  }

  @Test(arguments: Breakage.all)
  func `what breaks the framing gets its status as JSON and the end`(breakage: Breakage) throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(breakage.request)
    let answer = try client.answer()
    #expect(answer.status == breakage.status)
    #expect(answer.field("content-type") == "application/json")
    #expect(answer.text.hasPrefix("{\"error\":\"") && answer.text.contains("\",\"code\":\""))
    #expect(answer.field("connection") == "close")
    #expect(try client.isClosedByServer())
  }

  @Test func `bodies that do not fit in memory are refused before they are read`() throws {
    var limits = Limits()
    limits.bodiesInMemoryMax = 1000
    let server = try HTTPTestServer(limits)
    let first = try HTTPTestClient(server)
    try first.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
    // Served later than the head above, which has its 900 bytes set aside by then.
    #expect(try HTTPTestClient(server).get("/between").status == 200)
    let second = try HTTPTestClient(server)
    try second.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n")
    let refusal = try second.answer()
    #expect(refusal.status == 503)
    #expect(refusal.field("retry-after") == "1")
    let third = try HTTPTestClient(server)
    try third.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n")
    try third.send(String(repeating: "x", count: 101))
    #expect(try third.answer().status == 503)
    try first.send(String(repeating: "x", count: 900))
    #expect(try first.answer().status == 200)
    // All of it is given back.
    let fourth = try HTTPTestClient(server)
    try fourth.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    try fourth.send(String(repeating: "x", count: 1000))
    #expect(try fourth.answer().status == 200)
  }

  @Test func `heads that are not whole have a share of the memory, and give it back`() throws {
    var limits = Limits()
    limits.bodiesInMemoryMax = 1_000_000
    limits.headSharePercent = 10
    limits.memoryKeptMax = 1000
    let server = try HTTPTestServer(limits)
    // Each takes 30 to 62 kB of 100, by the pieces in which it comes.
    let half = "GET /x HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 30_000)
    let first = try HTTPTestClient(server)
    try first.send(half)
    #expect(try HTTPTestClient(server).get("/between").status == 200)
    let others = try (0..<4).map { _ in try HTTPTestClient(server) }
    for other in others {
      try other.send(half)
      #expect(try HTTPTestClient(server).get("/whole").status == 200)
    }
    try first.send("\r\n\r\n")
    #expect(try first.answer().status == 200)
    for other in others { other.reset() }
    #expect(try HTTPTestClient(server).get("/after").status == 200)
    server.stop()
    let counters = try server.ended()
    // Three fit at most.
    #expect(counters.bodiesRefusedForMemory > 0 && counters.memoryGivenBack > 0)
  }

  @Test func `every failure of the parser has a text and a code that JSON can hold`() {
    for reason in HTTPFailure.Reason.allCases {
      let text = HTTPFailure(reason, limit: 5).text + reason.rawValue
      #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != 0x5C })
    }
  }
}
