import Relay
import Testing
import Wire

@testable import Engine

/// Who reads the end of its message has received it, however it was read: its place is free.
@Suite struct ReceivedTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    var limits = Limits()
    (limits.queueMessagesMax, limits.attempts) = (8, 1)
    bench = try Bench(limits: limits)
    id = try bench.create()
  }

  /// A message whose caller was cut off while it was held; it is answered.
  @discardableResult
  private func unreceived(
    _ messageID: String, task: String? = nil, state: String = "completed"
  ) throws -> MessageID {
    let (call, message) = try cutOff(messageID, task: task)
    try bench.result(id, try bench.take(id), "for \(messageID)", state: state)
    bench.sync()
    #expect(bench.replies[call] == nil)
    return message
  }

  private func cutOff(
    _ messageID: String, task: String? = nil
  ) throws -> (call: CallID, message: MessageID) {
    let call = try bench.send(id) { ($0.messageID, $0.task) = (messageID, task) }
    bench.sync()
    let message = try #require(bench.engine.callers.messageID(of: call))
    bench.engine.callers.callerGone(call, now: bench.now)
    bench.sync()
    return (call, message)
  }

  private func show(
    _ message: MessageID, caller: Identity = .org("callers"), isGiven: Bool = true
  ) -> CallID {
    let call = bench.engine.nextCall()
    bench.engine.callers.callerMessage(
      call, message, caller: caller, isGiven: isGiven, now: bench.now)
    return call
  }

  /// The server's report on the answer to `call`.
  private func delivered(_ call: CallID, received: Bool = true) throws {
    bench.sync()
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: received, now: bench.now)
    bench.sync()
  }

  private func isReceived(_ message: MessageID) throws -> Bool? {
    bench.wait(.seconds(1))
    return try bench.timeline(id, message)["received"]?.bool
  }

  private func isRefused() throws -> Bool {
    let call = try bench.send(id) { $0.messageID = "next" }
    bench.sync()
    let reason = bench.replies[call]?.reason
    #expect(reason == nil || reason == "CALLER_SHARE")
    return reason != nil
  }

  @Test func `a caller whose connections are cut reads its answers and can send again`() throws {
    let first = try unreceived("a")
    let second = try unreceived("b")
    #expect(try isRefused())
    try delivered(try bench.getTask(id, first.text))
    #expect(try isReceived(first) == true && isReceived(second) == false)
    #expect(try !isRefused())
  }

  @Test func `what was read stays received after a restart`() throws {
    let first = try unreceived("a")
    let second = try unreceived("b")
    try delivered(show(first))
    try delivered(show(second))
    for isClean in [true, false] {
      bench.wait(.seconds(1))
      try bench.restart(isClean: isClean)
      #expect(try isReceived(first) == true && isReceived(second) == true)
      #expect(bench.engine.pool[id]?.queue.count == 0)
    }
    #expect(try !isRefused())
  }

  @Test func `an answer that never arrived, or that another has read, is not received`() throws {
    let message = try unreceived("a")
    try delivered(try bench.getTask(id, message.text), received: false)
    try delivered(show(message), received: false)
    try delivered(show(message, caller: .admin))
    // HEAD: its answer has no body.
    try delivered(show(message, isGiven: false))
    #expect(try isReceived(message) == false)
    let stranger = show(message, caller: .org("others"))
    try delivered(stranger)
    #expect(bench.replies[stranger]?.status == 404)
    #expect(try isReceived(message) == false)
  }

  @Test func `a task at work that is read is no answer`() throws {
    let (_, message) = try cutOff("a")
    let held = try bench.take(id)
    try delivered(try bench.getTask(id, message.text))
    try delivered(show(message))
    try bench.result(id, held)
    bench.sync()
    #expect(try isReceived(message) == false)
  }

  @Test func `dead, expired and cancelled messages are received by reading them`() throws {
    let (_, dead) = try cutOff("a")
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: "cannot"))
    bench.sync()
    #expect(try bench.timeline(id, dead)["state"]?.string == "dead")
    try delivered(try bench.getTask(id, dead.text))
    #expect(try isReceived(dead) == true)
    let (_, cancelled) = try cutOff("b")
    let cancel = try bench.cancelTask(id, cancelled.text)
    try delivered(cancel)
    #expect(bench.replies[cancel]?.state == "TASK_STATE_CANCELED")
    #expect(try isReceived(cancelled) == true)
    let (_, expired) = try cutOff("c")
    bench.wait(.seconds(8 * 86400))
    #expect(try bench.timeline(id, expired)["state"]?.string == "expired")
    try delivered(show(expired))
    #expect(try isReceived(expired) == true)
    #expect(bench.engine.pool[id]?.queue.count == 0)
  }

  @Test func `the end of a task is the answer to each of its messages`() throws {
    let first = try unreceived("a", state: "input-required")
    let second = try unreceived("b", task: first.text)
    try delivered(try bench.getTask(id, first.text))
    #expect(try isReceived(first) == true && isReceived(second) == true)
    #expect(bench.engine.pool[id]?.queue.count == 0)
  }

  @Test func `so is the end that a held caller of the last one gets`() throws {
    let first = try unreceived("a", state: "input-required")
    let call = try bench.send(id) { ($0.messageID, $0.task) = ("b", first.text) }
    bench.sync()
    try bench.result(id, try bench.take(id))
    try delivered(call)
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
    #expect(try isReceived(first) == true)
  }

  @Test func `a question that was read is received, and goes on to wait`() throws {
    let message = try unreceived("a", state: "input-required")
    try delivered(try bench.getTask(id, message.text))
    #expect(try isReceived(message) == true)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_INPUT_REQUIRED")
  }
}
