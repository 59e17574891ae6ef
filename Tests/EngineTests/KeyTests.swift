import Relay
import Store
import Testing
import Wire

@testable import Engine

/// `Idempotency-Key`: one key means one message for as long as its window is open.
@Suite struct KeyTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private var messages: Seq { bench.engine.pool[id]?.queue.lastSeq ?? 0 }

  private func send(_ change: (inout Bench.Send) -> Void = { _ in }) throws -> CallID {
    try bench.send(id) {
      $0.key = "k-1"
      change(&$0)
    }
  }

  /// A send that is answered, and whose caller has the answer.
  private func received() throws -> Shown {
    let call = try send()
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    bench.wait(.seconds(2))
    return reply
  }

  @Test func `an answer that was received comes again, with the id of the new call`() throws {
    let first = try received()
    #expect(bench.engine.pool[id]?.queue.message(1) == nil)
    let again = try send { $0.id = "\"again\"" }
    bench.sync()
    let reply = try #require(bench.replies[again])
    #expect(reply.json["id"] == .string("again"))
    #expect(reply.task == first.task)
    #expect(reply.messageID == first.messageID)
    #expect(messages == 1)
    bench.expectNothingHeld()
  }

  @Test(arguments: [true, false]) func `also after a restart`(isClean: Bool) throws {
    let first = try received()
    try bench.restart(isClean: isClean)
    let again = try send { $0.id = "7" }
    bench.sync()
    #expect(bench.replies[again]?.json["id"] == .number("7"))
    #expect(bench.replies[again]?.task == first.task)
    #expect(messages == 1)
  }

  @Test(arguments: [true, false])
  func `at the platform's way in a message without an id has a key too`(isClean: Bool) throws {
    let first = try bench.platform(id, "hello", key: "k-1")
    let same = try bench.platform(id, "hello", key: "k-1")
    bench.sync()
    let stored = try #require(bench.replies[first]?.json["queue_id"])
    #expect(bench.replies[same]?.json["queue_id"] == stored)
    try bench.restart(isClean: isClean)
    let again = try bench.platform(id, "hello", key: "k-1")
    let spaced = try bench.platform(
      id, body: Bench.platformBody("hello").replacing(":", with: " : "), key: "k-1")
    let other = try bench.platform(id, "other", key: "k-1")
    bench.sync()
    for call in [again, spaced] { #expect(bench.replies[call]?.json["queue_id"] == stored) }
    #expect(bench.replies[other]?.status == 409)
    #expect(bench.replies[other]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(messages == 1)
  }

  @Test func `id and white space do not count, params and method do`() throws {
    _ = try received()
    let spaced = try send { $0.space = " \n\t " }
    let other = try send { $0.text = "hello " }
    let dialect = try send { $0.isCurrent = false }
    bench.sync()
    #expect(bench.replies[spaced]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[other]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(bench.replies[other]?.rpcCode == -32602)
    #expect(bench.replies[dialect]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(messages == 1)
  }

  @Test func `two at once attach to one, in one turn and before it is durable`() throws {
    let one = try send { $0.id = "1" }
    let two = try send { $0.id = "2" }
    let other = try send { $0.text = "other" }
    bench.turn()
    let three = try send { $0.id = "3" }
    let another = try send { $0.text = "other" }
    bench.turn()
    // That there is such a message is nothing to be told of before it is durable.
    #expect(bench.replies.values.allSatisfy { $0.status == 201 })
    bench.sync()
    #expect(bench.replies[other]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(bench.replies[another]?.reason == "IDEMPOTENCY_CONFLICT")
    try bench.result(id, try bench.take(id))
    bench.sync()
    for call in [one, two, three] { #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED") }
    #expect(messages == 1)
    bench.expectNothingHeld()
    #expect(bench.engine.pool[id]?.waiting.keys.isEmpty == true)
  }

  @Test func `a call whose Task was received attaches, and gets the answer`() throws {
    let first = try send { $0.isBlocking = false }
    bench.sync()
    let reply = try #require(bench.replies[first])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    let again = try send { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[again]?.messageID == reply.messageID)
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
    try bench.result(id, try bench.take(id))
    bench.sync()
    let later = try send { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[later]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[later]?.messageID == reply.messageID)
    #expect(messages == 1)
  }

  @Test func `a held call whose Task was received before is answered under its message's id`()
    throws
  {
    let first = try send { $0.hold = .seconds(5) }
    bench.sync()
    bench.wait(.seconds(5))
    let reply = try #require(bench.replies[first])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    let again = try send()
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[again]?.messageID == reply.messageID)
    bench.expectNothingHeld()
  }

  @Test func `other callers, keys and calls without one have messages of their own`() throws {
    try bench.send(id) { $0.key = "k-1" }
    try bench.send(id) { $0.key = "k-2" }
    try bench.send(id)
    try bench.send(id) {
      $0.key = "k-1"
      $0.caller = .org("others")
    }
    bench.sync()
    #expect(messages == 4)
    // Without a key it attaches as ever.
    try bench.send(id)
    bench.sync()
    #expect(messages == 4)
  }

  @Test func `when the window is over the key is free`() throws {
    let first = try received()
    bench.wait(bench.limits.idempotencyWindow - .seconds(10))
    let inTime = try send()
    bench.sync()
    #expect(bench.replies[inTime]?.messageID == first.messageID)
    bench.wait(.seconds(10))
    let later = try send { $0.text = "other" }
    bench.sync()
    #expect(messages == 2)
    try bench.result(id, try bench.take(id), "new")
    bench.sync()
    #expect(bench.replies[later]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a window does not end by a clock that is not trusted`() throws {
    _ = try received()
    bench.wait(bench.limits.idempotencyWindow)
    bench.moveClock(.seconds(3600))
    _ = try send()
    bench.sync()
    #expect(messages == 1)
  }

  @Test func `a key whose message is still at work when the window ends attaches as ever`() throws {
    _ = try send { $0.hold = .seconds(5) }
    bench.sync()
    bench.wait(bench.limits.idempotencyWindow + .seconds(1))
    _ = try send()
    bench.sync()
    #expect(messages == 1)
  }

  @Test func `a message that was withdrawn frees its key`() throws {
    let strict = try bench.create(whenOffline: .error)
    let call = try bench.send(strict) {
      $0.key = "k"
      $0.hold = .seconds(5)
    }
    bench.sync()
    bench.wait(.seconds(5))
    #expect(bench.replies[call]?.reason == "AGENT_OFFLINE")
    let again = try bench.send(strict) { $0.key = "k" }
    bench.sync()
    try bench.result(strict, try bench.take(strict))
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.engine.pool[strict]?.queue.lastSeq == 2)
  }

  @Test func `a message that was refused frees its key`() throws {
    let call = try send()
    bench.makeDiskLow()
    bench.sync()
    #expect(bench.replies[call] == nil)
    let retry = try send()
    bench.sync()
    #expect(bench.replies[retry] == nil, "attached: refused is only what is new")
    let new = try send { $0.key = "k-2" }
    #expect(bench.engine.pool[id]?.waiting.keys.isEmpty == true)
    bench.makeDiskLow(false)
    bench.sync()
    #expect(bench.replies[new]?.reason == "DISK_FULL")
    _ = try send { $0.key = "k-2" }
    bench.sync()
    #expect(messages == 2)
  }

  @Test func `a failed task is the answer of its key, too`() throws {
    let call = try send()
    bench.sync()
    try bench.result(id, try bench.take(id), "no", state: "failed")
    bench.sync()
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    let again = try send()
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_FAILED")
  }

  @Test func `a deleted message is gone for its key, and never run again`() throws {
    let first = try received()
    let seq = try #require(first.messageID?.seq)
    let workspace = try #require(bench.engine.pool[id])
    let tombstone = Tombstone(
      tag: try #require(first.messageID?.tag), caller: "org:callers", at: bench.now.wall,
      cause: .purge, actor: "admin", reason: "by mistake", until: bench.now.wall + .seconds(7))
    try workspace.file.commit([.delete(seq: seq, tombstone: tombstone)])
    let again = try send()
    let other = try send { $0.text = "other" }
    bench.sync()
    #expect(bench.replies[again]?.reason == "ANSWER_GONE")
    #expect(bench.replies[other]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(messages == 1)
  }
}
