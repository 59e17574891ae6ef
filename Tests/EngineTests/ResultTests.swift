import Relay
import Testing
import Wire

@testable import Engine

/// Exactly one answer, whoever comes late, twice or with another one.
@Suite struct ResultTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  /// A message whose caller has its answer, so that only the file knows it.
  private func answered() throws -> Held {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    try bench.result(id, held)
    bench.sync()
    bench.engine.agents.delivered(
      try #require(bench.replies[call]).receipt, received: true, now: bench.now)
    bench.wait(.seconds(1))
    return held
  }

  private func expectOutcomes(_ held: Held) throws {
    let same = try bench.result(id, held)
    let other = try bench.result(id, held, "something else")
    let extend = bench.agent(id, held, .extend(nil))
    var stranger = held
    stranger.fence = Fence(boot: 9, counter: 9)
    let elsewhere = try bench.result(id, stranger)
    bench.sync()
    #expect(bench.replies[same]?.text == "{\"status\":\"accepted\",\"duplicate\":true}")
    #expect(bench.replies[other]?.code == "already_answered")
    #expect(bench.replies[extend]?.code == "already_answered")
    #expect(bench.replies[elsewhere]?.code == "answered_elsewhere")
  }

  @Test func `a repeated result is a duplicate and another one a conflict`() throws {
    try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    try bench.result(id, held)
    bench.sync()
    try expectOutcomes(held)
  }

  @Test func `the same holds for a message that has left memory`() throws {
    let held = try answered()
    #expect(bench.engine.pool[id]?.queue.count == 0)
    try expectOutcomes(held)
  }

  @Test func `and after a restart`() throws {
    let held = try answered()
    try bench.restart()
    try expectOutcomes(held)
  }

  @Test func `a late result is accepted while nobody has answered, and the newer lease ends`()
    throws
  {
    let call = try bench.send(id) { $0.hold = .seconds(1000) }
    bench.sync()
    let old = try bench.take(id)
    bench.wait(.seconds(300))
    bench.wait(.seconds(10))
    let new = try bench.take(id)
    #expect(new.message == old.message && new.json["redelivered"]?.bool == true)
    let late = try bench.result(id, old, "late")
    bench.sync()
    #expect(bench.replies[late]?.text == "{\"status\":\"accepted\",\"late\":true}")
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
    let second = try bench.result(id, new, "new")
    bench.sync()
    #expect(bench.replies[second]?.code == "answered_elsewhere")
  }

  @Test func `a fence that was never given is no lease`() throws {
    try bench.send(id)
    bench.sync()
    var held = try bench.take(id)
    held.fence = Fence(boot: 7, counter: 7)
    let calls = [
      try bench.result(id, held), bench.agent(id, held, .claim),
      bench.agent(id, held, .extend(nil)),
      bench.agent(id, held, .release(delay: nil, reason: "")),
    ]
    bench.sync()
    for call in calls { #expect(bench.replies[call]?.code == "lease_lost") }
  }

  @Test func `ids of no message, another tag and another workspace are not found`() throws {
    try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    let other = try bench.create()
    var wrong: [Held] = []
    for (workspace, seq, tag) in [
      (id, held.message.seq, held.message.tag ^ 1), (id, 99, held.message.tag),
      (id, 1 << 41, held.message.tag),
    ] {
      var copy = held
      copy.message = MessageID(workspace: workspace.short, seq: seq, tag: tag)
      wrong.append(copy)
    }
    let calls =
      wrong.map { bench.agent(id, $0, .claim) } + [bench.agent(other, held, .claim)]
    bench.sync()
    for call in calls { #expect(bench.replies[call]?.status == 404) }
  }

  @Test func `attempts used up leave a dead message and a failed task`() throws {
    let call = try bench.send(id)
    bench.sync()
    for _ in 0..<5 {
      bench.wait(.seconds(3600))
      let release = bench.agent(id, try bench.take(id), .release(delay: .zero, reason: "no"))
      bench.sync()
      #expect(bench.replies[release]?.status == 200)
    }
    // The hold had run out long before.
    #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
    let message = try #require(bench.replies[call]?.messageID)
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_FAILED")
    let timeline = try bench.timeline(id, message)
    #expect(timeline["state"]?.string == "dead" && timeline["attempts"]?.int == 5)
  }

  @Test func `heartbeats stretch a lease without confirm, and nothing else`() throws {
    try bench.send(id)
    bench.sync()
    let poll = bench.poll(id, lease: .seconds(60), consumer: "a")
    bench.sync()
    let reply = try #require(bench.replies[poll])
    let held = try Held(try #require(reply.entries.first))
    bench.advance(.seconds(50))
    bench.engine.agents.heartbeat(id, Reply(call: bench.engine.nextCall(), .alive), now: bench.now)
    bench.wait(.seconds(11))
    let message = bench.engine.pool[id]?.queue.message(held.message.seq)
    #expect(message?.state == .queued, "nobody acknowledged it")
    bench.advance(.seconds(10))
    let again = bench.poll(id, lease: .seconds(60), consumer: "a")
    bench.sync()
    bench.engine.agents.delivered(
      try #require(bench.replies[again]).receipt, received: true, now: bench.now)
    bench.advance(.seconds(30))
    // Another call of the consumer than a heartbeat.
    bench.poll(id, wait: .seconds(1), consumer: "a")
    bench.wait(.seconds(1))
    bench.engine.agents.heartbeat(id, Reply(call: bench.engine.nextCall(), .alive), now: bench.now)
    bench.wait(.seconds(40))
    #expect(message?.state == .leased)
  }

  @Test func `names of consumers are forgotten when they no longer count`() throws {
    for number in 0..<1000 {
      bench.poll(id, wait: .zero, consumer: "c\(number)")
      bench.wait(.seconds(10))
    }
    #expect(bench.engine.pool[id]?.consumers.count ?? 0 <= 400)
  }
}
