import Relay
import Testing
import Wire

@testable import Engine

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
      #expect(bench.engine.nextDeadline() == Instant(nanoseconds: 0) || answered.count == 5)
    }
    // The first is made when it is asked for, which fills the turn.
    #expect(answered == [[first[0]], [first[1]], [second], [first[2]], [first[3]]])
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
    #expect(bench.engine.replies.memory.used == 0)
    bench.expectNothingHeld()
  }

  @Test func `a credential that leaves answers unread gets no more, and others do`() throws {
    let (bench, id) = try bench { $0.bodiesInMemoryMax = 4_000_000 }
    let (one, two) = (try large(bench, id, "one"), try large(bench, id, "two"))
    // As the loop counts what a peer has not taken.
    let payer = bench.engine.payer(of: .org("one"))
    bench.engine.replies.memory.answer(1_000_000, for: payer)
    let refused = try bench.getTask(id, one, caller: .org("one"))
    let served = try bench.getTask(id, two, caller: .org("two"))
    bench.turn()
    #expect(bench.replies[refused]?.reason == "MEMORY_FULL")
    #expect(bench.replies[refused]?.delivered == "unknown")
    #expect(bench.replies[served]?.state == "TASK_STATE_SUBMITTED")
    bench.engine.replies.memory.answer(-1_000_000, for: payer)
    let again = try bench.getTask(id, one, caller: .org("one"))
    bench.turn()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
    #expect(bench.engine.replies.memory.used == 0)
  }

  @Test func `answers that wait for their barrier count, and no more than fit are made`() throws {
    let (bench, id) = try bench {
      $0.bodiesInMemoryMax = 405_000
      $0.unreadSharePercent = 100
      $0.orgSharePercent = 1_000_000
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
    #expect(bench.engine.replies.memory.used == 0)
  }

  @Test func `entries for which there is no memory go back, and no attempt is lost`() throws {
    let (bench, id) = try bench { $0.bodiesInMemoryMax = 4_000_000 }
    try bench.stored(id)
    let payer = bench.engine.payer(of: .workspace(id))
    bench.engine.replies.memory.answer(1_000_000, for: payer)
    let refused = bench.poll(id)
    bench.sync()
    #expect(bench.replies[refused]?.code == "memory_full")
    bench.engine.replies.memory.answer(-1_000_000, for: payer)
    #expect(try bench.take(id).json["attempt"]?.int == 1)
    #expect(bench.engine.replies.memory.used == 0)
  }

  /// A task with three messages of `bytes` each, of which two are answered.
  private func continued(_ bench: Bench, _ id: WorkspaceID, bytes: Int) throws -> String {
    var task: String?
    for number in 1...3 {
      let call = try bench.send(id) {
        ($0.messageID, $0.task, $0.isBlocking) = ("m-\(number)", task, false)
        $0.text = String(repeating: "x", count: bytes)
      }
      bench.sync()
      task = try task ?? #require(bench.replies[call]?.messageID).text
      guard number < 3 else { break }
      try bench.result(id, try bench.take(id), "which?", state: "input-required")
      bench.sync()
    }
    return try #require(task)
  }

  @Test(arguments: [(1, 1), (9000, 1), (30_000, 2), (90_000, 3)])
  func `of a large task the newest turns are shown`(bytes: Int, turns: Int) throws {
    let (bench, id) = try bench { $0.taskShownBytesMax = bytes }
    let task = try continued(bench, id, bytes: 9000)
    let get = try bench.getTask(id, task)
    bench.sync()
    let history = bench.replies[get]?.task?["history"]?.array ?? []
    let own = history.compactMap { $0["messageId"]?.string }.filter { $0.hasPrefix("m-") }
    #expect(own == ["m-1", "m-2", "m-3"].suffix(turns), "\(history)")
    let second = history.first { $0["messageId"]?.string?.hasSuffix("-status-2") == true }
    #expect((second != nil) == (turns > 1), "its number does not depend on what is shown")
  }

  @Test func `the messages of a task are bounded`() throws {
    let (bench, id) = try bench { $0.taskMessagesMax = 3 }
    let task = try continued(bench, id, bytes: 10)
    try bench.result(id, try bench.take(id), "which?", state: "input-required")
    bench.sync()
    let more = try bench.send(id) { ($0.messageID, $0.task) = ("m-4", task) }
    bench.sync()
    #expect(bench.replies[more]?.rpcCode == -32004)
    #expect(bench.replies[more]?.text.contains("takes 3 messages") == true)
    let other = try bench.send(id) { ($0.messageID, $0.isBlocking) = ("m-5", false) }
    bench.sync()
    #expect(bench.replies[other]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `parts count in the work of a turn`() throws {
    let (bench, id) = try bench { ($0.turnAnswerBytesMax, $0.partCostBytes) = (100_000, 1000) }
    let message = try bench.stored(id)
    let parts = Array(repeating: "{\"text\":\"\"}", count: 200).joined(separator: ",")
    let body = Array("{\"parts\":[\(parts)]}".utf8)
    bench.agent(id, try bench.take(id), .result(body: body, state: .completed))
    bench.sync()
    let calls = try (0..<3).map { _ in try bench.getTask(id, message.text) }
    bench.turn(atMost: 1)
    // The first at once, which fills the turn; then one in each turn.
    #expect(calls.map { bench.replies[$0] != nil } == [true, false, false])
    bench.turn(atMost: 1)
    #expect(calls.map { bench.replies[$0] != nil } == [true, true, false])
    bench.turn(atMost: 1)
    #expect(bench.replies[calls[2]]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `an answer for which there is no room is refused before it is made`() throws {
    let (bench, id) = try bench { $0.bodiesInMemoryMax = 400_000 }
    let task = try large(bench, id, "one")
    bench.engine.replies.memory.body(350_000, of: .nobody)
    let refused = try bench.getTask(id, task, caller: .org("one"))
    bench.turn()
    #expect(bench.replies[refused]?.reason == "MEMORY_FULL")
    bench.engine.replies.memory.body(-350_000, of: .nobody)
    let again = try bench.getTask(id, task, caller: .org("one"))
    bench.turn()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `an org holds what it likes of what is free, and the next one finds room`() {
    var limits = Limits()
    limits.bodiesInMemoryMax = 1000
    let memory = BodyMemory(limits)
    let first = (0..<5).map { _ in memory.newPayer(of: "first") }
    let second = memory.newPayer(of: "second")
    let alone = memory.newPayer()
    let take = { (payer: BodyMemory.Payer) in
      var taken = 0
      while memory.fits(10, of: payer) {
        memory.body(10, of: payer)
        taken += 10
      }
      return taken
    }
    #expect(first.map(take).reduce(0, +) == 500, "half of all")
    #expect(!memory.mayAnswer(first[0]) && memory.mayAnswer(second) && memory.mayAnswer(alone))
    #expect(take(second) == 250, "half of the rest")
    memory.body(-250, of: second)
    // Whoever holds nothing may have one of any size, as long as there is room at all.
    #expect(memory.fits(500, of: second) && !memory.fits(501, of: second))
    // Answers that are not read are of the same account.
    memory.answer(200, for: second)
    #expect(take(second) == 50)
    #expect(take(alone) == 250, "who has no org has the share of one credential")
    memory.body(-250, of: alone)
    memory.body(-50, of: second)
    memory.answer(-200, for: second)
    #expect(memory.used == 500 && memory.peak == 1000)
    memory.forgetPeak()
    #expect(memory.peak == 500)
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
