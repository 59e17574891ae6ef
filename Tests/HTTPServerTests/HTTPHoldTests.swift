import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPHoldTests {
  static var limits: Limits {
    var limits = Limits()
    limits.keepAlive = .milliseconds(20)
    return limits
  }

  /// Reads until the head and three spaces are there, and hands back what was read.
  private func spaces(_ client: HTTPTestClient, chunk: String) throws -> String {
    var text = ""
    while text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
      .last.map({ !$0.hasPrefix(chunk + chunk + chunk) }) ?? true
    {
      text += String(decoding: try client.receive(), as: UTF8.self)
    }
    return text
  }

  @Test func `a held request gets white space, and then its answer in the same chunks`() throws {
    let server = try HTTPTestServer(HTTPHoldTests.limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    let begin = try spaces(client, chunk: "1\r\n \r\n")
    #expect(begin.hasPrefix("HTTP/1.1 200 OK\r\n"))
    server.respond(try server.events.ticket("/hold"), "{\"late\":true}")
    var parser = HTTPResponseParser(limits: HTTPLimits())
    parser.receive(Array(begin.utf8))
    var text = ""
    var fields: HTTPHeaders?
    reading: while true {
      switch parser.next() {
      case .needMore: parser.receive(try client.receive())
      case .head(let head): fields = head.headers
      case .bodyPart(let bytes): text += String(decoding: bytes, as: UTF8.self)
      case .end: break reading
      case .interim, .failure: throw HTTPTestClient.Failure.closed
      }
    }
    #expect(text.hasPrefix("   ") && text.hasSuffix(" {\"late\":true}"))
    #expect(fields?.first("x-held") == "yes")
    #expect(fields?.first("content-type") == "application/json")
    #expect(try client.get("/x").text == "GET /x ")
  }

  @Test func `an answer before the first white space has its own status`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/hold")
    let events = server.events
    server.commands.perform { loop in
      events.record(.answered(loop.isCommitted(ticket)))
      loop.respond(ticket, .json(404, Array("{}".utf8)))
    }
    #expect(try client.answer().status == 404)
    try events.wait(for: .answered(false))
  }

  @Test func `a committed request says so, and an empty answer ends it`() throws {
    let server = try HTTPTestServer(HTTPHoldTests.limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/hold")
    _ = try client.receive()
    let events = server.events
    server.commands.perform { loop in
      events.record(.answered(loop.isCommitted(ticket)))
      loop.respond(ticket, .empty(204))
    }
    try events.wait(for: .answered(true))
    var text = ""
    while !text.hasSuffix("0\r\n\r\n") {
      text += String(decoding: try client.receive(), as: UTF8.self)
    }
    #expect(try client.get("/x").status == 200)
  }

  @Test func `HTTP 1.0 is held without chunks`() throws {
    let server = try HTTPTestServer(HTTPHoldTests.limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let begin = try spaces(client, chunk: " ")
    #expect(!begin.contains("chunked") && begin.contains("Connection: close"))
    server.respond(try server.events.ticket("/hold"), "{}")
    var text = ""
    while case let bytes = try client.receive(), !bytes.isEmpty {
      text += String(decoding: bytes, as: UTF8.self)
    }
    #expect(text.hasSuffix("{}"))
  }

  @Test func `a held HEAD gets nothing but its head`() throws {
    let server = try HTTPTestServer(HTTPHoldTests.limits)
    let client = try HTTPTestClient(server)
    try client.send("HEAD /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/hold")
    // Another held request is committed meanwhile.
    let other = try HTTPTestClient(server)
    try other.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try other.receive()
    server.respond(ticket, "{}")
    #expect(try client.answer(toHead: true).field("content-length") == "2")
    #expect(try client.get("/x").status == 200)
  }
}
