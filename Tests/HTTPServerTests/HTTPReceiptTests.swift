import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPReceiptTests {
  @Test func `an answer that was acknowledged is received`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    #expect(try client.get("/receipt").status == 200)
    try server.events.wait(for: .delivered(server.events.ticket("/receipt"), true))
  }

  @Test func `an answer that ends its connection is received too`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /receipt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(try client.answer().status == 200)
    try server.events.wait(for: .delivered(server.events.ticket("/receipt"), true))
    #expect(try client.isClosedByServer())
  }

  @Test func `an answer to a peer that never reads is not received`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server, receiveBuffer: 2304)
    try client.send("GET /unread HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/unread")
    // Served after the answer was written.
    #expect(try HTTPTestClient(server).get("/x").status == 200)
    #expect(!server.events.all.contains(.delivered(ticket, true)))
    client.reset()
    try server.events.wait(for: .delivered(ticket, false))
    #expect(!server.events.all.contains(.delivered(ticket, true)))
  }

  @Test func `a peer that acknowledges nothing for too long is cut off`() throws {
    var limits = Limits()
    limits.writeTime = .milliseconds(100)
    let server = try HTTPTestServer(limits)
    let client = try HTTPTestClient(server, receiveBuffer: 2304)
    try client.send("GET /unread HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/unread")
    try server.events.wait(for: .delivered(ticket, false))
    #expect(!server.events.all.contains(.delivered(ticket, true)))
    #expect(try HTTPTestClient(server).get("/x").status == 200)
    server.stop()
    #expect(try server.ended().writesTimedOut == 1)
  }

  @Test func `an answer to a peer that has gone is not received`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/park")
    client.close()
    try server.events.wait(for: .halfClosed(ticket))
    server.respond(ticket, "1", receipt: true)
    try server.events.wait(for: .delivered(ticket, false))
  }

  @Test func `an answer to a request that was lost before is not received`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/park")
    client.reset()
    try server.events.wait(for: .gone(ticket))
    server.respond(ticket, "1", receipt: true)
    try server.events.wait(for: .delivered(ticket, false))
  }

  @Test func `waiting for a receipt after both sides have ended does not spin`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server, receiveBuffer: 2304)
    try client.send("GET /unread HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    client.halfClose()
    let ticket = try server.events.ticket("/unread")
    let other = try HTTPTestClient(server)
    for _ in 0..<200 { #expect(try other.get("/x").status == 200) }
    #expect(!server.events.all.contains(.delivered(ticket, true)))
    #expect(try client.answer().body.count == 60_000)
    try server.events.wait(for: .delivered(ticket, true))
    server.stop()
    #expect(try server.ended().turns < 300)
  }
}
