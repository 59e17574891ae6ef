import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Deleting messages, on real files: nothing but what is meant goes, and it is known that it did.
@Suite struct PurgeTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(limits: Bench.oneAttempt)
    id = try bench.create()
  }

  private func purge(_ states: MessageFilter.States) throws -> JSON {
    try bench.finish(id, try bench.job(id, .purge, states).json["job"])
  }

  @Test func `a purge of the queue tells those who wait, and leaves a tombstone`() throws {
    let call = try bench.send(id)
    let task = try bench.stored(id, "m-2")
    let message = try #require(bench.engine.callers.messageID(of: call))
    let dry = try bench.job(id, .purge, .queued, isDryRun: true)
    #expect(dry.json["matched"]?.int == 2 && dry.json["states"]?["queued"]?.int == 2)
    #expect(try bench.queue(id)["counts"]?["queued"]?.int == 2, "nothing has changed")
    #expect(try purge(.queued)["done"]?.int == 2)
    #expect(bench.replies[call]?.reason == "PURGED")
    for gone in [message, task] {
      let timeline = try bench.timeline(id, gone)
      #expect(timeline["state"] == "deleted" && timeline["by"] == "admin")
      #expect(try bench.cancel(id, gone).code == "answer_gone")
    }
    #expect(try bench.queue(id)["counts"]?["unanswered"]?.int == 0)
    // The number of a deleted message is not given again.
    try bench.restart(isClean: false)
    #expect(try bench.stored(id, "m-3").seq == 3)
    bench.expectNothingHeld()
  }

  @Test func `a step that comes before the barrier of the last one passes nothing over`() throws {
    let message = try bench.stored(id)
    let job = try bench.job(id, .purge, .queued).json["job"]
    for _ in 0..<2 {
      bench.advance(.seconds(1))
      bench.turn()
      #expect(bench.isWaitingForBarrier)
    }
    #expect(try bench.finish(id, job)["done"]?.int == 1)
    #expect(try bench.timeline(id, message)["state"] == "deleted")
  }

  @Test func `work in flight goes only when it is named`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    #expect(try purge(.queued)["done"]?.int == 0)
    #expect(try bench.timeline(id, message)["state"] == "in_flight")
    #expect(try purge([.queued, .inFlight])["done"]?.int == 1)
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.code == "closed")
    #expect(bench.replies[result]?.json["cancelled"] == true)
  }

  @Test func `dead and answered messages go with all their rows`() throws {
    let dead = try bench.dead(id)
    let answered = try bench.stored(id, "m-2")
    try bench.result(id, try bench.take(id))
    bench.sync()
    let kept = try bench.stored(id, "m-3")
    #expect(try purge([.dead, .answered])["done"]?.int == 2)
    let file = try #require(bench.engine.pool[id]?.file)
    for gone in [dead, answered] {
      #expect(try file.message(gone.seq) == nil && file.body(gone.seq) == nil)
      #expect(try file.answer(gone.seq) == nil && file.task(gone.seq) == nil)
      #expect(try file.timeline(gone.seq).handOuts.isEmpty)
      #expect(try file.timeline(gone.seq).notes.isEmpty)
      #expect(bench.engine.pool[id]?.queue.message(gone.seq) == nil)
    }
    #expect(try bench.list(id).ids == [kept.text])
    // An equal call is a new one now.
    let again = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `what opened a task stays while something of the task does`() throws {
    let first = try bench.stored(id)
    try bench.result(id, try bench.take(id), "more?", state: "input-required")
    bench.sync()
    #expect(try purge(.answered)["skipped"]?["not_meant"]?.int == 1)
    let second = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = first.text
      $0.isBlocking = false
    }
    bench.sync()
    let next = try #require(bench.replies[second]?.messageID)
    try bench.result(id, try bench.take(id), "done")
    bench.sync()
    let named = try bench.job(id, .purge, [.answered], ids: [first])
    #expect(try bench.finish(id, named.json["job"])["done"]?.int == 0)
    #expect(try purge(.answered)["done"]?.int == 2, "all of the task")
    #expect(try bench.timeline(id, next)["state"] == "deleted")
  }

  @Test func `a purge goes on where it was when the relay died`() throws {
    for number in 0..<30 { try bench.stored(id, "m-\(number)") }
    let reply = try bench.job(id, .purge, .queued, rate: 100)
    for _ in 0..<4 { bench.wait(.milliseconds(40)) }
    let before = try #require(try bench.job(id, reply.json["job"])["done"]?.int)
    #expect(before > 0 && before < 30)
    try bench.restart(isClean: false)
    let kept = try bench.stored(id, "kept")
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["done"]?.int == 30 && job["state"] == "done")
    #expect(try bench.list(id).ids == [kept.text], "what came later is not meant")
  }

  @Test func `a task that is named goes whole, in whatever order its messages are named`() throws {
    let first = try bench.stored(id)
    try bench.result(id, try bench.take(id), "more?", state: "input-required")
    bench.sync()
    let second = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = first.text
      $0.isBlocking = false
    }
    bench.sync()
    let next = try #require(bench.replies[second]?.messageID)
    try bench.result(id, try bench.take(id), "done")
    bench.sync()
    let named = try bench.job(id, .purge, [.answered], ids: [first, next])
    #expect(try bench.finish(id, named.json["job"])["done"]?.int == 2)
  }

  @Test func `its caller is told that a queue item is gone`() throws {
    let message = try bench.queued(id, "hello")
    #expect(try purge(.queued)["done"]?.int == 1)
    for (caller, status) in [(Identity.org("callers"), 410), (.org("strangers"), 404)] {
      let call = bench.engine.nextCall()
      bench.engine.callers.queueItem(
        call, message, at: id, caller: caller, isGiven: true, now: bench.now)
      bench.sync()
      #expect(bench.replies[call]?.status == status)
      #expect(bench.replies[call]?.json["retryable"] == .bool(status == 404))
    }
  }
}
