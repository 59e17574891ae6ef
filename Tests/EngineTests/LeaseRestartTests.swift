import CFaultVFS
import CSQLite
import Relay
import Testing

@testable import Engine

/// What an agent was told of its lease holds after `kill -9`, too.
@Suite struct LeaseRestartTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  /// An entry whose answer the agent's TCP has acknowledged.
  private func take(confirm: Bool, lease: Duration) throws -> Held {
    try bench.send(id)
    bench.sync()
    let poll = bench.poll(id, wait: .zero, confirm: confirm, lease: lease, consumer: "a")
    bench.sync()
    let reply = try #require(bench.replies[poll])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    return try Held(try #require(reply.entries.first))
  }

  /// At once after the answer: what is put off has not been written.
  private func isFreeAfterKill() throws -> Bool {
    try bench.restart(isClean: false)
    let poll = bench.poll(id, wait: .seconds(50), consumer: "b")
    bench.sync()
    bench.wait(bench.limits.restartGrace + .seconds(1))
    return bench.replies[poll]?.entries.isEmpty == false
  }

  @Test(arguments: [AgentVerb.claim, .extend(nil), .extend(.seconds(600))])
  func `an offer that was taken up is not given to another`(verb: AgentVerb) throws {
    let held = try take(confirm: true, lease: .seconds(300))
    let call = bench.agent(id, held, verb)
    bench.turn()
    #expect(bench.replies[call] == nil, "not before it is durable")
    bench.sync()
    #expect(bench.replies[call]?.status == 200)
    #expect(try !isFreeAfterKill())
  }

  @Test func `an offer that was not is free after the grace`() throws {
    _ = try take(confirm: true, lease: .seconds(300))
    #expect(try isFreeAfterKill())
  }

  @Test func `a short lease that was extended is held`() throws {
    let held = try take(confirm: false, lease: .seconds(1))
    let call = bench.agent(id, held, .extend(.seconds(600)))
    bench.sync()
    #expect(bench.replies[call]?.status == 200)
    #expect(try !isFreeAfterKill())
  }

  @Test func `so is one that a heartbeat has extended`() throws {
    _ = try take(confirm: false, lease: .seconds(60))
    bench.advance(.seconds(50))
    bench.poll(id, wait: .zero, consumer: "a")
    bench.sync()
    let call = bench.engine.nextCall()
    bench.engine.agents.heartbeat(id, Reply(call: call, .alive), now: bench.now)
    #expect(bench.replies[call] == nil, "not before it is committed")
    bench.turn()
    #expect(bench.replies[call]?.status == 200)
    #expect(try !isFreeAfterKill())
  }

  @Test func `a claim that the disk refused is written when it comes again`() throws {
    let held = try take(confirm: true, lease: .seconds(300))
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let refused = bench.agent(id, held, .claim)
    bench.turn()
    fault_arm(0, 0, 0, 0)
    bench.sync()
    #expect(bench.replies[refused]?.code == "not_stored")
    let again = bench.agent(id, held, .claim)
    bench.sync()
    #expect(bench.replies[again]?.status == 200)
    #expect(try !isFreeAfterKill())
  }
}
