import API
import Relay
import Testing
import Wire

@testable import Engine

/// What is refused because there is too much of it already: nothing of it is stored.
@Suite struct LimitTests {
  private func bench(_ change: (inout Limits) -> Void) throws -> (Bench, WorkspaceID) {
    var limits = Limits()
    change(&limits)
    let bench = try Bench(limits: limits)
    return (bench, try bench.create())
  }

  private func fill(_ bench: Bench, _ id: WorkspaceID, _ count: Int, caller: String = "a") throws {
    for number in 0..<count {
      try bench.send(id) {
        $0.messageID = "f-\(number)"
        $0.caller = .org(caller)
      }
    }
    bench.sync()
  }

  private func expectRefused(
    _ bench: Bench, _ id: WorkspaceID, _ reason: String, caller: String = "a"
  ) throws {
    let stored = bench.engine.pool[id]?.queue.lastSeq
    let call = try bench.send(id) {
      $0.messageID = "over"
      $0.caller = .org(caller)
    }
    bench.turn()
    let reply = try #require(bench.replies[call])
    #expect(reply.reason == reason && reply.delivered == "no" && reply.rpcCode == -32603)
    #expect(reply.header("Retry-After") != nil)
    #expect(bench.engine.pool[id]?.queue.lastSeq == stored)
    #expect(!bench.isWaitingForBarrier)
  }

  @Test func `the messages of a queue are bounded`() throws {
    let (bench, id) = try bench { ($0.queueMessagesMax, $0.callerSharePercent) = (3, 100) }
    try fill(bench, id, 3)
    try expectRefused(bench, id, "QUEUE_FULL")
    // An answer that was received makes room.
    let retry = try bench.send(id) {
      $0.messageID = "f-0"
      $0.caller = .org("a")
    }
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    bench.engine.agents.delivered(
      try #require(bench.replies[retry]).receipt, received: true, now: bench.now)
    try bench.stored(id, "fits")
  }

  @Test func `the bytes of a queue are bounded`() throws {
    let (bench, id) = try bench { $0.queueBytesMax = 500 }
    try fill(bench, id, 2)
    try expectRefused(bench, id, "QUEUE_FULL")
  }

  @Test func `one caller may fill its share and no more`() throws {
    let (bench, id) = try bench { ($0.queueMessagesMax, $0.callerSharePercent) = (8, 25) }
    try fill(bench, id, 2)
    try expectRefused(bench, id, "CALLER_SHARE")
    try fill(bench, id, 1, caller: "b")
  }

  /// A task of `caller` that waits for input; its caller has read the question, or not.
  @discardableResult
  private func interrupt(
    _ bench: Bench, _ id: WorkspaceID, _ messageID: String, caller: String = "a",
    isRead: Bool = true
  ) throws -> String {
    let call = try bench.send(id) { ($0.messageID, $0.caller) = (messageID, .org(caller)) }
    bench.sync()
    try bench.result(id, try bench.take(id), "?", state: "input-required")
    bench.sync()
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: isRead, now: bench.now)
    bench.sync()
    return try #require(reply.task?["id"]?.string)
  }

  private func expectCounts(
    _ bench: Bench, _ id: WorkspaceID, _ counts: [String: Int], caller: String = "a"
  ) throws {
    let call = try bench.send(id) { ($0.messageID, $0.caller) = ("over", .org(caller)) }
    bench.sync()
    let error = try #require(bench.replies[call]?.json["error"])
    let metadata = error["data"]?.array?.first?["metadata"]
    for (name, count) in counts {
      #expect(metadata?[name]?.string == "\(count)", "\(name)")
      #expect(error["message"]?.string?.contains("\(count) \(name)") == true, "\(name)")
    }
  }

