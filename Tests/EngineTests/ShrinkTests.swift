import CFaultVFS
import CSQLite
import Relay
import Testing
import Wire

@testable import Engine
@testable import Store

/// Files that give back what is free in them.
@Suite struct ShrinkTests {
  /// Idle, with many free pages; smaller where it holds at most `used` pages.
  private func emptied(_ used: Int) throws -> (Bench, WorkspaceID) {
    var limits = Limits()
    limits.freePagesMax = 200
    limits.shrinkPagesMax = used
    limits.keptMessagesMax = 1
    limits.shrinkCutBytes = 600_000
    let bench = try Bench(limits: limits, vfs: "fault")
    let id = try bench.create()
    let text = String(repeating: "x", count: 50_000)
    for number in 0..<30 { _ = try bench.answered(id, "m-\(number)", text: text) }
    try bench.stored(id, "kept")
    bench.sweep()
    #expect(try workspace(bench, id).file.freePages() > 300)
    return (bench, id)
  }

  private func workspace(_ bench: Bench, _ id: WorkspaceID) throws -> Workspace {
    try #require(bench.engine.pool[id])
  }

  private func rest(_ bench: Bench) {
    for _ in 0..<2 {
      bench.wait(bench.limits.walIdle)
      bench.sweep()
    }
  }

  /// Until what it holds has been written once more; nothing of that is synced.
  private func write(_ bench: Bench, _ id: WorkspaceID) throws {
    bench.wait(bench.limits.walIdle)
    for _ in 0..<100 where try workspace(bench, id).care.shrinking?.stage != .written {
      bench.engine.tick(now: bench.now)
      bench.engine.maintain(now: bench.now)
      bench.advance(.milliseconds(100))
    }
    #expect(try workspace(bench, id).care.shrinking?.stage == .written)
  }

  private func step(_ bench: Bench) {
    bench.advance(.seconds(1))
    bench.turn()
    bench.engine.maintain(now: bench.now)
  }

  private func size(_ bench: Bench, _ id: WorkspaceID) -> Int64 {
    Files.size(bench.data.path(of: id))
  }

