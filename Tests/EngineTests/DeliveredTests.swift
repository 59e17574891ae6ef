import CFaultVFS
import CSQLite
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// "Not delivered" is said only when it is proved: a caller whose message is stored gets the Task,
/// or hears that the outcome is open.
@Suite struct DeliveredTests {
  let bench: Bench
  let ids: [WorkspaceID]

  init() throws {
    var limits = Limits()
    // Nothing of a message is in memory but what the queue itself holds.
    (limits.openWorkspacesMax, limits.cacheBytesMax) = (2, 0)
    bench = try Bench(limits: limits, vfs: "fault")
    ids = try (0..<5).map { [bench] _ in try bench.create() }
  }

  /// Every open file has a round on its way, and that of `ids[0]` is closed.
  private func keepFilesBusy() throws {
    for id in ids[1...4] { _ = try bench.stored(id, "other") }
    #expect(bench.engine.pool[ids[0]]?.isOpen == false)
    for id in ids[3...4] { try bench.send(id) { $0.messageID = "busy" } }
    bench.turn()
    #expect(throws: RelayError.tooManyOpen) {
      try bench.engine.pool.workspace(ids[2], now: bench.now)
    }
  }

  private func held(_ change: (inout Bench.Send) -> Void = { _ in }) throws -> CallID {
    let call = try bench.send(ids[0]) {
      $0.hold = .seconds(10)
      change(&$0)
    }
    bench.sync()
    return call
  }

  @Test(arguments: [true, false])
  func `a hold that ends while the file cannot be opened gives the Task`(isNew: Bool) throws {
    var call = try held()
    if !isNew {
      try bench.restart(isClean: false)
      call = try held()
    }
    try keepFilesBusy()
    bench.advance(.seconds(10))
    bench.turn()
    let reply = try #require(bench.replies[call])
    #expect(reply.state == "TASK_STATE_SUBMITTED")
    #expect(reply.task?["id"]?.string == reply.messageID?.text)
    #expect(reply.task?["contextId"]?.string?.isEmpty == false)
    bench.sync()
  }

  @Test func `at a shutdown too`() throws {
    let call = try held()
    try keepFilesBusy()
    bench.engine.shutDown(now: bench.now)
    bench.turn()
    #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
    bench.sync()
  }

  @Test func `who continues a task gets it by the id of its first message`() throws {
    let first = try bench.stored(ids[0])
    let call = try held { ($0.messageID, $0.task) = ("m-2", first.text) }
    try keepFilesBusy()
    bench.advance(.seconds(10))
    bench.turn()
    #expect(bench.replies[call]?.task?["id"]?.string == first.text)
    bench.sync()
  }

  @Test func `an equal call of a stored message is not told that nothing was stored`() throws {
    _ = try held()
    try keepFilesBusy()
    let again = try bench.send(ids[0])
    bench.advance(bench.limits.fileWaitMax)
    bench.turn()
    #expect(bench.replies[again]?.reason == "TOO_MANY_OPEN")
    #expect(bench.replies[again]?.delivered == "unknown")
    bench.sync()
  }

  /// SQLITE_IOERR_READ, final for the workspace, and SQLITE_FULL, which is not.
  @Test(arguments: [266, SQLITE_FULL])
  func `nor one whose file cannot be opened`(code: Int32) throws {
    _ = try held()
    try bench.restart(isClean: false)
    fault_arm(Int32(FAULT_WRITE.rawValue | FAULT_TRUNCATE.rawValue), 1, code, 1)
    let again = try bench.send(ids[0])
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[again]?.reason == "WORKSPACE_UNAVAILABLE")
    #expect(bench.replies[again]?.delivered == "unknown")
    let later = try bench.send(ids[0]) { $0.isBlocking = false }
    bench.sync()
    #expect((bench.replies[later]?.task != nil) == (code == SQLITE_FULL))
  }

  @Test func `on a full disk a file is closed for others, and opened again`() throws {
    for number in 0..<30 {
      let call = try bench.send(ids[0]) {
        $0.messageID = "m-\(number)"
        $0.text = String(repeating: "z", count: 8000)
        $0.isBlocking = false
      }
      bench.sync()
      #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
    }
    let pages = try #require(bench.engine.pool[ids[0]]?.file.walPages)
    #expect(pages > 64, "its log is copied when it is closed")
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    for id in ids[1...3] {
      bench.poll(id, wait: .zero)
      bench.sync()
    }
    #expect(bench.engine.pool[ids[0]]?.isOpen != true && bench.engine.pool.failed.isEmpty)
    let full = bench.poll(ids[0], wait: .zero)
    bench.sync()
    #expect(bench.replies[full]?.code == "not_stored")
    fault_arm(0, 0, 0, 0)
    #expect(try bench.take(ids[0]).json["attempt"]?.int == 1)
  }

  /// One by one: a code that says "no" is refused before anything is stored, or rolled back, or
  /// withdrawn on the disk.
  @Test func `the codes that say no are these`() {
    let codes = RelayError.allCases.filter { $0.delivered == "no" }
    #expect(
      Set(codes) == [
        // After the search for an equal call, in the queue that holds all that nobody received.
        .queueFull, .callerShare, .diskFull, .logFull, .sendsRefused,
        // Of an agent's result, and of files that are to be made.
        .resultsFull, .inodesUsedUp,
        // The transaction was rolled back.
        .notStored,
        // Withdrawn by the only caller, and that is durable.
        .agentOffline,
      ])
  }
}
