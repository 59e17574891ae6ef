import Relay
import Testing
import Wire

@testable import Engine
@testable import Store

/// Ends that nobody ever reads are kept for their time, and what they may take has a bound.
@Suite struct UnreadTests {
  /// Its caller takes the Task at once, and does not ask how it ended.
  private func forgotten(
    _ bench: Bench, _ id: WorkspaceID, _ name: String, text: String = "x"
  ) throws -> Shown {
    let call = try bench.send(id) {
      $0.messageID = name
      $0.text = text
      $0.isBlocking = false
    }
    bench.sync()
    let reply = try #require(bench.replies[call])
    guard reply.state != nil else { return reply }
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    bench.wait(.seconds(1))
    try bench.result(id, try bench.take(id))
    bench.sync()
    return reply
  }

  private func stored(_ bench: Bench, _ id: WorkspaceID) throws -> [Seq] {
    let workspace = try #require(bench.engine.pool[id])
    return try workspace.file.page(.all, after: 0, limit: 500).map(\.seq)
  }

  @Test func `above their bound sends are refused, and nothing is deleted before it is read`()
    throws
  {
    let bench = try Bench {
      $0.keptMessagesMax = 1
      $0.unreadMessagesMax = 3
    }
    let id = try bench.create()
    let tasks = try (0..<5).map { number in
      try #require(try forgotten(bench, id, "m-\(number)").task?["id"]?.string)
    }
    #expect(bench.engine.pool[id]?.queue.count == 0, "no limit of the queue counts them")
    bench.sweep()
    // At once after a start too.
    for isClean in [nil, true, false] {
      if let isClean { try bench.restart(isClean: isClean) }
      let refused = try forgotten(bench, id, "more")
      #expect(refused.reason == "QUEUE_FULL" && refused.delivered == "no")
      #expect(refused.text.contains("\"kept\":\"5\"") && refused.text.contains("GetTask"))
    }
    #expect(try stored(bench, id) == [1, 2, 3, 4, 5])
    for task in tasks.prefix(2) {
      let read = try bench.getTask(id, task)
      bench.sync()
      bench.engine.agents.delivered(
        try #require(bench.replies[read]).receipt, received: true, now: bench.now)
      bench.sync()
    }
    bench.wait(bench.limits.retentionRestart)
    bench.sweep()
    #expect(try stored(bench, id) == [3, 4, 5])
    #expect(try forgotten(bench, id, "more").state != nil)
  }

  @Test func `the same by bytes`() throws {
    let bench = try Bench {
      $0.keptBytesMax = 1
      $0.unreadBytesMax = 300_000
    }
    let id = try bench.create()
    let text = String(repeating: "x", count: 100_000)
    for number in 0..<3 { _ = try forgotten(bench, id, "m-\(number)", text: text) }
    bench.sweep()
    #expect(try forgotten(bench, id, "more").reason == "QUEUE_FULL")
  }

  enum Order: CaseIterable { case receiptFirst, resultFirst, afterTheEnd, clockSetBack }

  @Test(arguments: Order.allCases)
  func `a Task is no end, whenever its receipt comes`(order: Order) throws {
    let bench = try Bench { $0.keptMessagesMax = 1 }
    let id = try bench.create()
    var tasks: [Shown] = []
    for number in 0..<3 {
      let call = try bench.send(id) { ($0.messageID, $0.isBlocking) = ("m-\(number)", false) }
      bench.sync()
      let task = try #require(bench.replies[call])
      tasks.append(task)
      let held = try bench.take(id)
      let isReceiptFirst = order == .receiptFirst || order == .clockSetBack
      if isReceiptFirst {
        bench.engine.agents.delivered(task.receipt, received: true, now: bench.now)
      }
      if order == .clockSetBack { bench.moveClock(.seconds(-3600)) }
      try bench.result(id, held)
      if order == .afterTheEnd { bench.sync() }
      if !isReceiptFirst {
        bench.engine.agents.delivered(task.receipt, received: true, now: bench.now)
      }
      bench.sync()
    }
    for isClean in [nil, true, false] {
      bench.wait(.seconds(2))
      if let isClean { try bench.restart(isClean: isClean) }
      _ = try bench.queue(id)
      bench.sweep()
      #expect(try stored(bench, id) == [1, 2, 3])
    }
    for task in tasks {
      let read = try bench.getTask(id, try #require(task.messageID).text)
      bench.sync()
      bench.engine.agents.delivered(
        try #require(bench.replies[read]).receipt, received: true, now: bench.now)
    }
    bench.wait(bench.limits.retentionRestart)
    bench.sweep()
    #expect(try stored(bench, id).isEmpty, "now they are read")
  }

  @Test func `nobody has read the answer of a replay`() throws {
    let bench = try Bench { $0.keptMessagesMax = 1 }
    let id = try bench.create()
    let original = try #require(try bench.answered(id, "a").messageID)
    for _ in 0..<3 {
      #expect(try bench.replay(id, original).status == 200)
      try bench.result(id, try bench.take(id))
      bench.sync()
    }
    for isClean in [nil, true, false] {
      bench.wait(.seconds(2))
      if let isClean { try bench.restart(isClean: isClean) }
      #expect(try bench.queue(id)["counts"]?["unreceived"]?.int == 0, "it takes no place")
      bench.sweep()
      #expect(try stored(bench, id) == [2, 3, 4])
    }
  }
}