  @Test func `a refusal and the operator's view name what fills the queue`() throws {
    let (bench, id) = try bench {
      ($0.queueMessagesMax, $0.callerSharePercent, $0.attempts) = (4, 100, 1)
    }
    try interrupt(bench, id, "read")
    try interrupt(bench, id, "unread", isRead: false)
    let gone = try bench.send(id) { $0.messageID = "dead" }
    bench.sync()
    bench.engine.callers.callerGone(gone, now: bench.now)
    bench.agent(id, try bench.take(id), .release(delay: nil, reason: ""))
    bench.sync()
    try fill(bench, id, 2)
    let counts = ["unanswered": 2, "unreceived": 1, "dead": 1, "interrupted": 2]
    try expectCounts(bench, id, counts)
    let shown = try bench.status(id)["queue"]
    for (name, count) in counts { #expect(shown?[name]?.int == count, "\(name)") }
    try bench.restart(isClean: false)
    try expectCounts(bench, id, counts)
  }

  @Test func `a caller's share names what is its own`() throws {
    let (bench, id) = try bench { ($0.queueMessagesMax, $0.callerSharePercent) = (8, 25) }
    try fill(bench, id, 1, caller: "b")
    try fill(bench, id, 2)
    try expectCounts(bench, id, ["unanswered": 2, "unreceived": 0, "dead": 0, "interrupted": 0])
  }

  @Test(arguments: [false, true])
  func `tasks that wait for input are bounded, and each can go on or end`(_ isOfCaller: Bool) throws
  {
    let (bench, id) = try bench {
      $0.interruptedTasksMax = isOfCaller ? 8 : 2
      $0.callerSharePercent = isOfCaller ? 25 : 100
    }
    let first = try interrupt(bench, id, "t-1")
    // Taken before the bound is reached, its question is kept: work that is done is not refused.
    let held = try { () in
      try bench.send(id) { ($0.messageID, $0.caller) = ("t-2", .org("a")) }
      bench.sync()
      return try bench.take(id)
    }()
    let second = try interrupt(bench, id, "t-3")
    let reason = isOfCaller ? "CALLER_SHARE" : "QUEUE_FULL"
    try expectRefused(bench, id, reason)
    let late = try bench.result(id, held, "?", state: "auth-required")
    bench.sync()
    #expect(bench.replies[late]?.status == 200)
    try expectCounts(bench, id, ["unanswered": 0, "interrupted": 3])
    try bench.restart(isClean: false)
    try expectCounts(bench, id, ["unanswered": 0, "interrupted": 3])
    try expectRefused(bench, id, reason)
    if isOfCaller { try fill(bench, id, 1, caller: "b") }
    // One goes on, one is cancelled.
    let call = try bench.send(id) {
      ($0.messageID, $0.task, $0.caller, $0.isBlocking) = ("go on", first, .org("a"), false)
    }
    _ = try bench.cancelTask(id, second, caller: .org("a"))
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_WORKING")
    let fits = try bench.send(id) {
      ($0.messageID, $0.caller, $0.isBlocking) = ("over", .org("a"), false)
    }
    bench.sync()
    #expect(bench.replies[fits]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `a disk below high water refuses sends, and results go on`() throws {
    let (bench, id) = try bench { _ in }
    try fill(bench, id, 1)
    bench.makeDiskLow()
    try expectRefused(bench, id, "DISK_FULL")
    let result = try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[result]?.status == 200)
    let create = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      create, id: nil, name: "", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[create]?.code == "disk_full")
  }

  @Test func `parked polls of a workspace are bounded`() throws {
    let (bench, id) = try bench { $0.parkedPollsMax = 2 }
    bench.poll(id)
    bench.poll(id)
    let over = bench.poll(id)
    bench.turn()
    #expect(bench.replies[over]?.code == "polls_full" && bench.replies[over]?.status == 503)
    // Who goes makes room.
    let gone = bench.poll(id)
    bench.engine.agents.pollGone(gone, at: id, now: bench.now)
    bench.wait(.seconds(30))
    bench.expectNothingHeld()
  }

  @Test func `open workspaces and all workspaces are bounded`() throws {
    let (bench, id) = try bench { ($0.openWorkspacesMax, $0.workspacesMax) = (1, 2) }
    let other = try bench.create()
    try bench.send(id)
    bench.turn()
    let call = try bench.send(other)
    bench.advance(bench.limits.fileWaitMax)
    bench.turn()
    #expect(bench.replies[call]?.reason == "TOO_MANY_OPEN")
    bench.sync()
    let create = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      create, id: nil, name: "", settings: Settings(), now: bench.now)
    bench.turn()
    #expect(bench.replies[create]?.code == "workspaces_full")
  }

  @Test func `a round that is over its bound goes on in further transactions`() throws {
    let (bench, id) = try bench { $0.roundOperationsMax = 3 }
    var calls: [CallID] = []
    for number in 0..<10 {
      calls.append(
        try bench.send(id) {
          $0.messageID = "r-\(number)"
          $0.isBlocking = false
        })
    }
    #expect(calls.allSatisfy { bench.replies[$0] == nil })
    bench.sync()
    for call in calls { #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED") }
  }

  @Test func `requests and results in memory have one bound, and are read back beyond it`() throws {
    let (bench, id) = try bench { $0.cacheBytesMax = 700 }
    try fill(bench, id, 5)
    #expect(bench.engine.pool.cacheAccount.bytes <= 700)
    for number in 0..<5 {
      let held = try bench.take(id)
      #expect(held.json["text"]?.string == "hello")
      try bench.result(id, held, "answer \(number)")
      bench.sync()
      #expect(bench.engine.pool.cacheAccount.bytes <= 700)
    }
    for reply in bench.replies.values where reply.task != nil && reply.messageID != nil {
      #expect(reply.text.contains("answer"))
      bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    }
    bench.sync()
    #expect(bench.engine.pool.cacheAccount.bytes == 0)
    #expect(bench.engine.pool[id]?.cache.isEmpty == true)
  }
}
