import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct ConnectionTableTests {
  private let start = Instant(nanoseconds: 1_000)

  private func count(_ list: [Connection]) -> Int { list.count }

  private func connection(_ descriptor: Int32, _ table: inout ConnectionTable) -> Connection {
    let connection = Connection(
      descriptor: descriptor, generation: table.nextGeneration(),
      peer: SocketAddress(ipv4: 0x7F00_0001, port: 1),
      conversation: Conversation(limits: HTTPLimits(), now: start, times: Times(Limits())))
    table.insert(connection)
    return connection
  }

  @Test func `a ticket finds its own connection, and not the next one with its descriptor`() {
    var table = ConnectionTable()
    let old = connection(7, &table)
    let ticket = old.ticket
    #expect(table.connection(of: ticket) === old)
    table.remove(old)
    #expect(table.connection(of: ticket) == nil)
    let new = connection(7, &table)
    #expect(table.connection(of: ticket) == nil)
    #expect(table.connection(of: new.ticket) === new)
    #expect(table.connection(7, generation: old.generation) == nil)
    #expect(table.count == 1)
  }

  @Test func `a ticket of another request of the connection finds nothing`() {
    var table = ConnectionTable()
    let open = connection(3, &table)
    #expect(table.connection(of: open.ticket(of: 1)) == nil)
    let unknown = Ticket(slot: 900, generation: 1, request: 0)
    #expect(table.connection(of: unknown) == nil)
  }

  @Test func `due connections come once, the earliest first, and closed ones never`() {
    var table = ConnectionTable()
    let connections = [3, 4, 5].map { connection($0, &table) }
    for (index, open) in connections.enumerated() {
      table.schedule(open, atOrBefore: start.after(Int64(30 - index)))
    }
    #expect(table.nextDeadline == start.after(28))
    table.remove(connections[1])
    #expect(table.popDue(now: start.after(27)) == nil)
    #expect(table.popDue(now: start.after(30)) === connections[2])
    #expect(table.popDue(now: start.after(30)) === connections[0])
    #expect(table.popDue(now: start.after(30)) == nil)
    #expect(table.all.map(\.descriptor) == [3, 5])
  }

  @Test func `a connection is pending once in each list`() {
    var table = ConnectionTable()
    let open = connection(3, &table)
    var pending = PendingWork()
    #expect(pending.isEmpty)
    pending.send(open)
    pending.send(open)
    pending.resume(open)
    #expect(!pending.isEmpty)
    #expect(count(pending.takeSending()) == 1)
    // Still marked: it is about to be sent on.
    pending.send(open)
    #expect(count(pending.takeSending()) == 0)
    open.pending.remove(.sending)
    pending.send(open)
    #expect(count(pending.takeSending()) == 1)
    #expect(count(pending.takeResuming()) == 1)
    #expect(pending.isEmpty)
  }

  @Test func `whatever is pending keeps the loop from waiting`() {
    var table = ConnectionTable()
    let open = connection(3, &table)
    var pending = PendingWork()
    pending.reportHalfClosed(open)
    #expect(!pending.isEmpty)
    #expect(count(pending.takeHalfClosed()) == 1)
    pending.reportLostReceipt(of: open.ticket)
    #expect(!pending.isEmpty)
    #expect(pending.takeLostReceipts() == [open.ticket])
    #expect(pending.isEmpty)
  }

  @Test func `large bodies take every other turn, as many as have room`() {
    var table = ConnectionTable()
    let open = connection(3, &table)
    var handOver = HandOver()
    var parser = HTTPRequestParser(limits: HTTPLimits())
    parser.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    guard case .head(let head) = parser.next() else {
      Issue.record("a whole head")
      return
    }
    for bytes in [300, 100, 100, 100] {
      handOver.append(
        HandOver.Request(
          head: head, body: [UInt8](repeating: 0, count: bytes), connection: open))
    }
    var taken: [Int] = []
    for _ in 0..<6 {
      let count = handOver.beginTurn(bytesMax: 200)
      for _ in 0..<count { _ = handOver.popFirst() }
      taken.append(count)
    }
    #expect(taken == [1, 0, 2, 0, 1, 0])
    #expect(!handOver.isWaiting(open))
  }
}
