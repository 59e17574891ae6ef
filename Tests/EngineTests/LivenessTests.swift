import API
import Relay
import Testing
import Wire

@testable import Engine

/// Whether an agent is shown as living.
@Suite struct LivenessTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private func state(of id: WorkspaceID, isForAgent: Bool) throws -> JSON {
    let record = try #require(bench.engine.directory.workspace(id))
    return bench.renderer.registry.state(record, isForAgent: isForAgent, now: bench.now.wall)
  }

  private var status: String? {
    get throws {
      let state = try state(of: id, isForAgent: true)
      let shown = try bench.status(id)
      #expect(state["status"] == shown["status"])
      return state["status"]?.string
    }
  }

  private func register() {
    bench.engine.registry.workspaces.register(
      bench.engine.nextCall(),
      Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false), identity: nil,
      mode: .claim, now: bench.now)
    bench.sync()
  }

  private func isPaused(isForAgent: Bool) throws -> Bool? {
    try state(of: id, isForAgent: isForAgent)["paused"]?.bool
  }

  @Test
  func `operators see a pause, after a restart too, and agents are given no reason to exit`()
    throws
  {
    #expect(try isPaused(isForAgent: false) == false)
    _ = try bench.pause(id)
    #expect(try isPaused(isForAgent: false) == true)
    #expect(try isPaused(isForAgent: true) == false)
    try bench.restart()
    #expect(bench.engine.pool[id] == nil)
    #expect(try isPaused(isForAgent: false) == true)
    #expect(try isPaused(isForAgent: true) == false)
  }

  @Test func `an agent that polls the feed alone is shown to be deaf, until it polls its inbox`()
    throws
  {
    register()
    func problem() throws -> String? {
      try bench.status(id)["problem"]?.string
    }
    #expect(try problem() == nil)
    bench.engine.registry.polledFeed(id, now: bench.now)
    #expect(try problem()?.contains("activity feed") == true)
    let polled = try bench.status(id)["feed_polled_at"]
    #expect(polled?.string != nil)
    let poll = bench.poll(id, wait: .seconds(5))
    bench.sync()
    #expect(try problem() == nil, "it hears by the other way")
    bench.wait(.seconds(6))
    #expect(bench.replies[poll]?.status == 204)
    bench.advance(bench.limits.presentAfterPoll)
    #expect(try problem() != nil)
    bench.advance(bench.limits.offlineAfter)
    #expect(try problem() == nil, "it polls nothing any more")
  }

  @Test func `an agent is offline after 90 s without a sign of life, and online with the next`()
    throws
  {
    #expect(try status == "awaiting_agent")
    register()
    #expect(try status == "online")
    bench.advance(.milliseconds(89_999))
    #expect(try status == "online")
    bench.advance(.milliseconds(1))
    #expect(try status == "offline")
    bench.engine.agents.signOfLife(id, now: bench.now)
    #expect(try status == "online")
    bench.advance(.seconds(1000))
    #expect(try status == "offline")
  }

  @Test func `a restart forgets no agent, and keeps its last sign of life`() throws {
    register()
    let empty = try bench.create()
    try bench.restart()
    #expect(try status == "online")
    bench.advance(.seconds(90))
    #expect(try status == "offline")
    bench.engine.agents.signOfLife(id, now: bench.now)
    try bench.restart(isClean: false)
    #expect(try status == "offline", "killed before it was noted")
    let other = try state(of: empty, isForAgent: true)
    #expect(other["status"]?.string == "awaiting_agent")
  }

  @Test func `the last heartbeat is shown as its agent told it`() throws {
    let before = try bench.status(id)
    #expect(before["last_heartbeat_at"]?.isNull == true && before["url"]?.string == "")
    let body: JSON = [
      "active_tasks": 2, "uptime_seconds": 7, "error_rate": .number("0.50"), "other": ["a"],
    ]
    bench.engine.registry.beat(id, try SettingsReader.vitals(body, at: bench.now.wall))
    let shown = try bench.status(id)
    #expect(shown["active_tasks"]?.int == 2 && shown["uptime_seconds"]?.int == 7)
    #expect(shown["last_error_rate"] == .number("0.50"))
    #expect(shown["last_heartbeat_at"]?.string != nil)
    for name in ["active_tasks", "uptime_seconds"] {
      for value in [JSON.number("1.5"), "x", true, [:]] {
        #expect(throws: BadSetting.self) {
          try SettingsReader.vitals(.object([JSON.Member(name, value)]), at: bench.now.wall)
        }
      }
      _ = try SettingsReader.vitals(.object([JSON.Member(name, .null)]), at: bench.now.wall)
    }
  }
}
