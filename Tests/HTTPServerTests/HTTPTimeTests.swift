import Glibc
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPTimeTests {
  @Test func `a head that does not end gets 408 and the end`() throws {
    var limits = Limits()
    limits.headTime = .milliseconds(50)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /x HTTP/1.1\r\nHost:")
    #expect(try client.answer().status == 408)
    #expect(try client.isClosedByServer())
  }

  @Test func `a trickle does not keep a head alive`() throws {
    var limits = Limits()
    limits.headTime = .milliseconds(100)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /x HTTP/1.1\r\nHost: a\r\nX: ")
    #expect(throws: HTTPTestClient.Failure.reset) {
      // One byte for each request that another client gets served.
      let other = try HTTPTestClient(server)
      while try other.get("/other").status == 200 { try client.send("x") }
    }
  }

  @Test func `a body that does not end gets 408 and the end`() throws {
    var limits = Limits()
    limits.bodyTime = .milliseconds(50)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server)
    try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")
    #expect(try client.answer().status == 408)
    #expect(try client.isClosedByServer())
  }

  @Test func `an idle connection is closed, before and after a request`() throws {
    var limits = Limits()
    limits.idleTime = .milliseconds(50)
    let server = try HTTPTestServer(limits)
    let fresh = try HTTPTestClient(server)
    let used = try HTTPTestClient(server)
    #expect(try used.get("/x").status == 200)
    #expect(try fresh.isClosedByServer())
    #expect(try used.isClosedByServer())
  }

  @Test func `a parked request outlives every time-out of reading`() throws {
    var limits = Limits()
    limits.idleTime = .milliseconds(20)
    limits.headTime = .milliseconds(20)
    limits.bodyTime = .milliseconds(20)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server)
    try client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/park")
    // Two others, one after the other, have been closed for being idle meanwhile.
    for _ in 0..<2 { #expect(try HTTPTestClient(server).isClosedByServer()) }
    server.respond(ticket, "1")
    #expect(try client.answer().text == "1")
  }

  @Test func `a slow reader gets ten megabytes whole`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server, receiveBuffer: 262_144)
    try client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/big")
    let answer = try client.answer()
    #expect(answer.body == HTTPTestApplication.bigBody)
    try server.events.wait(for: .delivered(ticket, true))
    #expect(try client.get("/x").text == "GET /x ")
  }

  @Test func `a peer that takes no bytes is cut off`() throws {
    var limits = Limits()
    limits.writeTime = .milliseconds(50)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server, receiveBuffer: 8192)
    try client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    try server.events.wait(for: .delivered(server.events.ticket("/big"), false))
    server.stop()
    #expect(try server.ended().writesTimedOut == 1)
  }
}
