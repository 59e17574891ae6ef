import Relay
import Testing
import Wire

@testable import Engine

/// What becomes of messages when clocks are not what they were.
@Suite struct ClockTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    var limits = Limits()
    limits.openWorkspacesMax = 1
    bench = try Bench(limits: limits)
    id = try bench.create()
  }

  private func move(_ time: Duration) { bench.moveClock(time) }

  @Test func `after a jump nothing expires for an hour, and then it does`() throws {
    let other = try bench.create()
    let call = try bench.send(id)
    bench.sync()
    bench.wait(.seconds(200))
    bench.wait(.seconds(61))
    _ = try? bench.engine.pool.workspace(other, now: bench.now)
    bench.sync()
    _ = try bench.engine.pool.workspace(other, now: bench.now)
    #expect(bench.engine.pool[id] == nil)
    move(bench.limits.timeToLive)
    #expect(bench.engine.metrics.clockJumps == 1)
    _ = try bench.engine.pool.workspace(id, now: bench.now)
    bench.wait(.seconds(3599))
    #expect(bench.engine.pool[id]?.queue.counts.unanswered == 1)
    bench.wait(.seconds(2))
    #expect(bench.engine.pool[id]?.queue.counts.unanswered == 0)
    #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `what is to expire in the doubted hour can still be taken`() throws {
    try bench.stored(id)
    try bench.restart()
    bench.now = Now(
      instant: bench.now.instant, wall: bench.now.wall + bench.limits.timeToLive + .seconds(1))
    bench.forgetClocks()
    move(.seconds(601))
    #expect(try bench.take(id).json["text"]?.string == "hello")
  }

  @Test func `a clock before the newest message is not believed`() throws {
    try bench.stored(id)
    try bench.restart()
    bench.now = Now(instant: bench.now.instant, wall: bench.now.wall + .seconds(-7200))
    _ = try bench.engine.pool.workspace(id, now: bench.now)
    #expect(bench.engine.metrics.clockJumps == 1)
    #expect(bench.engine.clocks.isDoubtful(bench.now))
  }

  @Test func `a lease is longer by the time in which the process did not run`() throws {
    try bench.stored(id)
    let held = try bench.take(id)
    bench.engine.watchClock(bench.now)
    bench.advance(.seconds(400))
    bench.engine.watchClock(bench.now)
    bench.sync()
    let extend = bench.agent(id, held, .extend(nil))
    bench.sync()
    #expect(bench.replies[extend]?.json["status"]?.string == "leased")
    for _ in 0..<40 {
      bench.wait(.seconds(10))
      bench.engine.watchClock(bench.now)
    }
    #expect(try bench.take(id).json["attempt"]?.int == 2)
  }
}
