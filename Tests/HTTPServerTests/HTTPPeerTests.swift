import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPPeerTests {
  let park = "GET /park HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func `the half-close of a parked request is reported once, and it can be answered`() throws
  {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    let ticket = try server.events.ticket("/park")
    client.halfClose()
    try server.events.wait(for: .halfClosed(ticket))
    server.respond(ticket, "1", receipt: true)
    #expect(try client.answer().text == "1")
    #expect(try client.isClosedByServer())
    try server.events.wait(for: .delivered(ticket, true))
    #expect(server.events.all.filter { $0 == .halfClosed(ticket) }.count == 1)
  }

  @Test func `a half-close that came with the request is reported too`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    client.halfClose()
    try server.events.wait(for: .halfClosed(server.events.ticket("/park")))
  }

  @Test func `a half-close before the watch is reported when it is watched`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    let ticket = try server.events.ticket("/late")
    client.halfClose()
    // The half-close has been seen when a connection that came after it has been served.
    #expect(try HTTPTestClient(server).get("/x").status == 200)
    #expect(!server.events.all.contains(.halfClosed(ticket)))
    server.commands.perform { $0.watchPeer(ticket) }
    try server.events.wait(for: .halfClosed(ticket))
  }

  @Test func `the half-close is noticed behind more requests than are read`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park + String(repeating: "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", count: 2000))
    client.halfClose()
    let ticket = try server.events.ticket("/park")
    try server.events.wait(for: .halfClosed(ticket))
    server.respond(ticket, "1")
    #expect(try client.answer().text == "1")
    for _ in 0..<2000 { #expect(try client.answer().text == "GET /next ") }
  }

  @Test func `a half-closed request and one with too much behind it do not spin`() throws {
    let server = try HTTPTestServer()
    let halfClosed = try HTTPTestClient(server)
    try halfClosed.send(park)
    halfClosed.halfClose()
    let full = try HTTPTestClient(server)
    try full.send(park + String(repeating: "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", count: 5000))
    try server.events.wait(for: .halfClosed(server.events.ticket("/park")))
    let other = try HTTPTestClient(server)
    for _ in 0..<200 { #expect(try other.get("/x").status == 200) }
    server.stop()
    #expect(try server.ended().turns < 300)
  }

  @Test func `the reset of a parked request is reported`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    let ticket = try server.events.ticket("/park")
    client.reset()
    try server.events.wait(for: .gone(ticket))
  }

  @Test func `the reset after a half-close is reported`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    let ticket = try server.events.ticket("/park")
    client.halfClose()
    try server.events.wait(for: .halfClosed(ticket))
    client.reset()
    try server.events.wait(for: .gone(ticket))
  }

  @Test func `a late answer does not reach the next connection in the same slot`() throws {
    let server = try HTTPTestServer()
    var client = try HTTPTestClient(server)
    try client.send(park)
    let old = try server.events.ticket("/park")
    client.reset()
    try server.events.wait(for: .gone(old))
    // Other tests open descriptors too: the number may come back only after some tries.
    var new = old
    for attempt in 1...1000 {
      client = try HTTPTestClient(server)
      try client.send(park)
      new = try server.events.ticket("/park", attempt)
      if new.slot == old.slot { break }
    }
    #expect(new.slot == old.slot && new.generation != old.generation)
    server.respond(old, "\"for the old one\"", receipt: true)
    server.respond(new, "\"for the new one\"")
    #expect(try client.answer().text == "\"for the new one\"")
    try server.events.wait(for: .delivered(old, false))
  }

  @Test func `a second answer does not reach the next request on the connection`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    let first = try server.events.ticket("/park")
    server.respond(first, "1")
    #expect(try client.answer().text == "1")
    try client.send(park)
    let second = try server.events.ticket("/park", 1)
    server.respond(first, "\"again\"")
    server.respond(second, "2")
    #expect(try client.answer().text == "2")
  }

  @Test func `the peer's address is kept with the request`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server)
    try client.send(park)
    let ticket = try server.events.ticket("/park")
    let events = server.events
    let address = try Socket.localAddress(client.socket)
    server.commands.perform { loop in
      events.record(.answered(loop.peer(of: ticket) == address))
      loop.abandon(ticket)
    }
    try events.wait(for: .answered(true))
    #expect(try client.isClosedByServer())
    #expect(!events.all.contains(.gone(ticket)))
  }
}
