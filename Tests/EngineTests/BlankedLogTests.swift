import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What was deleted or replaced leaves the disk while the relay goes on.
@Suite struct BlankedLogTests {
  static let text = "content-that-is-looked-for"

  /// Whether any file has it. Nobody but this process uses them: that reading a database drops
  /// SQLite's locks does not matter here.
  private func isOnDisk(_ bench: Bench) throws -> Bool {
    for name in try FileManager.default.subpathsOfDirectory(atPath: bench.path) {
      guard name != "reserve",
        let data = FileManager.default.contents(atPath: bench.path + "/" + name)
      else { continue }
      if data.range(of: Data(Self.text.utf8)) != nil { return true }
    }
    return false
  }

  private func set(_ value: String, _ bench: Bench, _ id: WorkspaceID) -> CallID {
    let call = bench.engine.nextCall()
    bench.engine.registry.secrets.set(call, "KEY", value, of: id, by: "admin", now: bench.now)
    return call
  }

  private func delete(_ bench: Bench, _ id: WorkspaceID) {
    bench.engine.registry.secrets.delete(
      bench.engine.nextCall(), "KEY", of: id, by: "admin", now: bench.now)
  }

  /// An answered message with the text, which its caller has received.
  private func answer(_ bench: Bench, _ id: WorkspaceID) throws {
    let call = try bench.send(id) { $0.text = Self.text }
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    bench.wait(.seconds(2))
  }

  private func purge(_ bench: Bench, _ id: WorkspaceID) throws {
    let job = try bench.job(id, .purge, .answered).json["job"]
    #expect(try bench.finish(id, job)["done"]?.int == 1)
    // What can be put off is written, too.
    bench.wait(bench.limits.deferredWriteMax * 2)
    #expect(try isOnDisk(bench), "in the log")
  }

  private func turn(_ bench: Bench) {
    bench.sync()
    bench.engine.maintain(now: bench.now)
    bench.sync()
  }

  // MARK: the registry

  @Test(arguments: [true, false])
  func `a secret is on the disk no longer than a minute after its end, busy or not`(
    isReplaced: Bool
  ) throws {
    let bench = try Bench()
    let id = try bench.create()
    _ = set(Self.text, bench, id)
    bench.wait(bench.limits.walIdle * 2)
    #expect(try isOnDisk(bench))
    if isReplaced { _ = set("another", bench, id) } else { delete(bench, id) }
    bench.sync()
    // Probes come every second, and each commits.
    for _ in 0..<59 {
      bench.engine.ready(bench.engine.nextCall(), now: bench.now)
      bench.wait(.seconds(1))
    }
    #expect(try isOnDisk(bench), "in the log")
    bench.engine.ready(bench.engine.nextCall(), now: bench.now)
    bench.wait(.seconds(1))
    bench.turn()
    #expect(try !isOnDisk(bench))
  }

