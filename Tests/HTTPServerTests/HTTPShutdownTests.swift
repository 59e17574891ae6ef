import Glibc
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPShutdownTests {
  @Test func `SIGTERM answers what is parked, finishes what is read and ends`() throws {
    let server = try HTTPTestServer(signals: true)
    let parked = try HTTPTestClient(server)
    let reading = try HTTPTestClient(server)
    let idle = try HTTPTestClient(server)
    try parked.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
    try reading.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    #expect(try idle.get("/x").status == 200)
    _ = try server.events.ticket("/park")
    // To the loop's thread, which has blocked it; a process that serves blocks it in all of them.
    server.commands.perform { _ in pthread_kill(pthread_self(), SIGTERM) }
    let answer = try parked.answer()
    #expect(answer.status == 204)
    #expect(answer.field("connection") == "close")
    #expect(try idle.isClosedByServer())
    try reading.send("lo")
    let last = try reading.answer()
    #expect(last.text == "POST /x hello")
    #expect(last.field("connection") == "close")
    _ = try server.ended()
    #expect(throws: SystemError.self) { try HTTPTestClient(server) }
  }

  @Test func `shutdown does not wait longer than it may`() throws {
    var limits = Limits()
    limits.shutdownTime = .milliseconds(50)
    let server = try HTTPTestServer(limits)
    // It reads nothing of its answer.
    let client = try HTTPTestClient(server, receiveBuffer: 4096)
    try client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try server.events.ticket("/big")
    server.stop()
    _ = try server.ended()
    withExtendedLifetime(client) {}
  }

  @Test func `a request that never becomes whole does not hold up the end`() throws {
    var limits = Limits()
    limits.shutdownRequestTime = .milliseconds(20)
    let server = try HTTPTestServer(limits)
    let body = try HTTPTestClient(server)
    try body.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    let head = try HTTPTestClient(server)
    try head.send("GET /x HTTP/1.1\r\nHo")
    #expect(try HTTPTestClient(server).get("/x").status == 200)
    server.stop()
    for client in [body, head] {
      #expect(try client.answer().status == 408)
      #expect(try client.isClosedByServer())
    }
    body.reset()
    head.reset()
    #expect(try server.ended().requestsTimedOut == 2)
  }

  @Test func `shutdown waits until a slow reader has its answer`() throws {
    let server = try HTTPTestServer()
    let client = try HTTPTestClient(server, receiveBuffer: 262_144)
    try client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try server.events.ticket("/big")
    server.stop()
    try server.events.wait(for: .shutdown)
    #expect(try client.answer().body == HTTPTestApplication.bigBody)
    _ = try server.ended()
  }
}
