import Foundation
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPRequestTests {
  let post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

  @Test func `a connection serves one request after another`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    for number in 0..<3 {
      let answer = try client.get("/\(number)")
      #expect(answer.status == 200)
      #expect(answer.text == "GET /\(number) ")
      #expect(answer.field("server") == "a2a-relay")
      #expect(answer.field("date").flatMap(HTTPDate.parse) != nil)
      #expect(answer.field("connection") == nil)
    }
  }

  @Test func `pipelined requests are answered in order`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    let requests = (0..<200).map {
      "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    }
    try client.send(requests.joined())
    for number in 0..<200 { #expect(try client.answer().text == "POST /\(number) hi") }
  }

  @Test func `requests behind a parked one wait for its answer`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
    try client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n" + next)
    let ticket = try server.events.ticket("/park")
    // More than the loop buffers while a request is in work.
    let many = String(repeating: next, count: 4000)
    let socket = client.socket
    Thread { try? HTTPTestClient.send(Array(many.utf8), on: socket) }.start()
    server.respond(ticket, "\"first\"")
    #expect(try client.answer().text == "\"first\"")
    for _ in 0..<4001 { #expect(try client.answer().text == "GET /next ") }
  }

  @Test func `a request split at any byte is one request`() throws {
    let server = try HTTPTestServer()
    let bytes = Array(post.utf8)
    for cut in 1..<bytes.count {
      let client = try HTTPTestClient(server)
      try client.send(Array(bytes[..<cut]))
      // The loop has seen the first part when it has served another connection since.
      #expect(try HTTPTestClient(server).get("/between").status == 200)
      try client.send(Array(bytes[cut...]))
      #expect(try client.answer().text == "POST /x hello", "cut at \(cut)")
    }
  }

  @Test func `HEAD gets the head of the answer only`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try client.answer(toHead: true)
    #expect(answer.field("content-length") == "8")
    #expect(try client.get("/after").text == "GET /after ")
  }

  @Test func `204 has neither a body nor a length`() throws {
    let server = try HTTPTestServer()
    let answer = try HTTPTestClient(server).get("/empty")
    #expect(answer.status == 204)
    #expect(answer.field("content-length") == nil)
  }

  @Test func `100 Continue comes when the body has not`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    try client.send(head)
    #expect(try client.receive() == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    try client.send("hello")
    #expect(try client.answer().text == "POST /x hello")
    // With the body at hand nobody waits for it.
    try client.send(head + "hello")
    let answer = try client.answer()
    #expect(answer.interim.isEmpty)
    #expect(answer.text == "POST /x hello")
  }

  @Test func `no 100 Continue for a body that will be refused`() throws {
    let server = try HTTPTestServer()
    for path in ["/small", "/refuse"] {
      let client = try HTTPTestClient(server)
      try client.send(
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n")
      let answer = try client.answer()
      #expect(answer.interim.isEmpty)
      #expect(answer.status == (path == "/small" ? 413 : 401))
      #expect(answer.field("connection") == "close")
    }
  }

  @Test func `HTTP 1.0 is closed unless it asks to be kept`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(try client.answer().field("connection") == "keep-alive")
    try client.send("GET /x HTTP/1.0\r\n\r\n")
    #expect(try client.answer().field("connection") == "close")
    #expect(try client.isClosedByServer())
  }

  @Test func `Connection close is obeyed`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(try client.answer().field("connection") == "close")
    #expect(try client.isClosedByServer())
  }

  @Test func `an offer to upgrade to HTTP 2 is ignored`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(
      """
      GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r
      HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n
      """)
    #expect(try client.answer().text == "GET /x ")
    #expect(try client.get("/again").text == "GET /again ")
  }

  @Test func `a client that half-closes after its request gets its answers`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(post + post)
    client.halfClose()
    #expect(try client.answer().text == "POST /x hello")
    #expect(try client.answer().text == "POST /x hello")
    #expect(try client.isClosedByServer())
  }
}
