import Relay
import Testing
import Wire

@testable import Engine

/// What held callers get when their patience ends first.
@Suite struct HoldTests {
  let bench: Bench

  init() throws { bench = try Bench() }

  @Test func `the end of a hold gives the Task as it stands`() throws {
    let id = try bench.create()
    let queued = try bench.send(id) {
      $0.messageID = "m-1"
      $0.hold = .seconds(5)
    }
    let leased = try bench.send(id) {
      $0.messageID = "m-2"
      $0.hold = .seconds(5)
      $0.isCurrent = false
    }
    bench.sync()
    _ = try bench.take(id)
    bench.wait(.seconds(4))
    #expect(bench.replies[queued] == nil && bench.replies[leased] == nil)
    bench.wait(.seconds(2))
    #expect(bench.replies[queued]?.state == "TASK_STATE_WORKING")
    #expect(bench.replies[leased]?.state == "submitted")
    bench.expectNothingHeld()
  }

  @Test func `a strict workspace withdraws what was never handed out`() throws {
    let id = try bench.create(whenOffline: .error)
    let call = try bench.send(id) { $0.hold = .seconds(5) }
    bench.sync()
    bench.advance(.seconds(5))
    bench.turn()
    #expect(bench.replies[call] == nil, "the withdrawal is durable before anybody is told")
    bench.sync()
    #expect(bench.replies[call]?.reason == "AGENT_OFFLINE")
    #expect(bench.replies[call]?.delivered == "no")
    let poll = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.status == 204)
    bench.expectNothingHeld()
  }

  @Test func `with a second caller attached the first is told unknown, and it stays`() throws {
    let id = try bench.create(whenOffline: .error)
    let first = try bench.send(id) { $0.hold = .seconds(5) }
    let second = try bench.send(id) { $0.hold = .seconds(50) }
    bench.sync()
    bench.wait(.seconds(5))
    #expect(bench.replies[first]?.delivered == "unknown")
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[second]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a hold that ends while a write is on its way waits for it`() throws {
    let id = try bench.create()
    let call = try bench.send(id) { $0.hold = .seconds(5) }
    bench.sync()
    let held = try bench.take(id)
    try bench.result(id, held)
    bench.turn()
    bench.advance(.seconds(6))
    bench.turn()
    #expect(bench.replies[call] == nil)
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `at shutdown callers get the Task, polls 204 with Retry-After, retries attach`() throws
  {
    let id = try bench.create()
    let strict = try bench.create(whenOffline: .error)
    let call = try bench.send(id)
    let strictCall = try bench.send(strict)
    bench.sync()
    let parked = bench.poll(try bench.create())
    bench.engine.shutDown(now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
    #expect(bench.replies[strictCall]?.reason == "RELAY_RESTARTING")
    #expect(bench.replies[strictCall]?.delivered == "unknown")
    #expect(bench.replies[parked]?.status == 204)
    #expect(bench.replies[parked]?.header("Retry-After") != nil)
    // Who comes now is not kept until the end of the process.
    let late = bench.poll(id)
    let retry = try bench.send(strict)
    let new = try bench.send(id) { $0.messageID = "new" }
    bench.sync()
    #expect(bench.replies[late]?.status == 204)
    #expect(bench.replies[retry]?.delivered == "unknown")
    #expect(bench.replies[new]?.delivered == "no")
    bench.expectNothingHeld()
  }

  @Test func `a message that nobody answers in time expires and ends its task`() throws {
    var limits = Limits()
    limits.timeToLive = .seconds(60)
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    let call = try bench.send(id)
    bench.sync()
    bench.wait(.seconds(61))
    #expect(bench.replies[call]?.state == "TASK_STATE_FAILED")
  }
}
