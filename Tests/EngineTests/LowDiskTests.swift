import CFaultVFS
import CSQLite
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Who may still write while the disk runs full.
@Suite struct LowDiskTests {
  let bench: Bench
  let id: WorkspaceID
  let other: WorkspaceID

  init() throws {
    var limits = Limits()
    limits.diskReserveBytes = 1 << 20
    bench = try Bench(limits: limits, vfs: "fault")
    bench.engine.checkDisk()
    id = try bench.create()
    other = try bench.create()
  }

  private func look(free: Int64) {
    bench.engine.disk.freeBytes = { _ in free }
    bench.engine.checkDisk()
  }

  private func post(_ id: WorkspaceID, _ held: Held, bytes: Int) throws -> Shown? {
    let call = try bench.result(id, held, String(repeating: "r", count: bytes))
    bench.sync()
    return bench.replies[call]
  }

  private func full(_ body: () throws -> Void) rethrows {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    defer { fault_arm(0, 0, 0, 0) }
    try body()
  }

  @Test func `one workspace's results leave room for those of the others`() throws {
    for name in ["m-1", "m-2", "m-3"] { try bench.stored(id, name) }
    try bench.stored(other)
    look(free: 1 << 20)
    let room = Int(try #require(bench.engine.disk.state).results)
    #expect(bench.engine.isDiskLow && room > 1 << 20)
    let (first, second) = (try bench.take(id), try bench.take(id))
    #expect(try post(id, first, bytes: room / 2 + 100)?.code == "results_full")
    #expect(try post(id, first, bytes: room / 2 - 100)?.status == 200)
    // The lease would end meanwhile.
    bench.wait(.seconds(290))
    let refusal = try post(id, second, bytes: 200)
    #expect(refusal?.code == "results_full" && refusal?.status == 503)
    #expect(refusal?.header("Retry-After") == "30")
    // Nothing is stored for the result that was accepted before.
    #expect(try post(id, first, bytes: room / 2 - 100)?.json["duplicate"]?.bool == true)
    #expect(try post(other, try bench.take(other), bytes: 10_000)?.status == 200)
    // The lease is kept, and the result is taken when there is room.
    bench.wait(.seconds(50))
    let poll = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.entries.count == 1, "only the third message")
    look(free: 1 << 40)
    #expect(try post(id, second, bytes: 200)?.json["status"]?.string == "accepted")
    bench.expectNothingHeld()
  }

  @Test func `a workspace has a bound on all that it holds`() throws {
    let bench = try Bench {
      $0.queueBytesMax = 200_000
      $0.keptBytesMax = 200_000
      $0.unreadBytesMax = 200_000
    }
    let id = try bench.create()
    for number in 0..<9 { try bench.stored(id, "m-\(number)") }
    var codes: [Int] = []
    for _ in 0..<9 {
      let call = try bench.result(id, try bench.take(id), String(repeating: "r", count: 90_000))
      bench.sync()
      codes.append(try #require(bench.replies[call]).status)
    }
    #expect(codes.first == 200 && codes.last == 503)
    #expect(codes == codes.sorted(), "first all are taken, then none")
    #expect(try bench.engine.pool[id]?.file.usedBytes() ?? .max < 620_000)
  }

  @Test func `when the reserve is used up only deletion is written, and it has room`() throws {
    for number in 0..<4 { try bench.stored(id, "m-\(number)") }
    let held = try bench.take(id)
    var result: Shown?
    try full { result = try post(id, held, bytes: 5000) }
    #expect(result?.code == "not_stored")
    let room = bench.data.room
    #expect(!room.reserve.isHeld && room.deletionReserve.isHeld && !room.isForDeletionOnly)
    // An operator's verb gives up the other one.
    bench.engine.disk.freeBytes = { _ in 4096 }
    try full { _ = try bench.pause(id) }
    #expect(room.isForDeletionOnly && !room.deletionReserve.isHeld)
    #expect(bench.engine.unreadyReasons.contains(.diskFull))
    #expect(try post(id, held, bytes: 5000)?.status == 503)
    let poll = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.code == "disk_full")
    let purge = try bench.job(id, .purge, [.queued])
    #expect(purge.status == 202)
    #expect(try bench.finish(id, purge.json["job"])["done"]?.int == 3)
    look(free: 1 << 40)
    #expect(room.deletionReserve.isHeld && !room.isForDeletionOnly)
    #expect(try post(id, held, bytes: 5000)?.status == 200)
    try bench.stored(id, "after")
    bench.expectNothingHeld()
  }

  @Test func `a workspace whose file has free pages takes sends though the disk is low`() throws {
    for number in 0..<40 {
      try bench.send(id) {
        $0.messageID = "m-\(number)"
        $0.text = String(repeating: "x", count: 100_000)
        $0.isBlocking = false
      }
      bench.sync()
    }
    look(free: bench.data.highWater - 1)
    for id in [id, other] {
      let call = try bench.send(id) { $0.messageID = "low" }
      bench.sync()
      #expect(bench.replies[call]?.reason == "DISK_FULL")
    }
    let purge = try bench.job(id, .purge, [.queued])
    #expect(try bench.finish(id, purge.json["job"])["done"]?.int == 40)
    try bench.stored(id, "after")
    let call = try bench.send(other) { $0.messageID = "low" }
    bench.sync()
    #expect(bench.replies[call]?.reason == "DISK_FULL")
    #expect(bench.engine.isDiskLow)
  }

  @Test func `the disk is looked at again after many bytes, not only once a second`() throws {
    let bench = try Bench { $0.diskHighWater = 1 << 20 }
    let id = try bench.create()
    bench.engine.disk.freeBytes = { _ in 4096 }
    let bytes = Int(bench.data.highWater / 8) / 20
    for number in 0..<22 {
      if number < 10 { #expect(!bench.engine.isDiskLow) }
      try bench.send(id) {
        $0.messageID = "m-\(number)"
        $0.text = String(repeating: "x", count: bytes)
        $0.isBlocking = false
      }
      bench.sync()
    }
    #expect(bench.engine.isDiskLow)
  }

  @Test func `no inodes are named, and keep no workspace from its work`() throws {
    bench.data.room.freeInodes = { _ in 3 }
    bench.engine.checkDisk()
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      call, id: WorkspaceID(UUIDBytes(high: 5, low: 6)), name: "", settings: Settings(),
      now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.code == "inodes_used_up")
    try bench.stored(id)
  }

  @Test func `a line that a full disk repeats is written once a minute, with a count`() {
    var lines = RepeatedLines()
    var written: [Int] = []
    for second in 0..<200 {
      let now = Instant(nanoseconds: Int64(second) * 1_000_000_000)
      if let heldBack = lines.admits("commit_refused", every: .seconds(60), now: now) {
        written.append(heldBack)
      }
    }
    #expect(written == [0, 59, 59, 59])
    #expect(lines.admits("store_failed", every: .seconds(60), now: .distantFuture) == 0)
  }
}
