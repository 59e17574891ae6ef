import Relay
import Testing
import Wire

@testable import Broker

/// Answers in memory: one bound with the bodies that are received, a share for each credential, and
/// so many in a turn.
@Suite struct MemoryTests {
  private func bench(_ change: (inout Limits) -> Void) throws -> (Bench, WorkspaceID) {
    var limits = Limits()
    // Nothing is kept: every Task is read from the file.
    limits.cacheBytesMax = 1
    change(&limits)
    let bench = try Bench(limits: limits)
    return (bench, try bench.create())
  }

  /// A task of `caller` with a large message.
  private func large(_ bench: Bench, _ id: WorkspaceID, _ caller: String) throws -> String {
    let call = try bench.send(id) {
      $0.text = String(repeating: "x", count: 100_000)
      $0.isBlocking = false
      $0.caller = .org(caller)
    }
    bench.sync()
    return try #require(bench.replies[call]?.messageID).text
  }

  @Test func `large answers beyond a turn's bound wait, and credentials take turns`() throws {
    let (bench, id) = try bench { $0.turnAnswerBytesMax = 1 }
    let (one, two) = (try large(bench, id, "one"), try large(bench, id, "two"))
    let first = try (0..<4).map { _ in try bench.getTask(id, one, caller: .org("one")) }
    let second = try bench.getTask(id, two, caller: .org("two"))
    var answered: [[CallID]] = []
    while bench.replies[first[3]] == nil, answered.count < 10 {
      let before = Set(bench.replies.keys)
      bench.turn(atMost: 1)
      answered.append(bench.replies.keys.filter { !before.contains($0) }.sorted())
      #expect(bench.broker.nextDeadline() == Instant(nanoseconds: 0) || answered.count == 4)
    }
    // The first is made when it is asked for, and one of those put off.
    #expect(answered == [[first[0], first[1]], [second], [first[2]], [first[3]]])
    #expect((first + [second]).allSatisfy { bench.replies[$0]?.state == "TASK_STATE_SUBMITTED" })
    bench.expectNothingHeld()
  }

  @Test func `who waits for a large answer gets it in a later turn`() throws {
    let (bench, id) = try bench { $0.turnAnswerBytesMax = 1 }
    let waiting = try (0..<3).map { number in
      try bench.send(id) { $0.id = "\(number)" }
    }
    bench.sync()
    try bench.result(id, try bench.take(id), String(repeating: "y", count: 50_000))
    bench.sync()
    for _ in 0..<4 { bench.turn() }
    #expect(waiting.allSatisfy { bench.replies[$0]?.state == "TASK_STATE_COMPLETED" })
    #expect(bench.broker.memory.used == 0)
    bench.expectNothingHeld()
  }

  @Test func `a credential that leaves answers unread gets no more, and others do`() throws {
    let (bench, id) = try bench { $0.bodiesInMemoryMax = 4_000_000 }
    let (one, two) = (try large(bench, id, "one"), try large(bench, id, "two"))
    // As the loop counts what a peer has not taken.
    let payer = bench.broker.payer(of: .org("one"))
    bench.broker.memory.answer(1_000_000, for: payer)
    let refused = try bench.getTask(id, one, caller: .org("one"))
    let served = try bench.getTask(id, two, caller: .org("two"))
    bench.turn()
    #expect(bench.replies[refused]?.reason == "MEMORY_FULL")
    #expect(bench.replies[refused]?.delivered == "unknown")
    #expect(bench.replies[served]?.state == "TASK_STATE_SUBMITTED")
    bench.broker.memory.answer(-1_000_000, for: payer)
    let again = try bench.getTask(id, one, caller: .org("one"))
    bench.turn()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
    #expect(bench.broker.memory.used == 0)
  }

  @Test func `answers that wait for their barrier count, and no more than fit are made`() throws {
    let (bench, id) = try bench {
      $0.bodiesInMemoryMax = 400_000
      $0.unreadSharePercent = 100
    }
    let task = try large(bench, id, "one")
    try bench.send(id) { $0.messageID = "unsynced" }
    bench.turn()
    let calls = try (0..<6).map { _ in try bench.getTask(id, task, caller: .org("one")) }
    bench.turn()
    // Four of 100 kB reach the bound.
    #expect(calls[4...].allSatisfy { bench.replies[$0]?.reason == "MEMORY_FULL" })
    #expect(calls[..<4].allSatisfy { bench.replies[$0] == nil })
    bench.sync()
    #expect(calls[..<4].allSatisfy { bench.replies[$0]?.state == "TASK_STATE_SUBMITTED" })
    #expect(bench.broker.memory.used == 0)
  }

  @Test func `entries for which there is no memory go back, and no attempt is lost`() throws {
    let (bench, id) = try bench { $0.bodiesInMemoryMax = 4_000_000 }
    try bench.stored(id)
    let payer = bench.broker.payer(of: .workspace(id))
    bench.broker.memory.answer(1_000_000, for: payer)
    let refused = bench.poll(id)
    bench.sync()
    #expect(bench.replies[refused]?.code == "memory_full")
    bench.broker.memory.answer(-1_000_000, for: payer)
    #expect(try bench.take(id).json["attempt"]?.int == 1)
    #expect(bench.broker.memory.used == 0)
  }

  @Test func `turns are taken in the order of the first request`() {
    var queue = FairQueue<Int, String>()
    for (key, name) in [(1, "a"), (1, "b"), (2, "c"), (1, "d"), (3, "e"), (2, "f")] {
      queue.append(name, of: key)
    }
    var order = ""
    while let next = queue.popFirst() { order += next }
    #expect(order == "acebfd" && queue.isEmpty)
  }
}
