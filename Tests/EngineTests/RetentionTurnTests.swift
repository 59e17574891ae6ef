import CFaultVFS
import CSQLite
import Relay
import Testing
import Wire

@testable import Engine
@testable import Store

/// Retention beside the work of turns: what it waits for, and what does not wait for it.
@Suite struct RetentionTurnTests {
  @Test func `an end that is not durable yet is not deleted`() throws {
    let bench = try Bench {
      $0.keptMessagesMax = 1
      $0.retention = .nanoseconds(1)
    }
    let id = try bench.create(whenOffline: .error)
    for name in ["a", "b", "c"] { _ = try bench.answered(id, name) }
    bench.sweep()
    let withdrawn = try bench.send(id) { $0.hold = .seconds(5) }
    bench.sync()
    bench.advance(.seconds(5))
    bench.turn()
    for _ in 0..<50 {
      bench.advance(.milliseconds(100))
      bench.turn()
      bench.engine.maintain(now: bench.now)
    }
    #expect(try bench.kept(id) == [4])
    bench.sync()
    #expect(bench.replies[withdrawn]?.reason == "AGENT_OFFLINE")
    bench.sweep()
    #expect(try bench.kept(id).isEmpty)
  }

  @Test func `a deferred write of a message is made before the message is deleted`() throws {
    let bench = try Bench { $0.keptMessagesMax = 1 }
    let id = try bench.create()
    for name in ["a", "b", "c"] { _ = try bench.answered(id, name) }
    let workspace = try #require(bench.engine.pool[id])
    #expect(!workspace.transaction.deferred.isEmpty)
    bench.engine.maintain(now: bench.now)
    bench.sweep()
    #expect(workspace.failure == nil)
    #expect(try bench.kept(id).count <= 1)
  }

  @Test func `many messages go in rounds, one a turn`() throws {
    let bench = try Bench()
    let id = try bench.create()
    let workspace = try bench.engine.pool.workspace(id, now: bench.now)
    let writes = (1...2000).map { seq in
      [
        Write.message(
          NewMessage(
            seq: seq, tag: 1, at: bench.now.wall, expires: bench.now.wall, caller: "org:callers",
            method: 1, dialect: 2, task: seq, context: "c", messageID: "m",
            dedup: UUIDBytes(high: 0, low: UInt64(seq)), rpcID: [], head: [], body: [1],
            isImmediate: false)),
        .end(seq: seq, state: .expired, reason: .expired, at: bench.now.wall),
        .task(seq: seq, state: .failed, at: bench.now.wall),
        .received(seq: seq, .end, at: bench.now.wall),
      ]
    }
    try workspace.file.commit(writes.flatMap { $0 })
    workspace.transaction.committedBeside()
    workspace.touch()
    bench.wait(bench.limits.retention + .seconds(5))
    var rounds = 0
    var left = try bench.kept(id).count
    while left > 0, rounds < 100 {
      bench.turn()
      bench.engine.maintain(now: bench.now)
      left = Int(try workspace.file.database.number("SELECT count(*) FROM message"))
      rounds += 1
    }
    #expect(left == 0)
    #expect(rounds >= 2000 / bench.limits.retentionRowsMax)
  }

  @Test func `what waits for a turn is not woken before that by what may be deleted`() throws {
    let wait = Duration.milliseconds(1)
    let bench = try Bench(commitWaitMax: wait)
    let id = try bench.create()
    _ = try bench.answered(id, "old")
    bench.sweep()
    bench.advance(bench.limits.retention)
    for name in ["on its way", "waits"] {
      try bench.send(id) {
        $0.messageID = name
        $0.isBlocking = false
      }
      bench.turn()
    }
    let workspace = try #require(bench.engine.pool[id])
    #expect(workspace.hasTurnWork && workspace.retentionDue.map { $0 <= bench.now.instant } == true)
    #expect(bench.engine.services.upkeep.retention.waiting == [id])
    #expect(bench.engine.nextDeadline() == bench.now.instant + wait)
    bench.engine.maintain(now: bench.now)
    #expect(try bench.kept(id) == [1, 2])
    bench.advance(wait)
    bench.sync()
    #expect(bench.engine.nextDeadline().map { $0 <= bench.now.instant } == true)
    bench.engine.maintain(now: bench.now)
    #expect(try bench.kept(id) == [2, 3])
  }

  @Test func `a log that cannot be copied keeps nothing from being deleted`() throws {
    var limits = Limits()
    limits.walPagesIdle = 10
    let bench = try Bench(limits: limits, vfs: "fault")
    let (full, other) = (try bench.create(), try bench.create())
    _ = try bench.answered(other, "old")
    bench.wait(bench.limits.retention - .seconds(240))
    bench.sweep()
    bench.wait(.seconds(120))
    // Idle logs are emptied, one in a turn.
    for _ in 0..<20 { bench.engine.maintain(now: bench.now) }
    bench.wait(.seconds(120))
    for number in 0..<20 { try bench.stored(full, "m-\(number)") }
    #expect(
      bench.engine.services.upkeep.logs.long == [full]
        && bench.engine.services.upkeep.retention.waiting.contains(other))
    // One is looked through in a turn: the other is not to be the first.
    bench.engine.services.upkeep.retention = RetentionTurns(bench.limits)
    bench.engine.services.upkeep.retention.add(other)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 0)
    bench.engine.maintain(now: bench.now)
    fault_arm(0, 0, 0, 0)
    #expect(bench.engine.metrics.checkpointErrors == 1)
    #expect(try bench.kept(other).isEmpty)
  }
}
