@testable import Relay

/// One random schedule from one seed: events, then an end of everything.
struct Schedule {
  #if PLANTS
    static func run(seed: UInt64, plant: Plant? = nil, isTold: Bool = false) -> String? {
      let driver = ScheduleDriver(seed: seed)
      driver.plant = plant
      driver.queue.plant = plant
      driver.isTold = isTold
      return run(driver)
    }
  #else
    static func run(seed: UInt64, isTold: Bool = false) -> String? {
      let driver = ScheduleDriver(seed: seed)
      driver.isTold = isTold
      return run(driver)
    }
  #endif

  /// What went wrong, if anything did.
  private static func run(_ driver: ScheduleDriver) -> String? {
    for _ in 0..<(12 + driver.roll(28)) {
      driver.step()
      if driver.violation != nil { return driver.violation }
    }
    driver.finish()
    return driver.violation
  }
}

extension ScheduleDriver {
  /// Enough time for everything to come to an end, sometimes with an agent that works.
  func finish() {
    queue.resume(now: now)
    drain()
    settle()
    if roll(4) == 0 { redriveAll() }
    if roll(2) == 0 { work() }
    for _ in 0..<64 where violation == nil {
      if queue.unanswered == 0, queue.ledger.tasks.isEmpty, queue.deliveries.polls.isEmpty { break }
      guard let next = queue.nextDeadline else { break }
      move(by: max(next - now.instant, .zero))
      settle()
    }
    guard violation == nil else { return }
    for seq in queue.ledger.messages.all.map(\.seq).sorted() {
      if durable.messages[seq]?.state == .dead { tellOf(seq) }
      take(Sent(seq: seq, isEnd: true))
      drain()
    }
    settle()
    checkEmpty()
    checkReceipts()
    checkTaken()
  }

  func settle() {
    for _ in 0..<16 where violation == nil {
      endTurn(.committed, flushes: true)
      if rounds.isEmpty, writes.isEmpty { break }
      barrier(rounds.count)
    }
  }

  /// An agent that answers all it gets.
  private func work() {
    for _ in 0..<3 where violation == nil {
      let poll = Poll(
        id: id(), max: 16, bytesMax: 1000, lease: .seconds(60), confirm: false, consumer: "eve",
        deadline: now.instant)
      begin(poll)
      settle()
      for one in given.filter({ $0.poll == poll.id }) {
        let call = id()
        calls[call] = .agent(one.seq, one.fence)
        result(call, one.seq, one.fence, .completed, hash: 1)
        drain()
      }
      settle()
    }
  }
}
