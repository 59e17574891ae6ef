import CFaultVFS
import CSQLite
import Relay
import Testing
import Wire

@testable import Broker
@testable import Store

/// Files that give back what is free in them.
@Suite struct ShrinkTests {
  /// Idle, with many free pages; smaller where it holds at most `used` pages.
  private func emptied(_ used: Int) throws -> (Bench, WorkspaceID) {
    fault_register()
    fault_arm(0, 0, 0, 0)
    var limits = Limits()
    limits.freePagesMax = 200
    limits.shrinkPagesMax = used
    limits.keptMessagesMax = 1
    let bench = try Bench(limits: limits, vfs: "fault")
    let id = try bench.create()
    for number in 0..<30 {
      let call = try bench.send(id) {
        $0.messageID = "m-\(number)"
        $0.text = String(repeating: "x", count: 50_000)
      }
      bench.sync()
      try bench.result(id, try bench.take(id))
      bench.sync()
      bench.broker.delivered(
        try #require(bench.replies[call]).receipt, received: true, now: bench.now)
    }
    bench.sweep()
    #expect(try desk(bench, id).file.freePages() > 300)
    return (bench, id)
  }

  private func desk(_ bench: Bench, _ id: WorkspaceID) throws -> Desk {
    try #require(bench.broker.desks[id])
  }

  private func rest(_ bench: Bench) {
    for _ in 0..<2 {
      bench.wait(bench.limits.walIdle)
      bench.sweep()
    }
  }

  @Test func `the file of an idle workspace gives its free pages back`() throws {
    let (bench, id) = try emptied(2048)
    rest(bench)
    #expect(try desk(bench, id).file.freePages() == 0 && desk(bench, id).shrinksAt == nil)
    rest(bench)
    #expect(try desk(bench, id).file.walPages == 0 && !desk(bench, id).isUnsynced)
    #expect(Files.size(bench.data.path(of: id)) < 200 * 4096)
    _ = try bench.answered(id, "after")
    bench.expectNothingHeld()
    try bench.restart(isClean: false)
    #expect(try bench.stored(id, "new").seq == 32)
  }

  @Test func `one that holds more keeps them, until that has gone`() throws {
    let (bench, id) = try emptied(1)
    let desk = try desk(bench, id)
    let free = try desk.file.freePages()
    rest(bench)
    #expect(try desk.file.freePages() == free && desk.shrinksAt == nil)
    #expect(bench.broker.nextDeadline().map { $0 > bench.now.instant } != false)
  }

  @Test func `a full disk changes nothing, and is no reason to try for ever`() throws {
    let (bench, id) = try emptied(2048)
    let desk = try desk(bench, id)
    let free = try desk.file.freePages()
    bench.wait(bench.limits.walIdle)
    // The log is emptied, and then its pages are to be given back.
    while desk.shrinksAt == nil { bench.broker.maintain(now: bench.now) }
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    bench.broker.maintain(now: bench.now)
    fault_arm(0, 0, 0, 0)
    #expect(desk.shrinksAt == nil && desk.failure == nil && bench.broker.fatal == nil)
    #expect(try desk.file.freePages() == free)
    #expect(bench.broker.nextDeadline().map { $0 > bench.now.instant } != false)
    // Nothing else comes due in it: it has been looked through.
    try bench.stored(id, "waits")
    bench.sweep()
    bench.sweep()
    #expect(!bench.broker.retaining.contains(id))
    rest(bench)
    #expect(try desk.file.freePages() == 0)
  }
}
