import Relay
import Testing

@testable import HTTPServer

@Suite struct ReceiptsTests {
  let start = Instant(nanoseconds: 1_000)
  let times = Times(Limits())

  /// Answers to the requests 1, 2, … of these sizes have been taken by the kernel at `start`.
  private func sent(_ sizes: Int...) -> Receipts {
    var receipts = Receipts()
    for (index, bytes) in sizes.enumerated() {
      receipts.kernelTook(bytes)
      receipts.await(UInt32(index + 1), now: start, times: times)
    }
    return receipts
  }

  /// The requests whose answers are acknowledged when the peer misses so many bytes.
  private func acknowledged(
    _ receipts: inout Receipts, missing: Int, at now: Instant
  ) -> [UInt32] {
    receipts.peerMisses(missing, now: now, times: times)
    var requests: [UInt32] = []
    while let request = receipts.popAcknowledged() { requests.append(request) }
    receipts.lookAgain(now: now, times: times)
    return requests
  }

  @Test func `an answer counts when its last byte is acknowledged, and not before`() {
    var receipts = sent(100)
    #expect(acknowledged(&receipts, missing: 1, at: start).isEmpty)
    #expect(acknowledged(&receipts, missing: 0, at: start) == [1])
    #expect(receipts.isEmpty && receipts.due == nil)
  }

  @Test func `answers behind one another count in their order`() {
    var receipts = sent(100, 50, 10)
    #expect(acknowledged(&receipts, missing: 10, at: start) == [1, 2])
    #expect(acknowledged(&receipts, missing: 0, at: start) == [3])
  }

  @Test func `a FIN that is not acknowledged counts as a missing byte`() {
    var receipts = sent(100)
    receipts.kernelTook(1)
    #expect(acknowledged(&receipts, missing: 1, at: start) == [1])
  }

  @Test func `the looks come after 20, 40, … ms, up to one a second`() {
    var receipts = sent(1_000_000)
    var now = start
    var pauses: [Int64] = []
    for missing in stride(from: 1000, to: 992, by: -1) {
      _ = acknowledged(&receipts, missing: missing, at: now)
      let due = receipts.due ?? start
      pauses.append((due.nanoseconds - now.nanoseconds) / 1_000_000)
      now = due
    }
    #expect(pauses == [20, 40, 80, 160, 320, 640, 1000, 1000])
  }

  @Test func `a peer that acknowledges nothing is overdue after the write time`() {
    var receipts = sent(100)
    let end = start.after(times.write)
    #expect(!receipts.areOverdue(now: Instant(nanoseconds: end.nanoseconds - 1)))
    #expect(receipts.areOverdue(now: end))
    // The last look comes when the time is up.
    _ = acknowledged(&receipts, missing: 100, at: Instant(nanoseconds: end.nanoseconds - 1))
    #expect(receipts.due == end)
  }

  @Test func `each byte acknowledged gives the peer its time again`() {
    var receipts = sent(100)
    let later = start.after(times.write / 2)
    _ = acknowledged(&receipts, missing: 50, at: later)
    #expect(!receipts.areOverdue(now: start.after(times.write)))
    #expect(receipts.areOverdue(now: later.after(times.write)))
  }

  @Test func `a failed connection leaves the answers that were not acknowledged`() {
    var receipts = sent(100, 50)
    _ = acknowledged(&receipts, missing: 50, at: start)
    #expect(receipts.takeAll() == [2])
    #expect(receipts.isEmpty && receipts.due == nil && !receipts.areOverdue(now: .distant))
  }
}

extension Instant {
  fileprivate static let distant = Instant(nanoseconds: .max / 2)
}
