import CSQLite
import Foundation
import Relay
import Testing

@testable import Store

/// How the space of a disk is divided, and what is given up when it ends.
@Suite struct DiskRoomTests {
  static let mib: Int64 = 1 << 20

  @Test(
    arguments: [
      (total: 57, mark: 14, reserve: 3), (total: 64, mark: 16, reserve: 4),
      (total: 150, mark: 16, reserve: 9), (total: 400, mark: 20, reserve: 25),
      (total: 1024, mark: 51, reserve: 32), (total: 1 << 20, mark: 256, reserve: 32),
    ] as [(total: Int64, mark: Int64, reserve: Int64)])
  func `mark and reserves follow the size of the disk`(
    total: Int64, mark: Int64, reserve: Int64
  ) throws {
    let plan = try DiskPlan(total: total * Self.mib, limits: Limits())
    #expect(plan.highWater / Self.mib == mark && plan.reserve / Self.mib == reserve)
    #expect(plan.reserve % 4096 == 0)
    // All that is held back leaves more than half of the disk.
    #expect(plan.highWater + 2 * plan.reserve < plan.total / 2)
    // A log of any length that is waited for can be copied.
    let pages = try #require(plan.scaled.first { $0.name == "walPagesBusy" }).room
    #expect(Int64(min(pages, Limits().walPagesBusy) * 4096) <= 2 * plan.resultsFloor)
    #expect(plan.resultsFloor < plan.reserve)
  }

  @Test func `a mark that was asked for is kept, and a disk that is too small is refused`() throws {
    var limits = Limits()
    limits.diskHighWater = 0
    #expect(try DiskPlan(total: 64 * Self.mib, limits: limits).highWater == 0)
    let error = #expect(throws: StoreError.self) {
      try DiskPlan(total: 39 * Self.mib, limits: Limits())
    }
    #expect(error?.message.contains("at least 41943040 are needed") == true)
  }

  @Test(
    arguments: [
      (code: 778, errno: EDQUOT, kind: .full), (778, EFBIG, .full), (778, ENOSPC, .full),
      (778, EIO, .ioFatal), (778, 0, .ioFatal), (SQLITE_FULL, 0, .full),
      (SQLITE_CANTOPEN, ENOSPC, .full), (SQLITE_CANTOPEN, ENOENT, .workspaceFatal),
      // What a sync has lost is lost, whatever the reason.
      (1034, ENOSPC, .ioFatal), (1034, EDQUOT, .ioFatal), (1290, ENOSPC, .ioFatal),
    ] as [(code: Int32, errno: Int32, kind: StoreError.Kind)])
  func `a quota and a limit of the size are a full disk`(
    code: Int32, errno: Int32, kind: StoreError.Kind
  ) {
    #expect(StoreError.kind(of: code, errno: errno) == kind)
  }

  @Test func `system calls without room are a full disk, but for a sync`() {
    for errno in [ENOSPC, EDQUOT, EFBIG] {
      #expect(StoreError.system("open", "f", errno, kind: .workspaceFatal).kind == .full)
      #expect(StoreError.system("fsync", "f", errno, kind: .ioFatal).kind == .ioFatal)
    }
    #expect(StoreError.system("open", "f", EACCES, kind: .workspaceFatal).kind == .workspaceFatal)
  }

  // MARK: giving up and taking

  private func room() throws -> (DiskRoom, Scratch) {
    let scratch = try Scratch()
    var limits = Limits()
    limits.diskReserveBytes = 1 << 20
    let plan = try DiskPlan(total: 1 << 40, limits: limits)
    return (DiskRoom(path: scratch.path, plan: plan), scratch)
  }

  private func full(_ errno: Int32 = ENOSPC) -> StoreError {
    .system("write", "f", errno, kind: .other)
  }

  @Test func `results get the one reserve, deletion the other as well, and nothing else then`()
    throws
  {
    let (room, scratch) = try room()
    let plenty: Int64 = 1 << 39
    #expect(try room.takeReserves(free: plenty) == plenty - 2 * room.plan.reserve)
    #expect(room.reserve.isHeld && room.deletionReserve.isHeld)
    let before = try room.state(free: plenty)
    #expect(!before.isLow && before.sends == plenty - room.plan.highWater)
    #expect(try room.makeRoom(for: .results, after: full()))
    #expect(!room.reserve.isHeld && room.deletionReserve.isHeld && !room.isForDeletionOnly)
    #expect(try !room.makeRoom(for: .results, after: full()))
    #expect(!room.isForDeletionOnly)
    // A quota: the file system itself has room.
    #expect(try room.state(free: plenty).isLow)
    #expect(try room.makeRoom(for: .deletion, after: full(EDQUOT)))
    #expect(!room.deletionReserve.isHeld && room.isForDeletionOnly)
    let state = try room.state(free: 4096)
    #expect(state.sends == 0 && state.results == 0 && state.deletion == 4096)
    #expect(try !room.makeRoom(for: .deletion, after: full()))
    // Their files stay: to make them anew would need inodes.
    #expect(Files.exists(scratch.path + "/reserve") && Files.size(scratch.path + "/reserve") == 0)

    #expect(try room.takeReserves(free: room.plan.resultsFloor) == room.plan.resultsFloor)
    #expect(room.isForDeletionOnly)
    _ = try room.takeReserves(free: room.plan.resultsFloor + room.plan.reserve + 1)
    #expect(room.deletionReserve.isHeld && !room.isForDeletionOnly && !room.reserve.isHeld)
    #expect(try room.state(free: plenty).isLow)
    _ = try room.takeReserves(free: plenty)
    #expect(try room.reserve.isHeld && !room.state(free: plenty).isLow)
  }

  @Test func `a file that may not grow uses up no reserve`() throws {
    let (room, scratch) = try room()
    _ = try room.takeReserves(free: 1 << 39)
    #expect(try !room.makeRoom(for: .deletion, after: full(EFBIG)))
    room.noteFull(full(EFBIG))
    #expect(room.reserve.isHeld && !room.isSpent)
    withExtendedLifetime(scratch) {}
  }

  @Test func `a reserve is kept when there is no room beside it`() throws {
    let (room, scratch) = try room()
    #expect(try room.reserve.take(proving: 0))
    #expect(try !room.reserve.take(proving: 1 << 62))
    #expect(room.reserve.isHeld)
    try room.reserve.giveUp()
    try room.reserve.giveUp()
    #expect(!room.reserve.isHeld)
    withExtendedLifetime(scratch) {}
  }

  @Test func `a start gives up what it needs`() throws {
    let (room, scratch) = try room()
    _ = try room.takeReserves(free: 1 << 39)
    var tries = 0
    try room.whileFull { () throws(StoreError) in
      tries += 1
      if tries < 3 { throw full() }
    }
    #expect(tries == 3 && !room.reserve.isHeld && !room.deletionReserve.isHeld)
    let error = #expect(throws: StoreError.self) {
      try room.whileFull { () throws(StoreError) in throw full() }
    }
    #expect(error?.kind == .full)
    withExtendedLifetime(scratch) {}
  }
}
