import Relay
import Testing

@testable import Engine
@testable import Store

/// Starts with a wall clock that is a month away from where it was: nothing is lost, on this boot
/// of the machine or another, and however often the relay starts before the clock is right.
@Suite struct ClockStartTests {
  let bench: Bench
  let id: WorkspaceID
  let removed: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
    removed = try bench.create()
  }

  private func send(_ name: String) throws -> CallID {
    try bench.send(id) { ($0.messageID, $0.key, $0.isBlocking) = (name, name, false) }
  }

  /// One that waits, and one whose answer nobody has read, both with keys; a removed workspace.
  private func fill() throws {
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), removed, purge: false, actor: "admin", now: bench.now)
    bench.sync()
    _ = try send("waits")
    bench.sync()
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: .seconds(3600), reason: ""))
    _ = try send("answered")
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.wait(.seconds(2))
  }

  private func start(
    boot: String, isNew: Bool = false, moved: Duration, isClean: Bool = true
  ) throws {
    try bench.restart(isClean: isClean, boot: boot) { _ in
      let instant = isNew ? Instant(nanoseconds: 1_000_000_000) : bench.now.instant
      bench.now = Now(instant: instant, wall: bench.now.wall + moved)
    }
  }

  /// Long enough for everything that could come due.
  private func expectAll() throws {
    for _ in 0..<3 {
      bench.engine.watchClock(bench.now)
      _ = try bench.queue(id)
      bench.sweep()
      bench.wait(.seconds(60))
    }
    for name in ["waits", "answered"] { _ = try send(name) }
    bench.sync()
    let workspace = try #require(bench.engine.pool[id])
    #expect(workspace.queue.lastSeq == 2, "no key runs again")
    #expect(
      try workspace.file.message(1)?.state == .queued
        && workspace.file.message(2)?.state == .answered)
    #expect(bench.engine.directory.removed[removed]?.row.state == .removed)
    #expect(bench.engine.metrics.retiredByAge == 0)
  }

  @Test(arguments: ["boot-1", "boot-2"], [30, -30])
  func `nothing is lost by a start with a clock that is wrong`(boot: String, days: Int) throws {
    try fill()
    let moved = Duration.seconds(days * 86_400)
    try start(boot: boot, isNew: boot != "boot-1", moved: moved)
    #expect(bench.engine.clocks.isDoubtful(bench.now))
    try expectAll()
    // Killed, and still wrong.
    try start(boot: boot, moved: .zero, isClean: false)
    try expectAll()
    // It is set right while the relay is off.
    try start(boot: boot, moved: .zero - moved)
    try expectAll()
    bench.wait(bench.limits.clockDoubtTime)
    #expect(!bench.engine.clocks.isDoubtful(bench.now))
    try expectAll()
  }

  @Test(arguments: [30, -30])
  func `nor by one that was wrong and is set right before a restart`(days: Int) throws {
    bench.engine.watchClock(bench.now)
    bench.now = Now(
      instant: bench.now.instant, wall: bench.now.wall + .seconds(-days * 86_400))
    bench.forgetClocks()
    bench.engine.watchClock(bench.now)
    try fill()
    bench.moveClock(.seconds(days * 86_400))
    for isClean in [true, false] {
      try expectAll()
      try start(boot: "boot-1", moved: .zero, isClean: isClean)
      #expect(bench.engine.clocks.isDoubtful(bench.now))
    }
    try expectAll()
  }

  @Test func `a relay that has kept no record goes by what it wrote last`() throws {
    try fill()
    try bench.restart(boot: "boot-2") { _ in
      bench.now = Now(instant: bench.now.instant, wall: bench.now.wall + .seconds(30 * 86_400))
      try bench.data.registry.database.execute("DELETE FROM meta WHERE key = 'clock'")
    }
    #expect(bench.engine.clocks.isDoubtful(bench.now))
    try expectAll()
  }

  @Test func `a lease that is read back by a clock in doubt lasts its whole length`() throws {
    try bench.stored(id)
    let held = try bench.take(id)
    try start(boot: "boot-2", isNew: true, moved: .seconds(30 * 86_400))
    let poll = bench.poll(id, wait: .seconds(50))
    bench.sync()
    bench.wait(.seconds(45))
    #expect(bench.replies[poll] == nil)
    let claim = bench.agent(id, held, .claim)
    bench.sync()
    #expect(bench.replies[claim]?.status == 200)
  }
}
