import Relay
import Testing
import Wire

@testable import Broker

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
    let stored = bench.broker.desks[id]?.queue.lastSeq
    let call = try bench.send(id) {
      $0.messageID = "over"
      $0.caller = .org(caller)
    }
    bench.turn()
    let reply = try #require(bench.replies[call])
    #expect(reply.reason == reason && reply.delivered == "no" && reply.rpcCode == -32603)
    #expect(reply.header("Retry-After") != nil)
    #expect(bench.broker.desks[id]?.queue.lastSeq == stored)
    #expect(!bench.isWaitingForBarrier)
  }

  @Test func `a queue has room for so many messages`() throws {
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
    bench.broker.delivered(
      try #require(bench.replies[retry]).receipt, received: true, now: bench.now)
    try bench.stored(id, "fits")
  }

  @Test func `a queue has room for so many bytes`() throws {
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

  @Test func `a disk below high water refuses sends, and results go on`() throws {
    let (bench, id) = try bench { _ in }
    try fill(bench, id, 1)
    bench.broker.isDiskLow = true
    try expectRefused(bench, id, "DISK_FULL")
    let result = try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[result]?.status == 200)
    let create = bench.broker.nextCall()
    bench.broker.createWorkspace(create, id: nil, name: "", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[create]?.code == "disk_full")
  }

  @Test func `so many polls park on a workspace`() throws {
    let (bench, id) = try bench { $0.parkedPollsMax = 2 }
    bench.poll(id)
    bench.poll(id)
    let over = bench.poll(id)
    bench.turn()
    #expect(bench.replies[over]?.code == "polls_full" && bench.replies[over]?.status == 503)
    // Who goes makes room.
    let gone = bench.poll(id)
    bench.broker.pollGone(gone, at: id, now: bench.now)
    bench.wait(.seconds(30))
    bench.expectNothingHeld()
  }

  @Test func `so many workspaces are open, and so many exist`() throws {
    let (bench, id) = try bench { ($0.openWorkspacesMax, $0.workspacesMax) = (1, 2) }
    try bench.stored(id)
    let other = try bench.create()
    let call = try bench.send(other)
    bench.turn()
    #expect(bench.replies[call]?.reason == "TOO_MANY_OPEN")
    let create = bench.broker.nextCall()
    bench.broker.createWorkspace(create, id: nil, name: "", settings: Settings(), now: bench.now)
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
    #expect(bench.broker.cachedBytes <= 700)
    for number in 0..<5 {
      let held = try bench.take(id)
      #expect(held.json["text"]?.string == "hello")
      try bench.result(id, held, "answer \(number)")
      bench.sync()
      #expect(bench.broker.cachedBytes <= 700)
    }
    for reply in bench.replies.values where reply.task != nil && reply.messageID != nil {
      #expect(reply.text.contains("answer"))
      bench.broker.delivered(reply.receipt, received: true, now: bench.now)
    }
    bench.sync()
    #expect(bench.broker.cachedBytes == 0)
    #expect(bench.broker.desks[id]?.cache.isEmpty == true)
  }
}
