import Relay
import System
import Testing

@testable import HTTPServer

@Suite struct LoopPartsTests {
  private let start = Instant(nanoseconds: 1_000)
  private let times = Times(Limits())

  @Test func `accepting is paused once, and resumed once`() {
    var pause = AcceptPause()
    #expect(!result(pause.end()))
    #expect(result(pause.begin(until: nil)))
    #expect(!result(pause.begin(until: start.after(5))))
    #expect(!pause.isOver(now: start.after(4)))
    #expect(pause.isOver(now: start.after(5)))
    #expect(result(pause.end()))
    #expect(!result(pause.end()))
    #expect(!pause.isPaused && pause.resumesAt == nil)
  }

  @Test func `a pause without an end lasts until a connection is closed`() {
    var pause = AcceptPause()
    #expect(result(pause.begin(until: nil)))
    #expect(!pause.isOver(now: start.after(.max / 2)))
    #expect(result(pause.end()))
  }

  @Test func `the loop is told to end once, and receiving ends first`() {
    var shutdown = Shutdown()
    #expect(!shutdown.hasBegun && !shutdown.isOver(now: start.after(.max / 2)))
    #expect(result(shutdown.begin(now: start, times: times)))
    #expect(!result(shutdown.begin(now: start.after(1), times: times)))
    #expect(shutdown.end == start.after(times.shutdown))
    #expect(shutdown.receivingEnd == start.after(times.shutdownRequest))
    #expect(times.shutdownRequest <= times.shutdown)
    #expect(!shutdown.isOver(now: start.after(times.shutdown - 1)))
    #expect(shutdown.isOver(now: start.after(times.shutdown)))
  }

  @Test func `memory goes back after a peak, at most once a second`() {
    let memory = BodyMemory(Limits())
    var giving = MemoryReturn(keptMax: 1000)
    func peak(_ bytes: Int) {
      memory.body(bytes, of: .nobody)
      memory.body(-bytes, of: .nobody)
    }
    peak(1000)
    #expect(!result(giving.isDue(memory, connections: 0, now: start)))
    peak(1001)
    #expect(result(giving.isDue(memory, connections: 0, now: start)))
    #expect(!result(giving.isDue(memory, connections: 0, now: start + .seconds(2))))
    peak(5000)
    #expect(result(giving.isDue(memory, connections: 0, now: start + .seconds(2))))
    peak(5000)
    #expect(!result(giving.isDue(memory, connections: 0, now: start + .milliseconds(2900))))
    #expect(result(giving.isDue(memory, connections: 0, now: start + .seconds(3))))
  }

  @Test func `memory stays while half of the peak is in use`() {
    let memory = BodyMemory(Limits())
    var giving = MemoryReturn(keptMax: 1000)
    memory.body(10_000, of: .nobody)
    memory.body(-5_000, of: .nobody)
    #expect(!result(giving.isDue(memory, connections: 0, now: start)))
    memory.body(-1, of: .nobody)
    #expect(result(giving.isDue(memory, connections: 0, now: start)))
  }

  @Test func `connections that have ended are memory too`() {
    let memory = BodyMemory(Limits())
    var giving = MemoryReturn(keptMax: 1000)
    #expect(!result(giving.isDue(memory, connections: 4, now: start)))
    #expect(!result(giving.isDue(memory, connections: 2, now: start)))
    #expect(result(giving.isDue(memory, connections: 1, now: start)))
  }

  @Test func `epoll is told of changes only, and of none after the end`() {
    var interest = Interest()
    #expect(!result(interest.change(to: [.readable, .peerClosed])))
    #expect(result(interest.change(to: [.writable])))
    #expect(!result(interest.change(to: [.writable])))
    #expect(result(interest.end()))
    #expect(!result(interest.end()))
    #expect(!result(interest.change(to: [.readable])))
  }

  @Test func `a half-close is reported once, of a watched request`() {
    var hold = Hold()
    #expect(!result(hold.report()))
    hold.watch()
    #expect(result(hold.report()))
    #expect(!result(hold.report()))
  }

  @Test func `the fields of a held answer are made once`() {
    var hold = Hold()
    hold.sendWhitespace { [("A", "b")] }
    #expect(hold.sendsWhitespace)
    let headers = hold.takeHeaders()
    #expect(headers.map(\.0) == ["A"])
    let again = hold.takeHeaders()
    #expect(again.isEmpty)
    hold.sendWhitespace(nil)
    #expect(!hold.sendsWhitespace)
  }

  @Test func `what is thrown away has a bound`() {
    var discard = Discard()
    #expect(result(discard.take(Limits.drainBytesMax)))
    #expect(!result(discard.take(1)))
  }

  @Test func `bytes before an answer leave first, and all is given back when it is sent`() {
    var outbox = Outbox()
    outbox.put(.empty(204))
    #expect(outbox.isEmpty)
    let answer = outbox.takeAnswer()
    #expect(answer?.status == 204)
    let again = outbox.takeAnswer()
    #expect(again == nil)
    outbox.append([1, 2])
    outbox.append(head: [3], body: [4, 5], tail: [6])
    #expect(outbox.head == [1, 2, 3] && outbox.pending == 6)
    outbox.advance(5)
    #expect(outbox.pending == 1 && !outbox.isEmpty)
    outbox.advance(1)
    #expect(outbox.isEmpty && outbox.sent == 0)
  }
}

/// `#expect` cannot take a mutating call, but its result.
private func result(_ value: Bool) -> Bool { value }
