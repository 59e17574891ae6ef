import Relay
import Testing
import Wire

@testable import Engine
@testable import Store

/// What is deleted, when, and what is told of it afterwards.
@Suite struct RetentionTests {
  @Test func `what has ended stays for as long as the limit says, then goes`() throws {
    let bench = try Bench { $0.timeToLive = .seconds(30 * 86400) }
    let id = try bench.create()
    let received = try bench.answered(id, "a")
    _ = try bench.answered(id, "b", isReceived: false)
    try bench.send(id) { $0.messageID = "waits" }
    bench.sync()
    bench.wait(bench.limits.retention - .seconds(60))
    bench.sweep()
    #expect(try bench.kept(id) == [1, 2, 3])
    #expect(bench.engine.pool[id]?.queue.counts.unreceived == 1)
    bench.wait(.seconds(120))
    bench.sweep()
    #expect(try bench.kept(id) == [3])
    #expect(bench.engine.pool[id]?.queue.counts.unreceived == 0)
    #expect(bench.engine.pool[id]?.queue.counts.unanswered == 1)
    let task = try bench.getTask(id, try #require(received.task?["id"]?.string))
    bench.sync()
    #expect(bench.replies[task]?.rpcCode == -32001)
    bench.expectNothingHeld()
    try bench.restart()
    #expect(try bench.stored(id, "new").seq == 4)
  }

  @Test func `a dead letter stays as long, and then leaves the queue, too`() throws {
    let bench = try Bench { $0.attempts = 1 }
    let id = try bench.create()
    try bench.send(id)
    bench.sync()
    bench.agent(id, try bench.take(id), .release(delay: .zero, reason: "no"))
    bench.sync()
    #expect(bench.engine.pool[id]?.queue.counts.dead == 1)
    bench.wait(bench.limits.retention - .seconds(60))
    bench.sweep()
    #expect(bench.engine.pool[id]?.queue.counts.dead == 1)
    try bench.restart(isClean: false)
    _ = bench.poll(id, wait: .zero)
    bench.wait(.seconds(120))
    bench.sweep()
    #expect(bench.engine.pool[id]?.queue.counts.dead == 0)
    #expect(try bench.kept(id).isEmpty)
  }

  @Test func `the file is looked through by itself, also after a restart`() throws {
    let bench = try Bench()
    let id = try bench.create()
    _ = try bench.answered(id, "a")
    bench.sweep()
    try bench.restart()
    bench.advance(bench.limits.retention - .seconds(10))
    _ = bench.poll(id, wait: .zero)
    bench.sync()
    bench.sweep()
    #expect(try bench.kept(id) == [1])
    let due = try #require(bench.engine.pool[id]?.retentionDue)
    #expect(due > bench.now.instant && due <= bench.now.instant + .seconds(10))
    bench.wait(.seconds(10))
    bench.sweep()
    #expect(try bench.kept(id).isEmpty)
    #expect(bench.engine.pool[id]?.retentionDue == nil)
  }

  @Test func `a clock that is not trusted deletes nothing`() throws {
    let bench = try Bench()
    let id = try bench.create()
    _ = try bench.answered(id, "a")
    bench.moveClock(bench.limits.retention + .seconds(9))
    bench.sweep()
    #expect(try bench.kept(id) == [1])
    bench.wait(.seconds(3601))
    bench.sweep()
    #expect(try bench.kept(id).isEmpty)
    #expect(bench.engine.metrics.retiredByAge == 1)
    #expect(bench.engine.metrics.retiredBySize == 0)
  }

  @Test func `by size only what was received goes, the oldest first`() throws {
    let bench = try Bench { $0.keptMessagesMax = 3 }
    let id = try bench.create()
    _ = try bench.answered(id, "unreceived", isReceived: false)
    // Its caller has the Task, and never asked how it ended.
    let immediate = try bench.send(id) {
      $0.messageID = "immediate"
      $0.isBlocking = false
    }
    bench.sync()
    let task = try #require(bench.replies[immediate])
    bench.engine.agents.delivered(task.receipt, received: true, now: bench.now)
    bench.wait(.seconds(1))
    try bench.result(id, try bench.take(id))
    for name in ["c", "d", "e", "f", "g"] { _ = try bench.answered(id, name) }
    bench.sweep()
    #expect(try bench.kept(id) == [1, 2], "as many as one round takes")
    #expect(bench.engine.metrics.retiredBySize == 5)
    #expect(bench.engine.metrics.retiredByAge == 0)
    for name in ["h", "i"] { _ = try bench.answered(id, name) }
    bench.sweep()
    #expect(try bench.kept(id) == [1, 2, 8, 9])
    let read = try bench.getTask(id, try #require(task.task?["id"]?.string))
    bench.sync()
    #expect(bench.replies[read]?.state == "TASK_STATE_COMPLETED")
    bench.engine.agents.delivered(
      try #require(bench.replies[read]).receipt, received: true, now: bench.now)
    _ = try bench.answered(id, "j")
    bench.wait(bench.limits.retentionRestart)
    bench.sweep()
    #expect(try bench.kept(id) == [1], "now somebody has read how it ended")
  }

  @Test func `by size of the file, without what waits in the queue`() throws {
    let bench = try Bench { $0.keptBytesMax = 400_000 }
    let id = try bench.create()
    let large = String(repeating: "x", count: 50_000)
    for number in 0..<12 {
      _ = try bench.answered(id, "m-\(number)", text: large)
      bench.sweep()
      #expect(try #require(bench.engine.pool[id]).file.usedBytes() < 460_000)
    }
    let kept = try bench.kept(id)
    #expect(kept.last == 12 && kept.count < 9)
    // What waits is not what is kept.
    for number in 20..<40 {
      try bench.send(id) {
        $0.messageID = "m-\(number)"
        $0.text = large
      }
    }
    bench.sweep()
    #expect(try bench.kept(id) == kept + (13...32).map { $0 })
  }

  @Test func `a task that is open keeps its messages, one that has ended goes as a whole`() throws {
    let bench = try Bench { $0.timeToLive = .seconds(100 * 86400) }
    let id = try bench.create()
    let first = try bench.send(id)
    bench.sync()
    try bench.result(id, try bench.take(id), "which?", state: "input-required")
    bench.sync()
    let question = try #require(bench.replies[first])
    bench.engine.agents.delivered(question.receipt, received: true, now: bench.now)
    let task = try #require(question.task?["id"]?.string)
    bench.wait(bench.limits.retention + .seconds(5))
    bench.sweep()
    #expect(try bench.kept(id) == [1])
    _ = try bench.answered(id, "between")
    let second = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = task
    }
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[second]?.state == "TASK_STATE_COMPLETED")
    bench.wait(bench.limits.retention - .seconds(60))
    bench.sweep()
    let read = try bench.getTask(id, task)
    bench.sync()
    #expect(bench.replies[read]?.task?["history"]?.array?.count == 4)
    bench.wait(.seconds(120))
    bench.sweep()
    #expect(try bench.kept(id).isEmpty)
  }

  @Test func `of a task that goes in parts its messages are gone, not half of it`() throws {
    let bench = try Bench { $0.retentionRowsMax = 6 }
    let id = try bench.create()
    let first = try bench.send(id) { $0.key = "k-1" }
    bench.sync()
    try bench.result(id, try bench.take(id), "which?", state: "input-required")
    bench.sync()
    let task = try #require(bench.replies[first]?.task?["id"]?.string)
    let second = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = task
      $0.key = "k-2"
    }
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    let message = try #require(bench.replies[second]?.messageID)
    let workspace = try #require(bench.engine.pool[id])
    try workspace.file.commit([.retire(first: 1, last: 1, cause: .age, at: bench.now.wall)])
    workspace.queue.drop(1, isDead: false)
    workspace.queue.drop(2, isDead: false)
    let read = try bench.getTask(id, task)
    let shown = bench.engine.nextCall()
    bench.engine.callers.callerMessage(shown, message, caller: .org("callers"), now: bench.now)
    let again = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = task
      $0.key = "k-2"
    }
    bench.sync()
    #expect(bench.replies[read]?.rpcCode == -32001)
    #expect(bench.replies[shown]?.status == 410)
    #expect(bench.replies[again]?.reason == "ANSWER_GONE")
    bench.wait(bench.limits.retention + .seconds(5))
    bench.sweep()
    #expect(try bench.kept(id).isEmpty)
  }

  @Test func `a deleted message is told of to its caller and to operators, as long as its key`()
    throws
  {
    let bench = try Bench { $0.keptMessagesMax = 1 }
    let id = try bench.create()
    let first = try bench.answered(id, "a", key: "k-1")
    for name in ["b", "c"] { _ = try bench.answered(id, name) }
    bench.sweep()
    let message = try #require(first.messageID)
    #expect(try !bench.kept(id).contains(message.seq))
    let timeline = try bench.timeline(id, message)
    #expect(timeline["state"]?.string == "deleted")
    #expect(timeline["timeline"]?.array?.first?["cause"]?.string == "retention_by_size")
    for (caller, status) in [
      (Identity.org("callers"), 410), (.admin, 410), (.org("others"), 404), (.anonymous, 404),
    ] {
      let call = bench.engine.nextCall()
      bench.engine.callers.callerMessage(call, message, caller: caller, now: bench.now)
      bench.sync()
      #expect(bench.replies[call]?.status == status)
    }
    let agent = bench.engine.nextCall()
    bench.engine.agents.call(
      AgentCall(
        call: agent, workspace: id, message: message, fence: Fence(number: 1), verb: .claim),
      now: bench.now)
    bench.sync()
    #expect(bench.replies[agent]?.code == "closed")
    #expect(bench.replies[agent]?.json["reason"]?.string == "deleted")
    bench.wait(bench.limits.idempotencyWindow)
    bench.sweep()
    let call = bench.engine.nextCall()
    bench.engine.callers.callerMessage(call, message, caller: .org("callers"), now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.status == 404)
  }
}