  @Test func `a round of the registry on its way ends before its log is emptied`() throws {
    let bench = try Bench()
    let id = try bench.create()
    let other = try bench.create()
    _ = set(Self.text, bench, id)
    bench.sync()
    delete(bench, id)
    bench.sync()
    bench.advance(bench.limits.walIdle - .milliseconds(1))
    let first = set("1", bench, other)
    bench.turn()
    bench.advance(.milliseconds(1))
    let second = set("2", bench, other)
    bench.engine.registry.auditLater(
      AuditEntry(at: bench.now.wall, actor: "a", action: .jobEnd, target: .workspace(id)))
    bench.turn()
    #expect(bench.engine.registry.roundCount == 1, "the second waits")
    #expect(bench.engine.nextDeadline().map { $0 > bench.now.instant } != false, "for no time")
    #expect(try isOnDisk(bench))
    bench.sync()
    for call in [first, second] { #expect(bench.replies[call]?.status == 200) }
    #expect(try !isOnDisk(bench))
    bench.expectNothingHeld()
  }

  @Test func `what says that a file is in use does not wait for that`() throws {
    let bench = try Bench()
    let id = try bench.create()
    let other = try bench.create()
    _ = set(Self.text, bench, other)
    bench.sync()
    // After a clean start relay.db calls every file idle.
    try bench.restart()
    delete(bench, other)
    bench.sync()
    bench.advance(bench.limits.walIdle)
    _ = set("1", bench, other)
    bench.turn()
    delete(bench, other)
    bench.sync()
    bench.advance(bench.limits.walIdle - .milliseconds(1))
    _ = set("2", bench, other)
    bench.turn()
    bench.advance(.milliseconds(1))
    try bench.send(id) { $0.isBlocking = false }
    bench.turn()
    #expect(bench.engine.registry.roundCount == 2, "its mark is in a round of the same barrier")
    bench.sync()
    bench.expectNothingHeld()
  }

  @Test func `a registry that cannot be emptied goes on, and is emptied later`() throws {
    let bench = try Bench(vfs: "fault")
    let id = try bench.create()
    _ = set(Self.text, bench, id)
    bench.sync()
    delete(bench, id)
    bench.sync()
    bench.advance(bench.limits.walIdle)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(try isOnDisk(bench) && bench.engine.fatal == nil)
    let call = set("1", bench, id)
    bench.sync()
    #expect(bench.replies[call]?.status == 200)
    bench.wait(bench.limits.walIdle)
    #expect(try !isOnDisk(bench))
  }

  // MARK: workspaces

  @Test func `a message that was purged leaves the disk when its workspace is idle`() throws {
    let bench = try Bench()
    let id = try bench.create()
    try answer(bench, id)
    try purge(bench, id)
    bench.advance(bench.limits.walIdle)
    turn(bench)
    #expect(try !isOnDisk(bench))
  }

  @Test func `a purged message leaves the disk after ten minutes when its workspace is never idle`()
    throws
  {
    let bench = try Bench()
    let id = try bench.create()
    try answer(bench, id)
    try purge(bench, id)
    let start = bench.now.instant
    // With a round on its way whenever it is looked at.
    func work(_ name: String) throws {
      try bench.send(id) {
        $0.messageID = name
        $0.isBlocking = false
      }
      bench.turn()
      bench.engine.maintain(now: bench.now)
    }
    for number in 0..<19 {
      try work("m-\(number)")
      bench.wait(.seconds(30))
    }
    #expect(try isOnDisk(bench) && start + bench.limits.walErasedMax > bench.now.instant)
    bench.wait(.seconds(30))
    try work("due")
    #expect(bench.engine.pool[id]?.care.log.mustBeEmptied == true)
    let next = try bench.send(id) { $0.messageID = "next" }
    bench.turn()
    #expect(bench.engine.pool[id]?.transaction.rounds.count == 1, "the next one waits")
    #expect(bench.engine.nextDeadline().map { $0 > bench.now.instant } == true, "for no time")
    bench.sync()
    #expect(bench.engine.pool[id]?.transaction.rounds.isEmpty == true)
    #expect(bench.engine.callers.messageID(of: next) != nil && !bench.engine.pool[id]!.isUnsynced)
    #expect(try !isOnDisk(bench))
    // Until something is deleted again nothing is emptied before it is idle.
    #expect(bench.engine.pool[id]?.care.log.holdsErased == false)
  }

  @Test func `a file that is closed for others keeps nothing deleted in its log`() throws {
    let bench = try Bench { $0.openWorkspacesMax = 2 }
    let ids = try (0..<4).map { _ in try bench.create() }
    try answer(bench, ids[0])
    try purge(bench, ids[0])
    for id in ids.dropFirst() {
      for _ in 0..<3 where bench.engine.pool[id]?.isOpen != true {
        _ = try? bench.engine.pool.workspace(id, now: bench.now)
        bench.sync()
      }
    }
    #expect(bench.engine.pool[ids[0]]?.isOpen != true)
    #expect(try !isOnDisk(bench))
  }

  @Test func `a file whose log cannot be emptied stays open, and another is closed`() throws {
    var limits = Limits()
    limits.openWorkspacesMax = 2
    let bench = try Bench(limits: limits, vfs: "fault")
    let ids = try (0..<3).map { _ in try bench.create() }
    try answer(bench, ids[0])
    try purge(bench, ids[0])
    bench.wait(.seconds(1))
    _ = try bench.engine.pool.workspace(ids[1], now: bench.now)
    bench.sync()
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    bench.engine.tick(now: bench.now)
    _ = try? bench.engine.pool.workspace(ids[2], now: bench.now)
    fault_arm(0, 0, 0, 0)
    #expect(bench.engine.metrics.checkpointErrors == 1)
    #expect(bench.engine.pool[ids[0]]?.isOpen == true)
    bench.sync()
    for _ in 0..<3 {
      for id in [ids[1], ids[2]] {
        _ = try? bench.engine.pool.workspace(id, now: bench.now)
        bench.sync()
      }
    }
    #expect(bench.engine.pool[ids[0]]?.isOpen != true && bench.engine.pool.failed.isEmpty)
    #expect(try !isOnDisk(bench))
  }
}
