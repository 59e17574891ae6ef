import CFaultVFS
import CSQLite
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Verbs over many messages, on real files: each message exactly once, whatever happens between.
@Suite struct JobTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(limits: Bench.oneAttempt, vfs: "fault")
    id = try bench.create()
  }

  private func dead(_ count: Int) throws -> [MessageID] {
    try (0..<count).map { try bench.dead(id, "m-\($0)") }
  }

  /// The ids of all that can be handed out now, as often as that.
  private func takeAll() throws -> [String] {
    let poll = bench.poll(id, max: 128, wait: .zero)
    bench.sync()
    return bench.replies[poll]?.entries.compactMap { $0["id"]?.string } ?? []
  }

  @Test func `a redrive by state brings every dead message back once`() throws {
    let all = try dead(30)
    #expect(try bench.job(id, .redrive, isDryRun: true).json["matched"]?.int == 30)
    let reply = try bench.job(id, .redrive)
    #expect(reply.status == 202 && reply.json["matched"]?.int == 30)
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["state"] == "done" && job["done"]?.int == 30 && job["replayed"]?.int == 0)
    #expect(try Set(takeAll()) == Set(all.map(\.text)))
    #expect(bench.engine.pool[id]?.jobState.nextStep == nil)
    bench.expectNothingHeld()
  }

  @Test func `a job goes at its rate`() throws {
    _ = try dead(30)
    let reply = try bench.job(id, .redrive, rate: 10)
    #expect(bench.engine.pool[id]?.jobState.nextStep != nil)
    for _ in 0..<20 { bench.wait(.milliseconds(50)) }
    let done = try #require(try bench.job(id, reply.json["job"])["done"]?.int)
    #expect((8...10).contains(done), "\(done) in a second")
    // What it could not do while nothing turned is not made up for.
    bench.wait(.seconds(60))
    #expect(try bench.job(id, reply.json["job"])["done"]?.int ?? 0 <= done + 2)
  }

  @Test func `a job goes on where it was when the relay died`() throws {
    let all = try dead(40)
    let reply = try bench.job(id, .redrive, rate: 100)
    for _ in 0..<5 { bench.wait(.milliseconds(30)) }
    let before = try #require(try bench.job(id, reply.json["job"])["done"]?.int)
    #expect(before > 0 && before < 40)
    try bench.restart(isClean: false)
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["state"] == "done" && job["done"]?.int == 40 && job["skipped"]?.object == [])
    let taken = try takeAll()
    #expect(taken.count == 40 && Set(taken) == Set(all.map(\.text)))
  }

  @Test func `a step that is refused is made again`() throws {
    let all = try dead(10)
    let reply = try bench.job(id, .redrive, rate: 100)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 100)
    bench.wait(.milliseconds(150))
    fault_arm(0, 0, 0, 0)
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["done"]?.int == 10)
    let taken = try takeAll()
    #expect(taken.count == 10 && Set(taken) == Set(all.map(\.text)))
  }

  /// A replay is a send: a full disk refuses it while other writes go on.
  @Test func `a replay that is refused leaves the cursor where it was`() throws {
    let message = try bench.dead(id)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    let reply = try bench.job(id, .redrive, rate: 100)
    // The first commit, with the copy, is refused; the second, without it, is taken.
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    bench.wait(.milliseconds(150))
    fault_arm(0, 0, 0, 0)
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["done"]?.int == 1 && job["replayed"]?.int == 1)
    #expect(try takeAll().count == 1)
    #expect(try bench.timeline(id, message)["replayed_as"]?.array?.count == 1)
  }

  @Test func `what callers were told of is replayed, the rest comes back`() throws {
    let all = try dead(6)
    for message in all.prefix(3) {
      let get = try bench.getTask(id, message.text)
      bench.sync()
      #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    }
    let job = try bench.finish(id, try bench.job(id, .redrive).json["job"])
    #expect(job["done"]?.int == 6 && job["replayed"]?.int == 3)
    let taken = try takeAll()
    #expect(taken.count == 6)
    #expect(Set(taken).intersection(all.map(\.text)) == Set(all.suffix(3).map(\.text)))
  }

  @Test func `named messages are moved, and those that are not dead passed over`() throws {
    let all = try dead(3)
    let queued = try bench.stored(id, "other")
    let reply = try bench.job(id, .redrive, ids: [all[0], queued, all[2]])
    #expect(reply.json["matched"]?.int == 2)
    let job = try bench.finish(id, reply.json["job"])
    #expect(job["done"]?.int == 2 && job["skipped"]?["not_dead"]?.int == 1)
    #expect(try bench.timeline(id, all[1])["state"] == "dead")
    let unknown = try bench.job(
      id, .redrive, ids: [MessageID(workspace: id.short, seq: 99, tag: 1)])
    #expect(unknown.code == "not_found")
  }

  @Test func `a job that is stopped keeps what it has done`() throws {
    _ = try dead(20)
    let reply = try bench.job(id, .redrive, rate: 10)
    bench.wait(.seconds(1))
    let number = try #require(reply.json["job"]?.string.flatMap { JobID($0) })
    let stop = try bench.asked {
      bench.engine.operators.stopJob($0, number, at: id, now: bench.now)
    }
    #expect(stop.json["state"] == "stopped")
    let done = try #require(stop.json["done"]?.int)
    bench.wait(.seconds(5))
    #expect(try bench.list(id, .dead).ids.count == 20 - done)
    let again = try bench.asked {
      bench.engine.operators.stopJob($0, number, at: id, now: bench.now)
    }
    #expect(again.json["state"] == "stopped")
    let list = try bench.asked { bench.engine.operators.jobs($0, at: id, now: bench.now) }
    #expect(list.json["jobs"]?.array?.count == 1)
    let unknown = try bench.asked { bench.engine.operators.stopJob($0, 7, at: id, now: bench.now) }
    #expect(unknown.code == "not_found")
  }

  @Test func `the audit names who has stopped a job`() throws {
    _ = try dead(5)
    let reply = try bench.job(id, .redrive, rate: 1)
    let number = try #require(reply.json["job"]?.string.flatMap { JobID($0) })
    let stop = Operation(call: bench.engine.nextCall(), actor: "another")
    bench.engine.operators.stopJob(stop, number, at: id, now: bench.now)
    bench.sync()
    let call = bench.engine.nextCall()
    bench.engine.registry.showAudit(call, before: .max, limit: 10)
    bench.sync()
    let text = try #require(bench.replies[call]?.text)
    #expect(
      text.contains("job.end") && text.contains("job.stop")
        && text.contains("\"actor\":\"another\""))
  }

  @Test func `more jobs than the bound are refused`() throws {
    _ = try dead(2)
    for _ in 0..<bench.limits.jobsRunningMax {
      #expect(try bench.job(id, .redrive, rate: 1).status == 202)
    }
    #expect(try bench.job(id, .redrive).code == "jobs_full")
  }

  @Test func `a replay by state waits for room in the queue`() throws {
    var limits = Bench.oneAttempt
    limits.queueMessagesMax = 3
    limits.callerSharePercent = 100
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    for number in 0..<3 {
      let message = try bench.stored(id, "m-\(number)")
      try bench.result(id, try bench.take(id))
      bench.sync()
      let get = try bench.getTask(id, message.text)
      bench.sync()
      if case .ends(let workspace, let seqs) = try #require(bench.replies[get]).receipt {
        bench.engine.agents.delivered(.ends(workspace, seqs), received: true, now: bench.now)
      }
    }
    let filler = try bench.stored(id, "filler")
    _ = try bench.stored(id, "filler-2")
    let reply = try bench.job(id, .replay, .answered)
    bench.wait(.seconds(3))
    #expect(try bench.job(id, reply.json["job"])["done"]?.int == 1)
    #expect(try bench.cancel(id, filler).status == 200)
    for _ in 0..<3 {
      let held = try bench.take(id)
      try bench.result(id, held)
      bench.sync()
      bench.wait(.seconds(2))
    }
    #expect(try bench.job(id, reply.json["job"])["done"]?.int ?? 0 >= 2)
  }

  @Test func `a message that is named twice is moved once`() throws {
    let message = try bench.dead(id)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    let reply = try bench.job(id, .redrive, ids: [message, message])
    #expect(reply.json["matched"]?.int == 1)
    #expect(try bench.finish(id, reply.json["job"])["replayed"]?.int == 1)
    #expect(try takeAll().count == 1)
  }

  @Test func `a turn reads one page, and the workspaces take turns`() throws {
    let ids = [id, try bench.create()]
    for id in ids { try bench.stored(id) }
    var pages: [WorkspaceID] = []
    for id in ids {
      let workspace = try #require(bench.engine.pool[id])
      for _ in 0..<3 {
        let scan = Scan(call: bench.engine.nextCall()) { _ in
          pages.append(id)
          return pages.count > 4
        }
        bench.engine.pool.read(scan, in: workspace)
      }
    }
    for count in 1...4 {
      bench.engine.tick(now: bench.now)
      #expect(pages.count == count)
    }
    #expect(pages == ids + ids)
  }

  @Test func `asking for the state of a queue reads nothing, and dry runs are bounded`() throws {
    try bench.stored(id)
    let workspace = try #require(bench.engine.pool[id])
    for _ in 0..<600 {
      bench.engine.operators.queueStatus(bench.operation(), at: id, now: bench.now)
    }
    #expect(workspace.jobState.scans.isEmpty)
    let wish = JobRequest(
      verb: .purge, filter: MessageFilter(), ids: [], rate: 1, isDryRun: true)
    for _ in 0..<bench.limits.jobsRunningMax {
      bench.engine.operators.startJob(bench.operation(), wish, at: id, now: bench.now)
    }
    let more = bench.operation()
    bench.engine.operators.startJob(more, wish, at: id, now: bench.now)
    #expect(workspace.jobState.scans.count == bench.limits.jobsRunningMax)
    bench.sync()
    #expect(bench.replies[more.call]?.code == "jobs_full")
  }
}
