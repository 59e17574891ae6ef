import API
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What status and metrics know of workspaces that nobody has used since the start.
@Suite struct DepthTests {
  let bench: Bench
  let waiting: WorkspaceID
  let ended: WorkspaceID
  let empty: WorkspaceID

  init() throws {
    bench = try Bench()
    waiting = try bench.create()
    ended = try bench.create()
    empty = try bench.create()
    try bench.stored(waiting, "one")
    bench.wait(.seconds(60))
    try bench.stored(waiting, "two")
    try bench.stored(ended, "three")
    try bench.result(ended, try bench.take(ended))
    bench.wait(.seconds(2))
  }

  private var depth: QueueDepth { bench.engine.levels().depth }

  private func queue(_ id: WorkspaceID) throws -> JSON? {
    try bench.status(id)["queue"]
  }

  @Test func `after a restart what closed files hold is known, and none is opened`() throws {
    let before = depth
    #expect(before.unanswered == 2 && before.unreceived == 1 && before.bytes > 0)
    #expect(before.oldestUnanswered != nil && before.oldestUnreceived != nil)
    try bench.restart()
    #expect(depth == before)
    #expect(try queue(waiting)?["unanswered"]?.int == 2)
    #expect(try queue(waiting)?["in_memory"]?.bool == false)
    #expect(try queue(ended)?["unreceived"]?.int == 1)
    #expect(try queue(empty)?["unanswered"]?.int == 0)
    #expect(bench.engine.pool.all.isEmpty && bench.engine.levels().filesOpened == 0)
    // And once more, with nothing used in between.
    try bench.restart()
    #expect(depth == before)
  }

  @Test func `once it is used again it counts as it is`() throws {
    try bench.restart()
    try bench.result(waiting, try bench.take(waiting))
    bench.sync()
    #expect(depth.unanswered == 1 && depth.unreceived == 2)
    #expect(try queue(waiting)?["in_memory"]?.bool == true)
    try bench.restart()
    #expect(depth.unanswered == 1 && depth.unreceived == 2)
  }

  @Test func `after a kill what was in use is not known before it was looked at`() throws {
    try bench.restart()
    let before = depth
    try bench.result(waiting, try bench.take(waiting))
    bench.sync()
    let after = depth
    try bench.restart(isClean: false)
    // Not what was written at the last close: that is no longer so.
    #expect(try queue(waiting) == nil)
    #expect(depth.unanswered == 0 && before.unanswered == 2)
    #expect(try queue(ended)?["unreceived"]?.int == 1, "it was not in use")
    for _ in 0..<20 where bench.engine.pool[waiting] == nil { bench.wait(.milliseconds(20)) }
    #expect(depth == after)
    #expect(try queue(waiting)?["unanswered"]?.int == 1)
  }

  @Test func `what was only read is still known after a kill`() throws {
    try bench.restart()
    let before = depth
    _ = try bench.queue(waiting)
    bench.engine.registry.pulse(waiting, now: bench.now)
    bench.wait(bench.limits.pulseInterval)
    try bench.restart(isClean: false)
    #expect(depth == before)
  }

  @Test func `a dead message counts as long as it is kept, whoever has heard of its end`() throws {
    let bench = try Bench { $0.attempts = 1 }
    let id = try bench.create()
    func expect(_ count: Int, _ location: SourceLocation = #_sourceLocation) throws {
      let counts = try bench.queue(id)["counts"]
      #expect(counts?["dead"]?.int == count, sourceLocation: location)
      let listed = try bench.status(id)["queue"]
      #expect(listed?["dead"]?.int == count, sourceLocation: location)
      #expect(bench.engine.levels().depth.dead == count, sourceLocation: location)
      let found = try bench.list(id, .dead)["messages"]?.array?.count
      #expect(found == count, sourceLocation: location)
    }
    var dead: [MessageID] = []
    for number in 0..<4 { dead.append(try bench.dead(id, "m-\(number)")) }
    try expect(4)
    // Two callers hear how it ended: one before and one after the start.
    for isClean in [nil, true, false] {
      if let isClean { try bench.restart(isClean: isClean) }
      let read = try bench.getTask(id, (isClean == nil ? dead[0] : dead[1]).text)
      bench.sync()
      let receipt = try #require(bench.replies[read]).receipt
      bench.engine.agents.delivered(receipt, received: true, now: bench.now)
      bench.wait(.seconds(2))
      try expect(4)
    }
    // One comes back under its id and dies again; of one that was told a copy does, too.
    #expect(try bench.redrive(id, dead[2]).status == 200)
    try expect(3)
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: ""))
    bench.sync()
    try expect(4)
    #expect(try bench.replay(id, dead[0]).status == 200)
    let copy = try bench.take(id)
    bench.agent(id, copy, .release(delay: nil, reason: ""))
    bench.sync()
    try expect(5)
    _ = try bench.finish(id, bench.job(id, .purge, ids: [dead[0], dead[3]]).json["job"])
    try expect(3)
    bench.wait(bench.limits.retention + .seconds(10))
    bench.sweep()
    try expect(0)
    try bench.restart()
    try expect(0)
  }

  @Test func `a restored relay looks for itself`() throws {
    bench.engine.close(now: bench.now)
    try bench.restart(isClean: false)
    try bench.data.beginLife(random: 7, at: bench.now.wall)
    #expect(try bench.data.registry.depths().isEmpty)
  }
}
