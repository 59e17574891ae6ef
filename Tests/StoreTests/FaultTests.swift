import CFaultVFS
import CSQLite
import Relay
import Store
import Testing

/// A failure of the disk at every write, sync and truncation in turn, under one scripted life of a
/// workspace. Half of a failing write reaches the file.
@Suite struct FaultTests {
  static let ioWrite: Int32 = 778
  static let ioSync: Int32 = 1034
  static let ioTruncate: Int32 = 1546

  init() { fault_register() }

  @Test(
    arguments: [
      (FAULT_WRITE, Self.ioWrite), (FAULT_SYNC, Self.ioSync), (FAULT_TRUNCATE, Self.ioTruncate),
    ], [false, true])
  func `a commit is there whole or not at all`(
    fault: (operation: fault_operation, code: Int32), stays: Bool
  ) throws {
    let mask = Int32(fault.operation.rawValue)
    let all = try count(mask)
    #expect(all > 0)
    for nth in 1...all {
      let scratch = try Scratch()
      var life = Life(scratch)
      fault_arm(mask, nth, fault.code, stays ? 1 : 0)
      let failure = life.run()
      fault_arm(0, 0, 0, 0)
      if let failure { #expect(failure.kind == .ioFatal || failure.kind == .workspaceFatal) }
      life.end()
      try life.verify()
    }
  }

  @Test func `a full disk refuses a round and the file goes on without being opened again`() throws
  {
    let mask = Int32(FAULT_WRITE.rawValue)
    let all = try count(mask)
    for nth in 1...all {
      let scratch = try Scratch()
      var life = Life(scratch)
      life.retriesWhenFull = true
      fault_arm(mask, nth, SQLITE_FULL, 0)
      let failure = life.run()
      let fired = fault_fired()
      fault_arm(0, 0, 0, 0)
      #expect(failure == nil, "write \(nth)")
      #expect(fired == 1)
      #expect(life.done.count == Life.rounds.count)
      life.end()
      try life.verify()
    }
  }

  @Test(arguments: [FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE])
  func `a stranger's WAL is tried three times before its workspace is given up`(
    operation: fault_operation
  ) throws {
    let mask = Int32(operation.rawValue)
    for stays in [false, true] {
      let scratch = try Scratch()
      var life = Life(scratch)
      try life.leaveWAL()
      let directory = try scratch.open(vfs: "fault")
      fault_arm(mask, 1, Self.ioWrite, stays ? 1 : 0)
      defer { fault_arm(0, 0, 0, 0) }
      if stays {
        let error = #expect(throws: StoreError.self) {
          try directory.openWorkspaceFile(workspace)
        }
        #expect(error?.kind == .workspaceFatal)
        #expect(fault_fired() == 3)
      } else {
        #expect(try directory.openWorkspaceFile(workspace).message(1) != nil)
        #expect(fault_fired() == 1)
      }
    }
  }

  /// How many operations the whole life takes.
  private func count(_ mask: Int32) throws -> Int {
    let scratch = try Scratch()
    var life = Life(scratch)
    fault_arm(mask, 0, 0, 0)
    let failure = life.run()
    let count = fault_count()
    fault_arm(0, 0, 0, 0)
    #expect(failure == nil)
    life.end()
    try life.verify()
    return count
  }
}
