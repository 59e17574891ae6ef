import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Operators' verbs on one message, on real files.
@Suite struct VerbTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(limits: Bench.oneAttempt)
    id = try bench.create()
  }

  // MARK: cancel

  @Test func `a queued message is cancelled, and its caller hears of it`() throws {
    let call = try bench.send(id)
    bench.sync()
    let message = try #require(bench.engine.callers.messageID(of: call))
    let reply = try bench.cancel(id, message)
    #expect(reply.json["status"] == "cancelled" && reply.json["id"]?.string == message.text)
    #expect(bench.replies[call]?.state == "TASK_STATE_CANCELED")
    let timeline = try bench.timeline(id, message)
    #expect(timeline["state"] == "cancelled" && timeline["reason"] == "cancelled_by_operator")
    #expect(timeline.names == ["stored", "cancel_asked", "cancelled_by_operator"])
    #expect(timeline["timeline"]?.array?[1]["actor"] == "admin")
    #expect(try bench.cancel(id, message).code == "message_ended")
    bench.expectNothingHeld()
  }

  @Test func `a cancel in flight answers the caller, and the agent at its next call`() throws {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    #expect(try bench.cancel(id, held.message).status == 200)
    #expect(bench.replies[call]?.state == "TASK_STATE_CANCELED")
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.code == "closed")
    #expect(bench.replies[result]?.json["cancelled"] == true)
    try bench.restart(isClean: false)
    #expect(try bench.timeline(id, held.message)["state"] == "cancelled")
  }

  @Test func `a cancel waits for the result that is on its way, and is too late`() throws {
    try bench.stored(id)
    let held = try bench.take(id)
    let result = try bench.result(id, held)
    bench.turn()
    let reply = try bench.cancel(id, held.message)
    #expect(bench.replies[result]?.status == 200)
    #expect(reply.status == 409 && reply.code == "message_ended")
  }

  @Test func `an unknown message, or one of another workspace, is not found`() throws {
    let other = try bench.create()
    let message = try bench.stored(other)
    for verb in [bench.cancel, bench.redrive, bench.replay] {
      #expect(try verb(id, message).code == "not_found")
      #expect(try verb(WorkspaceID(UUIDBytes(high: 1, low: 1)), message).code == "not_found")
    }
    #expect(try bench.timeline(other, message)["state"] == "queued")
  }

  /// Queued, offered and in flight, as the file and the queue have them: replay is for what has
  /// ended, and leaves nothing of itself anywhere else.
  @Test(arguments: ["queued", "offered", "leased"])
  func `a replay of what has not ended is refused, and writes nothing`(_ state: String) throws {
    let message = try bench.stored(id)
    if state != "queued" { _ = try bench.take(id, confirm: state == "offered") }
    bench.wait(.seconds(2))
    let before = try bench.timeline(id, message)
    let commits = bench.engine.pool[id]?.transaction.commits
    let reply = try bench.replay(id, message)
    #expect(reply.status == 409 && reply.code == "not_ended")
    #expect(bench.engine.pool[id]?.transaction.commits == commits)
    #expect(try bench.timeline(id, message) == before)
    #expect(try bench.list(id).ids == [message.text])
    bench.expectNothingHeld()
  }

  /// While the write of its end is on its way it has not ended.
  @Test func `a replay of what is coming to its end is refused`() throws {
    let message = try bench.stored(id)
    let queue = try #require(bench.engine.pool[id]?.queue)
    let replay = bench.operation()
    bench.engine.operators.replay(replay, message, at: id, now: bench.now)
    bench.turn()
    bench.engine.operators.cancel(bench.operation(), message, at: id, now: bench.now)
    bench.sync()
    #expect(bench.replies[replay.call]?.code == "not_ended")
    #expect(queue.lastSeq == message.seq)
  }

  // MARK: redrive

  @Test func `a dead message comes back under its own id, with all its attempts`() throws {
    let message = try bench.dead(id)
    try bench.stored(id, "m-2")
    let reply = try bench.redrive(id, message)
    #expect(reply.json["status"] == "redriven" && reply.json["id"]?.string == message.text)
    // At the tail: behind what has come meanwhile.
    #expect(try bench.take(id).message != message)
    let held = try bench.take(id)
    #expect(held.message == message)
    #expect(held.json["attempt"]?.int == 1 && held.json["redelivered"] == true)
    #expect(held.json["replay"] == false)
    try bench.result(id, held)
    bench.sync()
    let timeline = try bench.timeline(id, message)
    #expect(timeline["state"] == "answered" && timeline["reason"] == nil)
    #expect(timeline.names.contains("redriven"))
    bench.expectNothingHeld()
  }

  @Test func `a redriven message is still redriven after a restart`() throws {
    let message = try bench.dead(id)
    try bench.stored(id, "m-2")
    #expect(try bench.redrive(id, message).status == 200)
    try bench.restart(isClean: false)
    #expect(try bench.take(id).message != message)
    #expect(try bench.take(id).message == message)
  }

  @Test func `the task of a redriven message works again`() throws {
    let message = try bench.dead(id)
    #expect(try bench.redrive(id, message).status == 200)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_WORKING")
    let held = try bench.take(id)
    try bench.result(id, held)
    let again = try bench.getTask(id, message.text)
    bench.sync()
    let last = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[again] != nil)
    #expect(bench.replies[last]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a caller who was told that it is dead never sees it come back`() throws {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: ""))
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_FAILED")
    let reply = try bench.redrive(id, held.message)
    #expect(reply.json["status"] == "replayed")
    #expect(reply.json["replay_of"]?.string == held.message.text)
    let copy = try bench.take(id)
    #expect(copy.message.text == reply.json["id"]?.string && copy.message != held.message)
    #expect(copy.json["replay"] == true && copy.json["attempt"]?.int == 1)
    try bench.result(id, copy)
    bench.sync()
    #expect(try bench.timeline(id, held.message)["state"] == "dead")
  }

  /// A caller who has the Task at once has received a reply, but no end.
  @Test func `a message whose caller has only its Task comes back under its id`() throws {
    let message = try bench.stored(id)
    bench.engine.agents.delivered(
      .message(id, message.seq, ends: []), received: true, now: bench.now)
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: ""))
    bench.sync()
    #expect(bench.engine.pool[id]?.queue.message(message.seq) == nil)
    #expect(try bench.redrive(id, message).json["status"] == "redriven")
    try bench.restart(isClean: false)
    let again = try bench.take(id)
    #expect(again.message == message && again.json["redelivered"] == true)
    bench.agent(id, again, .release(delay: nil, reason: ""))
    bench.sync()
    let get = try bench.getTask(id, message.text)
    let operation = bench.operation()
    bench.engine.operators.redrive(operation, message, at: id, now: bench.now)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    #expect(bench.replies[operation.call]?.json["status"] == "replayed", "in the same turn")
    #expect(try bench.redrive(id, message).json["status"] == "replayed")
    bench.expectNothingHeld()
  }

  /// The caller has the answer, and the relay dies before it has heard so.
  @Test func `what a caller was told holds through a crash`() throws {
    let message = try bench.dead(id)
    let get = try bench.getTask(id, message.text)
    bench.turn()
    #expect(bench.replies[get] == nil, "the file knows before the caller does")
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    try bench.restart(isClean: false)
    #expect(try bench.redrive(id, message).json["status"] == "replayed")
  }

  @Test func `who asks while a redrive is on its way hears what became of it`() throws {
    let message = try bench.dead(id)
    let operation = bench.operation()
    bench.engine.operators.redrive(operation, message, at: id, now: bench.now)
    // Its line in the audit.
    bench.passBarrier()
    let get = try bench.getTask(id, message.text)
    let show = bench.engine.nextCall()
    bench.engine.callers.callerMessage(show, message, caller: .org("callers"), now: bench.now)
    bench.turn()
    #expect(bench.replies[get] == nil && bench.replies[show] == nil)
    bench.sync()
    #expect(bench.replies[operation.call]?.json["status"] == "redriven")
    #expect(bench.replies[get]?.state == "TASK_STATE_WORKING")
    #expect(bench.replies[show]?.json["task"]?["status"]?["state"] == "TASK_STATE_WORKING")
    bench.expectNothingHeld()
  }

  @Test func `only a dead message is redriven`() throws {
    let queued = try bench.stored(id)
    #expect(try bench.redrive(id, queued).code == "not_dead")
    let held = try bench.take(id)
    #expect(try bench.redrive(id, queued).code == "not_dead")
    try bench.result(id, held)
    bench.sync()
    #expect(try bench.redrive(id, queued).code == "not_dead")
    let cancelled = try bench.stored(id, "m-2")
    #expect(try bench.cancel(id, cancelled).status == 200)
    #expect(try bench.redrive(id, cancelled).code == "not_dead")
  }

  @Test func `an agent that comes back with its answer after a redrive is heard`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: ""))
    bench.sync()
    #expect(try bench.redrive(id, message).status == 200)
    let result = try bench.result(id, held, "late")
    bench.sync()
    #expect(bench.replies[result]?.json["late"] == true)
    #expect(try bench.timeline(id, message)["state"] == "answered")
  }

  @Test func `an equal call attaches to a redriven message, and gets its answer`() throws {
    let message = try bench.dead(id)
    #expect(try bench.redrive(id, message).status == 200)
    let again = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_WORKING")
    #expect(bench.replies[again]?.messageID == message)
    let held = try bench.take(id)
    #expect(held.message == message)
    try bench.result(id, held, "at last")
    bench.sync()
    let last = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[last]?.text.contains("at last") == true)
  }

  // MARK: replay

  @Test func `a replay is a message of its own that no caller can see`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    #expect(try bench.replay(id, message).code == "not_ended")
    try bench.result(id, held, "one")
    bench.sync()
    let reply = try bench.replay(id, message)
    #expect(reply.json["status"] == "replayed" && reply.json["credentials"] == "removed")
    let copy = try bench.take(id)
    #expect(copy.message != message && copy.json["replay"] == true)
    #expect(copy.json["replay_of"]?.string == message.text && copy.json["text"] == "hello")
    #expect(copy.json["task_id"]?.string == copy.message.text)
    #expect(copy.json["caller"] == "operator" && copy.json["caller_waiting"] == false)
    try bench.result(id, copy, "two")
    bench.sync()
    let get = try bench.getTask(id, copy.message.text)
    let first = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.rpcCode == -32001, "nobody's task")
    #expect(bench.replies[first]?.text.contains("one") == true)
    let timeline = try bench.timeline(id, message)
    #expect(timeline["replayed_as"]?.array?.compactMap(\.string) == [copy.message.text])
    #expect(try bench.timeline(id, copy.message)["replay_of"]?.string == message.text)
    // Its answer is read by nobody and takes no place.
    #expect(bench.engine.pool[id]?.queue.message(copy.message.seq) == nil)
    try bench.restart(isClean: false)
    #expect(try bench.timeline(id, copy.message)["state"] == "answered")
    #expect(bench.engine.pool[id]?.queue.message(copy.message.seq) == nil)
    bench.wait(.seconds(2))
    #expect(try bench.timeline(id, copy.message)["received"] == true)
  }

  @Test func `a dead replay can be redriven under its own id`() throws {
    let message = try bench.dead(id)
    #expect(try bench.cancel(id, message).code == "message_ended")
    let reply = try bench.replay(id, message)
    let copy = try bench.take(id)
    bench.agent(id, copy, .release(delay: nil, reason: ""))
    bench.sync()
    let again = try bench.redrive(id, copy.message)
    #expect(again.json["status"] == "redriven" && again.json["id"] == reply.json["id"])
  }

  // MARK: pause

  @Test func `a pause stops deliveries, stores sends and lets leases finish`() throws {
    try bench.stored(id)
    let held = try bench.take(id)
    #expect(try bench.pause(id).json["status"] == "paused")
    let poll = bench.poll(id)
    let waiting = try bench.stored(id, "m-2")
    bench.sync()
    #expect(bench.replies[poll] == nil, "it stays parked")
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.status == 200)
    #expect(try bench.queue(id)["paused"] == true)
    #expect(try bench.resume(id).json["status"] == "active")
    #expect(bench.replies[poll]?.entries.first?["id"]?.string == waiting.text)
    bench.expectNothingHeld()
  }

  @Test func `a pause holds through a restart, and so does its refusal of sends`() throws {
    try bench.stored(id)
    #expect(try bench.pause(id, refusesSends: true).json["sends"] == "refuse")
    try bench.restart(isClean: false)
    let poll = bench.poll(id)
    let send = try bench.send(id) { $0.messageID = "m-2" }
    let equal = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[poll] == nil)
    #expect(bench.replies[send]?.reason == "SENDS_REFUSED")
    #expect(bench.replies[send]?.delivered == "no")
    #expect(bench.replies[send]?.header("Retry-After") == "30")
    #expect(bench.replies[equal]?.state == "TASK_STATE_SUBMITTED", "it attaches")
    #expect(try bench.resume(id).status == 200)
    #expect(bench.replies[poll]?.entries.count == 1)
    try bench.restart()
    let later = try bench.send(id) { $0.messageID = "m-3" }
    bench.sync()
    #expect(bench.replies[later]?.reason == nil)
    #expect(bench.engine.directory.workspace(id)?.settings.isPaused == false)
  }
}
