import Relay
import Testing
import Wire

@testable import Engine

/// A task that goes on is working in every answer, from the moment its message is stored.
@Suite struct ContinuedTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private static let working = ["TASK_STATE_WORKING", "working"]

  /// The task that waits for input or authorization, and a message of it that nobody has.
  private func interrupted(_ state: String = "input-required") throws -> String {
    let message = try bench.stored(id)
    try bench.result(id, try bench.take(id), "which one?", state: state)
    bench.sync()
    return message.text
  }

  private func goOn(_ task: String, isBlocking: Bool, isCurrent: Bool = true) throws -> CallID {
    try bench.send(id) {
      ($0.messageID, $0.task, $0.isBlocking, $0.isCurrent) = ("m-2", task, isBlocking, isCurrent)
      $0.hold = .seconds(5)
    }
  }

  private func expectWorking(
    _ reply: Shown?, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(Self.working.contains(reply?.state ?? "none"), sourceLocation: location)
    #expect(reply?.task?["status"]?["message"] == nil, sourceLocation: location)
    #expect(reply?.text.contains("which one?") == true, "it is history", sourceLocation: location)
  }

  @Test(arguments: ["input-required", "auth-required"], [true, false])
  func `the reply to a further message says that the task works`(
    _ state: String, _ isCurrent: Bool
  ) throws {
    let task = try interrupted(state)
    let call = try goOn(task, isBlocking: false, isCurrent: isCurrent)
    bench.sync()
    expectWorking(bench.replies[call])
    let get = try bench.rpc(id, isCurrent ? "GetTask" : "tasks/get", "{\"id\":\"\(task)\"}")
    bench.sync()
    expectWorking(bench.replies[get])
  }

  @Test func `a hold that runs out on a further message shows the task at work`() throws {
    let task = try interrupted()
    let call = try goOn(task, isBlocking: true)
    bench.sync()
    bench.wait(.seconds(6))
    expectWorking(bench.replies[call])
    let message = try #require(bench.replies[call]?.messageID)
    let shown = bench.engine.nextCall()
    bench.engine.callers.callerMessage(shown, message, caller: .org("callers"), now: bench.now)
    bench.sync()
    let status = bench.replies[shown]?.json["task"]?["status"]
    #expect(status?["state"]?.string == "TASK_STATE_WORKING" && status?["message"] == nil)
  }

  @Test func `a read that meets the further message waits for it and sees it`() throws {
    let task = try interrupted()
    let call = try goOn(task, isBlocking: false)
    bench.turn()
    let get = try bench.getTask(id, task)
    bench.turn()
    #expect(bench.replies[call] == nil && bench.replies[get] == nil, "nothing is on the disk yet")
    bench.sync()
    expectWorking(bench.replies[call])
    expectWorking(bench.replies[get])
  }

  @Test func `the task works also right after a kill`() throws {
    let task = try interrupted()
    let call = try goOn(task, isBlocking: false)
    bench.sync()
    expectWorking(bench.replies[call])
    try bench.restart(isClean: false)
    let get = try bench.getTask(id, task)
    bench.sync()
    expectWorking(bench.replies[get])
    try bench.result(id, try bench.take(id), "and which size?", state: "input-required")
    bench.sync()
    let again = try bench.getTask(id, task)
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_INPUT_REQUIRED")
    #expect(bench.replies[again]?.task?["status"]?["message"] != nil)
  }

  @Test func `a message that waits behind a question sets the task to work by a start`() throws {
    let message = try bench.stored(id)
    _ = try goOn(message.text, isBlocking: false)
    bench.sync()
    try bench.result(id, try bench.take(id), "which one?", state: "input-required")
    bench.sync()
    try bench.restart(isClean: false)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    expectWorking(bench.replies[get])
    _ = try bench.take(id)
    let again = try bench.getTask(id, message.text)
    bench.sync()
    expectWorking(bench.replies[again])
  }

  @Test func `a task is submitted until its first message is handed out`() throws {
    let message = try bench.stored(id)
    let fresh = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[fresh]?.state == "TASK_STATE_SUBMITTED")
    try bench.restart(isClean: false)
    let poll = bench.poll(id, wait: .zero)
    bench.turn()
    #expect(bench.replies[poll]?.entries.count == 1)
    for isAfterKill in [false, true] {
      if isAfterKill { try bench.restart(isClean: false) }
      let get = try bench.getTask(id, message.text)
      bench.sync()
      #expect(bench.replies[get]?.state == "TASK_STATE_WORKING")
    }
  }
}