  @Test func `the file of an idle workspace gives its free pages back`() throws {
    let (bench, id) = try emptied(2048)
    rest(bench)
    #expect(
      try workspace(bench, id).file.freePages() == 0 && workspace(bench, id).care.shrinking == nil)
    rest(bench)
    #expect(try workspace(bench, id).file.walPages == 0 && !workspace(bench, id).isUnsynced)
    #expect(size(bench, id) < 200 * 4096)
    #expect(try bench.take(id).message.seq == 31)
    bench.expectNothingHeld()
  }

  @Test(arguments: 0...5)
  func `it is cut a piece at a time, when that is safe, and a crash spoils nothing`(
    steps: Int
  ) throws {
    let (bench, id) = try emptied(2048)
    let kept = try bench.kept(id)
    let before = size(bench, id)
    try write(bench, id)
    for _ in 0..<5 { step(bench) }
    #expect(size(bench, id) == before, "no barrier has covered what was written")
    if steps > 0 {
      bench.sync()
      var sizes = [size(bench, id)]
      for _ in 1..<steps {
        step(bench)
        sizes.append(size(bench, id))
      }
      for (first, next) in zip(sizes, sizes.dropFirst()) {
        #expect(first - next <= Int64(bench.limits.shrinkCutBytes))
      }
      #expect(steps < 3 || sizes[steps - 1] < before)
      let isDone = try workspace(bench, id).care.shrinking == nil
      let isEmptied = try workspace(bench, id).file.walPages == 0
      #expect(isDone == isEmptied, "the checkpoint comes when it is done, and not before")
      let pages = try workspace(bench, id).file.database.number("PRAGMA page_count")
      #expect(steps < 5 || sizes[4] == pages * 4096 && isDone)
    }
    try bench.restart(isClean: false)
    #expect(try bench.stored(id, "new").seq == 32)
    #expect(try bench.kept(id) == kept + [32])
    let file = try workspace(bench, id).file
    #expect(try file.database.number("SELECT count(*) FROM pragma_integrity_check") == 1)
    #expect(try file.body(kept[0])?.body.isEmpty == false)
    #expect(try file.checkpoint(.truncate))
    #expect(size(bench, id) < 200 * 4096)
  }

  @Test func `it waits for a moment without callers, and not for ever`() throws {
    let (bench, id) = try emptied(2048)
    let other = try bench.create()
    func keepBusy() throws {
      try bench.send(other) {
        $0.messageID = "\(bench.now.instant.nanoseconds)"
        $0.isBlocking = false
      }
      bench.turn()
      bench.engine.maintain(now: bench.now)
    }
    bench.advance(bench.limits.walIdle)
    let start = bench.now.instant
    while try workspace(bench, id).care.shrinking?.stage != .written {
      try keepBusy()
      bench.wait(.milliseconds(500))
      #expect(start + .seconds(120) > bench.now.instant)
      if start + .seconds(120) <= bench.now.instant { return }
    }
    #expect(start + bench.limits.shrinkPatience <= bench.now.instant)
  }

  @Test func `one that holds more keeps them, until that has gone`() throws {
    let (bench, id) = try emptied(40)
    let message = try bench.stored(id, String(repeating: "m", count: 200))
    try bench.send(id) {
      $0.messageID = "large"
      $0.text = String(repeating: "x", count: 200_000)
      $0.isBlocking = false
    }
    bench.sweep()
    bench.sweep()
    let free = try workspace(bench, id).file.freePages()
    rest(bench)
    #expect(
      try workspace(bench, id).file.freePages() == free
        && workspace(bench, id).care.shrinking == nil)
    #expect(bench.engine.nextDeadline().map { $0 > bench.now.instant } != false)
    #expect(try bench.cancel(id, message).status == 200)
    let purged = try bench.job(id, .purge, [.queued, .cancelled, .answered])
    #expect(try bench.finish(id, purged.json["job"])["done"]?.int ?? 0 >= 2)
    rest(bench)
    #expect(try workspace(bench, id).file.freePages() == 0)
  }

  @Test func `one that is opened with free pages gives them back, too`() throws {
    let (bench, id) = try emptied(2048)
    try bench.restart()
    _ = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(try workspace(bench, id).file.freePages() > 300)
    rest(bench)
    #expect(try workspace(bench, id).file.freePages() == 0)
  }

  @Test func `a full disk changes nothing, and is no reason to try for ever`() throws {
    let (bench, id) = try emptied(2048)
    let workspace = try workspace(bench, id)
    let free = try workspace.file.freePages()
    bench.wait(bench.limits.walIdle)
    // The log is emptied, and then its pages are to be given back.
    for _ in 0..<100 where workspace.care.shrinking == nil { bench.engine.maintain(now: bench.now) }
    #expect(workspace.care.shrinking?.stage == .wanted)
    bench.advance(.seconds(2))
    fault_arm(Int32(FAULT_WRITE.rawValue), 3, SQLITE_FULL, 1)
    bench.engine.maintain(now: bench.now)
    fault_arm(0, 0, 0, 0)
    #expect(
      workspace.care.shrinking == nil && workspace.failure == nil && bench.engine.fatal == nil)
    #expect(try workspace.file.freePages() == free && !bench.engine.isDiskLow)
    #expect(Files.size(workspace.file.path + "-wal") == 0, "what it has written is gone")
    #expect(bench.engine.nextDeadline().map { $0 > bench.now.instant } != false)
    // Nothing else comes due in it: it has been looked through.
    try bench.stored(id, "waits")
    bench.sweep()
    bench.sweep()
    #expect(!bench.engine.services.upkeep.retention.waiting.contains(id))
    rest(bench)
    #expect(try workspace.file.freePages() == 0)
  }
}
