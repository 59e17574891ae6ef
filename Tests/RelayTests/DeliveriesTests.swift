import Testing

@testable import Relay

/// Deliveries with a ledger, without the queue that ends messages.
@Suite struct DeliveriesTests {
  let ledger = Ledger(limits: Limits())
  let deliveries: Deliveries
  let now = Part.now

  init() { deliveries = Deliveries(ledger, boot: 1, fencesAbove: 0) }

  /// A message of its own task, which is being stored.
  func arrive(task: Seq? = nil) -> Message {
    let message = Part.message(ledger.messages.lastSeq + 1, task: task, in: ledger)
    deliveries.arrive(message, now: now)
    return message
  }

  func store(task: Seq? = nil) -> Message {
    let message = arrive(task: task)
    message.state = .queued
    _ = deliveries.stored(message, now: now)
    return message
  }

  func park(_ id: PollID, max: Int = 2, wait: Duration = .seconds(5), confirm: Bool = false) {
    deliveries.park(
      Poll(
        id: id, max: max, bytesMax: 100, lease: .seconds(60), confirm: confirm, consumer: "ada",
        deadline: now.instant + wait),
      now: now)
  }

  /// The deliveries since the last look, as poll and message numbers.
  func delivered() -> [[Int64]] {
    defer { ledger.actions = [] }
    return ledger.actions.compactMap {
      if case .handOut(let poll, let entries) = $0 {
        [Int64(poll)] + entries.map(\.seq)
      } else {
        nil
      }
    }
  }

  @Test func `a poll gets the oldest messages, up to as many as it asks for`() {
    let messages = [store(), store(), store()]
    park(7)
    #expect(delivered() == [[7, 1, 2]])
    #expect(messages.map(\.state) == [.leased, .leased, .queued])
    park(8, confirm: true)
    #expect(delivered() == [[8, 3]] && messages[2].state == .offered)
  }

  @Test func `messages go to the poll that has waited longest, none while paused`() {
    park(7)
    park(8)
    deliveries.pause()
    _ = store()
    deliveries.dispatch(now: now)
    #expect(delivered().isEmpty)
    deliveries.resume(now: now)
    #expect(delivered() == [[7, 1]])
    #expect(deliveries.polls.ids == [8])
  }

  @Test func `a poll that does not wait ends at once without a message`() {
    park(7, wait: .zero)
    #expect(deliveries.polls.isEmpty && ledger.actions.count == 1)
  }

  @Test func `messages of one task are delivered one at a time`() {
    _ = store()
    _ = store(task: 1)
    park(7)
    #expect(delivered() == [[7, 1]])
  }

  @Test func `a message that is being stored is delivered with its own transaction`() {
    park(7)
    let message = arrive()
    #expect(message.handOut?.poll == 7 && delivered().isEmpty)
    message.state = .queued
    #expect(deliveries.stored(message, now: now) == 7)
    deliveries.answerReserved(7, now: now)
    #expect(delivered() == [[7, 1]] && message.state == .leased)
  }

  @Test func `a reserved poll that goes away leaves its message undelivered`() {
    park(7)
    let message = arrive()
    deliveries.pollGone(7, now: now)
    message.state = .queued
    _ = deliveries.stored(message, now: now)
    deliveries.answerReserved(7, now: now)
    #expect(message.handOut == nil && message.attempt == 0)
    park(8)
    #expect(delivered() == [[8, 1]])
  }

  @Test func `a message that was not stored gives its poll back`() {
    park(7)
    deliveries.notStored(arrive(), now: now)
    #expect(deliveries.polls.idle == [7] && deliveries.leases.count == 0)
    deliveries.pollGone(7, now: now)
    let unreserved = arrive()
    #expect(!deliveries.ready.letsArrivalsPass)
    deliveries.notStored(unreserved, now: now)
    #expect(deliveries.ready.letsArrivalsPass)
  }

  @Test func `a message that is taken back keeps its place and waits for its delay`() {
    let message = store()
    _ = store()
    park(7, max: 1)
    deliveries.takeBack(message, to: .queued, .lost, delay: .seconds(3), now: now)
    park(8, max: 1)
    #expect(delivered() == [[7, 1], [8, 2]])
    #expect(message.attempt == 1 && message.timerAt == now.instant + .seconds(3))
    let later = Now(instant: now.instant + .seconds(3), wall: now.wall + .seconds(3))
    deliveries.line(up: message, now: later)
    #expect(deliveries.ready.first == 1)
  }

  @Test func `a delivery whose row is rolled back never happened`() {
    let message = store()
    park(7)
    deliveries.refused([1], now: now)
    #expect(message.state == .queued && message.attempt == 0 && message.fences.isEmpty)
    #expect(deliveries.ready.first == 1 && deliveries.leases.count == 0)
  }

  @Test func `only leases without a call, from earlier turns, are unconfirmed`() {
    let messages = [store(), store(), store()]
    park(7)
    #expect(deliveries.unconfirmed().isEmpty, "they have not left yet")
    deliveries.turnEnded()
    park(8)
    deliveries.touch(messages[0])
    #expect(deliveries.unconfirmed().map(\.seq) == [2])
  }

  @Test func `leases end later by the time that the process stood still`() {
    let message = store()
    park(7)
    deliveries.stoodStill(.seconds(9), now: now)
    #expect(message.handOut?.end == now.instant + .seconds(69))
  }
}
