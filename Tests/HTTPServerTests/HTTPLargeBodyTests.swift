import Dispatch
import HTTPTestKit
import Relay
import Testing

@testable import HTTPServer

@Suite struct HTTPLargeBodyTests {
  private static let large = 100_000

  /// The loop stands still in a turn, after its work with large bodies.
  private struct Stop {
    private let entered = DispatchSemaphore(value: 0)
    private let leave = DispatchSemaphore(value: 0)

    init(_ server: HTTPTestServer, _ look: @escaping @Sendable (Loop) -> Void = { _ in }) {
      server.commands.perform { [entered, leave] loop in
        entered.signal()
        leave.wait()
        look(loop)
      }
    }

    func begin() { entered.wait() }
    func end() { leave.signal() }
  }

  /// A server that hands over `bytes` in a turn, and clients that have sent all but the last byte of
  /// a large body.
  private func start(_ count: Int, turnBytes: Int = 1) throws -> (HTTPTestServer, [HTTPTestClient])
  {
    var limits = Limits()
    limits.turnBodyBytesMax = turnBytes
    let server = try HTTPTestServer(limits)
    let clients = try (0..<count).map { _ in try HTTPTestClient(server) }
    for (index, client) in clients.enumerated() {
      try client.send(
        "POST /turn/\(index) HTTP/1.1\r\nHost: a\r\nContent-Length: \(Self.large)\r\n\r\n"
          + String(repeating: "x", count: Self.large - 1))
    }
    let expected = count * (Self.large - 1)
    var read = 0
    for _ in 0..<100_000 where read < expected {
      read = ask(server) { loop in
        loop.connections.all.reduce(0) { $0 + $1.conversation.bufferedBytes }
      }
    }
    try #require(read == expected)
    return (server, clients)
  }

  private func ask(_ server: HTTPTestServer, _ question: @escaping @Sendable (Loop) -> Int) -> Int {
    nonisolated(unsafe) var answer = 0
    let isThere = DispatchSemaphore(value: 0)
    server.commands.perform { loop in
      unsafe answer = question(loop)
      isThere.signal()
    }
    isThere.wait()
    return unsafe answer
  }

  /// All bodies become whole in the same turn.
  private func complete(_ clients: [HTTPTestClient], _ server: HTTPTestServer) throws {
    let stop = Stop(server)
    stop.begin()
    for client in clients { try client.send("x") }
    stop.end()
  }

  private func turns(_ clients: [HTTPTestClient]) throws -> [Int] {
    try clients.map { Int(try $0.answer().text) ?? 0 }
  }

  private func place(_ event: HTTPEvents.Event, _ server: HTTPTestServer) -> Int? {
    server.events.all.firstIndex(of: event)
  }

  @Test func `large bodies take turns, and a small request waits for none of them`() throws {
    let (server, clients) = try start(3)
    let small = try HTTPTestClient(server)
    _ = try small.get("/")
    let stop = Stop(server)
    stop.begin()
    try clients[0].send("x")
    try clients[1].send("x")
    try small.send("GET /turn/small HTTP/1.1\r\nHost: a\r\n\r\n")
    try clients[2].send("x")
    stop.end()
    let turns = try turns(clients)
    let first = try #require(try self.turns([small]).first)
    #expect(turns == [first, first + 2, first + 4])
  }

  @Test func `as many bodies share a turn as have room in it`() throws {
    let (server, clients) = try start(3, turnBytes: 2 * Self.large)
    try complete(clients, server)
    let turns = try turns(clients)
    #expect(turns == [turns[0], turns[0], turns[0] + 2])
  }

  @Test func `a request behind one that waits is answered after it`() throws {
    let (server, clients) = try start(2)
    let stop = Stop(server)
    stop.begin()
    try clients[0].send("x")
    try clients[1].send("xGET /turn/behind HTTP/1.1\r\nHost: a\r\n\r\n")
    stop.end()
    let first = try turns(clients)
    #expect(first[1] == first[0] + 2)
    let behind = try turns([clients[1]])
    #expect(behind[0] > first[1])
  }

  @Test func `a body that was received whole counts when its connection is reset`() throws {
    let (server, clients) = try start(3)
    let whole = Stop(server)
    whole.begin()
    // In the turn in which the bodies become whole, and in the next one.
    let reset = Stop(server)
    for client in clients { try client.send("x") }
    whole.end()
    reset.begin()
    nonisolated(unsafe) var held = 0
    nonisolated(unsafe) var isLost = false
    let lost = Stop(server) { loop in
      unsafe held = loop.memory.used
      unsafe isLost = loop.handOver.waiting.map(\.connection.isClosed) == [false, true]
    }
    clients[2].reset()
    reset.end()
    lost.begin()
    #expect(
      !server.events.all.contains { if case .handled("/turn/2", _) = $0 { true } else { false } })
    lost.end()
    let ticket = try server.events.ticket("/turn/2")
    try server.events.wait(for: .gone(ticket))
    unsafe #expect(isLost && held == 2 * Self.large)
    let handled = try #require(place(.handled("/turn/2", ticket), server))
    #expect(place(.gone(ticket), server).map { $0 > handled } == true)
    #expect(server.events.all.count { $0 == .gone(ticket) } == 1)
    _ = try turns(Array(clients[..<2]))
    #expect(ask(server) { $0.memory.used } == 0)
  }

  @Test func `what waits when the end comes is handed over before it`() throws {
    let (server, clients) = try start(3)
    let whole = Stop(server)
    whole.begin()
    let end = Stop(server) { $0.stop() }
    for client in clients { try client.send("x") }
    whole.end()
    end.begin()
    end.end()
    #expect(try turns(clients).allSatisfy { $0 > 0 })
    _ = try server.ended()
    let last = try #require(place(.handled("/turn/2", server.events.ticket("/turn/2")), server))
    #expect(place(.shutdown, server).map { $0 > last } == true)
  }

  @Test func `bodies that become whole after the end has begun are handed over too`() throws {
    let (server, clients) = try start(3)
    server.stop()
    try server.events.wait(for: .shutdown)
    let whole = Stop(server)
    whole.begin()
    let reset = Stop(server)
    for client in clients { try client.send("x") }
    whole.end()
    reset.begin()
    clients[2].reset()
    reset.end()
    #expect(try turns(Array(clients[..<2])).allSatisfy { $0 > 0 })
    _ = try server.ended()
    #expect(place(.gone(try server.events.ticket("/turn/2")), server) != nil)
  }
}
