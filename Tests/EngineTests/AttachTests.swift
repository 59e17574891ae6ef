import Relay
import Testing
import Wire

@testable import Engine

/// Retries: when an equal call finds the message that is there, and when it makes a new one.
@Suite struct AttachTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  @Test func `two equal calls in one turn attach to one message and both get the answer`() throws {
    let one = try bench.send(id) { $0.id = "1" }
    let two = try bench.send(id) { $0.id = "\"two\"" }
    bench.sync()
    let held = try bench.take(id)
    #expect(bench.engine.pool[id]?.queue.unanswered == 1)
    try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[one]?.json["id"] == .number("1"))
    #expect(bench.replies[two]?.json["id"] == .string("two"))
    #expect(bench.replies[one]?.task == bench.replies[two]?.task)
    #expect(bench.replies[one]?.messageID == bench.replies[two]?.messageID)
  }

  @Test func `strangers' equal calls are messages of their own`() throws {
    let one = try bench.send(id) { $0.caller = .anonymous }
    let two = try bench.send(id) { $0.caller = .anonymous }
    bench.sync()
    try bench.result(id, try bench.take(id), "for one alone")
    bench.sync()
    #expect(bench.replies[one]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[two] == nil)
    // Nobody has received it: a known caller would get it now.
    let three = try bench.send(id) { $0.caller = .anonymous }
    bench.sync()
    #expect(bench.replies[three] == nil && bench.engine.pool[id]?.queue.lastSeq == 3)
    let receipt = bench.engine.receipt(of: try #require(bench.replies[one]?.messageID))
    let message = try #require(bench.replies[one]?.messageID)
    try bench.restart(isClean: false)
    let four = try bench.send(id) { $0.caller = .anonymous }
    bench.sync()
    #expect(bench.replies[four] == nil && bench.engine.pool[id]?.queue.lastSeq == 4)
    #expect(bench.engine.isReceipt(Array(receipt.utf8)[...], of: message))
  }

  @Test func `a retry after the caller went away gets the stored answer with its own id`() throws {
    let first = try bench.send(id)
    bench.sync()
    bench.engine.callers.callerGone(first, now: bench.now)
    let held = try bench.take(id)
    #expect(held.json["caller_waiting"]?.bool == false)
    try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[first] == nil)
    let retry = try bench.send(id) { $0.id = "77" }
    bench.sync()
    #expect(bench.replies[retry]?.json["id"] == .number("77"))
    #expect(bench.replies[retry]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.engine.pool[id]?.queue.lastSeq == 1)
  }

  @Test func `after its reply was received an equal call is a new message`() throws {
    let first = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    let reply = try #require(bench.replies[first])
    bench.engine.agents.delivered(reply.receipt, received: false, now: bench.now)
    try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.engine.pool[id]?.queue.lastSeq == 1)
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    let again = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.engine.pool[id]?.queue.lastSeq == 2)
    #expect(bench.replies[again]?.messageID != reply.messageID)
  }

  @Test func `other callers, texts and methods are other calls`() throws {
    try bench.send(id)
    try bench.send(id) { $0.text = "other" }
    try bench.send(id) { $0.messageID = "m-2" }
    try bench.send(id) { $0.caller = .org("others") }
    try bench.send(id) { $0.isCurrent = false }
    #expect(bench.engine.pool[id]?.queue.lastSeq == 5)
  }

  @Test func `a call that attaches while its message is being stored is answered with it`() throws {
    let one = try bench.send(id)
    bench.turn()
    let two = try bench.send(id)
    bench.turn()
    #expect(bench.replies[one] == nil && bench.replies[two] == nil)
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[one]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[two]?.state == "TASK_STATE_COMPLETED")
    bench.expectNothingHeld()
  }

  @Test func `an unknown outcome is no reply, so that the retry attaches`() throws {
    let strict = try bench.create(whenOffline: .error)
    let call = try bench.send(strict) { $0.hold = .seconds(10) }
    bench.sync()
    let held = try bench.take(strict)
    bench.wait(.seconds(10))
    let reply = try #require(bench.replies[call])
    #expect(reply.reason == "AGENT_TIMEOUT" && reply.delivered == "unknown")
    #expect(reply.messageID == held.message)
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    let retry = try bench.send(strict)
    try bench.result(strict, held)
    bench.sync()
    #expect(bench.replies[retry]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.engine.pool[strict]?.queue.lastSeq == 1)
  }
}
