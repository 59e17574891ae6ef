import Relay
import Testing
import Wire

@testable import Engine

/// A task over several messages, and its end by a cancel.
@Suite struct TaskTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private func askForInput() throws -> (task: String, context: String) {
    let call = try bench.send(id)
    bench.sync()
    try bench.result(id, try bench.take(id), "which one?", state: "input-required")
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_INPUT_REQUIRED")
    return (
      try #require(bench.replies[call]?.task?["id"]?.string),
      try #require(bench.replies[call]?.task?["contextId"]?.string)
    )
  }

  @Test func `a second message continues a task that asked for input`() throws {
    let (task, context) = try askForInput()
    let call = try bench.send(id) {
      $0.messageID = "m-2"
      $0.text = "the red one"
      $0.task = task
      $0.context = context
    }
    bench.sync()
    let held = try bench.take(id)
    #expect(held.json["task_id"]?.string == task)
    #expect(held.json["context_id"]?.string == context)
    try bench.result(id, held, "here it is")
    bench.sync()
    let reply = try #require(bench.replies[call])
    #expect(reply.state == "TASK_STATE_COMPLETED")
    #expect(reply.task?["id"]?.string == task)
    #expect(reply.text.contains("the red one") && reply.text.contains("which one?"))
    #expect(reply.messageID?.text != task)
  }

  @Test func `another context, an ended task and another caller's task are refused`() throws {
    let (task, _) = try askForInput()
    let mismatch = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = task
      $0.context = "another"
    }
    let stranger = try bench.send(id) {
      $0.task = task
      $0.caller = .org("others")
    }
    let strangersGet = try bench.getTask(id, task, caller: .org("others"))
    let strangersCancel = try bench.cancelTask(id, task, caller: .org("others"))
    bench.sync()
    #expect(bench.replies[mismatch]?.rpcCode == -32602)
    for call in [stranger, strangersGet, strangersCancel] {
      #expect(bench.replies[call]?.rpcCode == -32001)
    }
    _ = try bench.cancelTask(id, task)
    bench.sync()
    let ended = try bench.send(id) {
      $0.messageID = "m-3"
      $0.task = task
    }
    bench.sync()
    #expect(bench.replies[ended]?.rpcCode == -32004)
    #expect(bench.engine.pool[id]?.queue.lastSeq == 1)
  }

  @Test func `messages of one task are handed out one at a time`() throws {
    let message = try bench.stored(id)
    let second = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = message.text
    }
    bench.sync()
    let held = try bench.take(id)
    let poll = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.status == 204)
    try bench.result(id, held, "first", state: "input-required")
    bench.sync()
    try bench.result(id, try bench.take(id), "second")
    bench.sync()
    #expect(bench.replies[second]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a cancel ends a task that is queued, offered, leased or waits for input`() throws {
    for step in 0..<4 {
      let messageID = "c-\(step)"
      let call = try bench.send(id) { $0.messageID = messageID }
      bench.sync()
      let message = try #require(bench.engine.callers.messageID(of: call))
      var held: Held?
      if step > 0 { held = try bench.take(id, confirm: step == 1) }
      if step == 3, let held {
        try bench.result(id, held, "?", state: "input-required")
        bench.sync()
      }
      let cancel = try bench.cancelTask(id, message.text)
      bench.sync()
      #expect(bench.replies[cancel]?.state == "TASK_STATE_CANCELED")
      if step < 3 { #expect(bench.replies[call]?.state == "TASK_STATE_CANCELED") }
      if let held, step < 3 {
        let late = bench.agent(id, held, .extend(nil))
        let result = try bench.result(id, held)
        bench.sync()
        #expect(bench.replies[late]?.code == "closed")
        #expect(bench.replies[late]?.json["cancelled"]?.bool == true)
        #expect(bench.replies[result]?.status == 409)
      }
      // A2A 1.0 §3.3.1: again is fine.
      let again = try bench.cancelTask(id, message.text)
      bench.sync()
      #expect(bench.replies[again]?.state == "TASK_STATE_CANCELED")
    }
    bench.expectNothingHeld()
  }

  @Test func `a cancel that meets a write on its way waits for it`() throws {
    let call = try bench.send(id)
    let message = try #require(bench.engine.callers.messageID(of: call))
    let unseen = try bench.cancelTask(id, message.text)
    bench.sync()
    #expect(bench.replies[unseen]?.rpcCode == -32001, "it was not stored yet")
    let held = try bench.take(id)
    try bench.result(id, held)
    let cancel = try bench.cancelTask(id, message.text)
    bench.sync()
    #expect(bench.replies[cancel]?.rpcCode == -32002)
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
    let afterwards = try bench.cancelTask(id, message.text)
    let missing = try bench.cancelTask(id, "no-such-task")
    bench.sync()
    #expect(bench.replies[afterwards]?.rpcCode == -32002)
    #expect(bench.replies[missing]?.rpcCode == -32001)
    bench.expectNothingHeld()
  }

  @Test func `what the relay does not do for an agent is refused by its name`() throws {
    let message = try bench.stored(id)
    let list = try bench.rpc(id, "ListTasks", "{}")
    let push = try bench.rpc(
      id, "GetTaskPushNotificationConfig", "{\"taskId\":\"\(message.text)\",\"id\":\"1\"}")
    let card = try bench.rpc(id, "GetExtendedAgentCard", "{}")
    let oldCard = try bench.rpc(id, "agent/getAuthenticatedExtendedCard", "{}")
    let subscribe = try bench.rpc(id, "SubscribeToTask", "{\"id\":\"\(message.text)\"}")
    bench.sync()
    #expect(bench.replies[list]?.rpcCode == -32004)
    #expect(bench.replies[push]?.rpcCode == -32003)
    #expect(bench.replies[card]?.rpcCode == -32004)
    #expect(bench.replies[oldCard]?.rpcCode == -32007)
    #expect(bench.replies[subscribe]?.rpcCode == -32004)
  }
}
