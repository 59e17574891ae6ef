import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What callers and agents are told when a write fails: refused, final for the workspace, or final
/// for the process.
@Suite struct DiskTests {
  /// SQLITE_IOERR_READ and SQLITE_IOERR_WRITE.
  static let ioRead: Int32 = 266
  static let ioWrite: Int32 = 778
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  private func failing(
    _ code: Int32, from nth: Int = 1, stays: Bool = true, _ body: () throws -> Void
  )
    rethrows
  {
    fault_arm(Int32(FAULT_WRITE.rawValue), nth, code, stays ? 1 : 0)
    defer { fault_arm(0, 0, 0, 0) }
    try body()
  }

  // MARK: full

  @Test func `on a full disk a send is refused, and nothing of it is stored`() throws {
    try bench.stored(id, "before")
    var calls: [CallID] = []
    try failing(SQLITE_FULL) {
      calls = [
        try bench.send(id), try bench.send(id) { $0.isBlocking = false },
        try bench.send(id) { $0.messageID = "m-2" },
      ]
      bench.turn()
    }
    for call in calls {
      #expect(bench.replies[call]?.reason == "NOT_STORED")
      #expect(bench.replies[call]?.delivered == "no")
    }
    #expect(bench.engine.pool[id]?.queue.unanswered == 1)
    bench.expectNothingHeld()
    // Without a restart.
    let again = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `that a file is in use is written soon after the disk has refused that`() throws {
    func hint() throws -> WallTime? {
      try bench.data.registry.load().workspaces.first { $0.id == id }?.nextWakeAt
    }
    try bench.restart()
    #expect(try hint() == .never)
    try bench.stored(id)
    #expect(try hint() == nil)
    let workspace = try #require(bench.engine.pool[id])
    bench.engine.registry.setWake(id, .never)
    try bench.data.registry.commit([
      .pulses([WorkspacePulse(try #require(bench.engine.directory.workspace(id)?.row))])
    ])
    workspace.unmarkBusy()
    workspace.markBusy()
    failing(SQLITE_FULL) { bench.turn() }
    #expect(try hint() == .never)
    #expect(
      try #require(bench.engine.nextDeadline()) <= bench.now.instant + bench.limits.markRetry)
    bench.wait(bench.limits.markRetry)
    #expect(try hint() == nil)
  }

  @Test func `results and polls of the same turn go on without its sends`() throws {
    try bench.stored(id, "one")
    try bench.stored(id, "two")
    let held = try bench.take(id)
    var send: CallID = 0
    var result: CallID = 0
    var poll: PollID = 0
    try failing(SQLITE_FULL, stays: false) {
      send = try bench.send(id)
      result = try bench.result(id, held)
      poll = bench.poll(id)
      bench.turn()
    }
    #expect(bench.replies[send]?.delivered == "no")
    #expect(bench.replies[poll]?.entries.count == 1)
    #expect(bench.replies[result] == nil)
    bench.sync()
    #expect(bench.replies[result]?.json["status"]?.string == "accepted")
    bench.expectNothingHeld()
    try bench.restart(isClean: false)
    try bench.stored(id, "three")
    #expect(bench.engine.pool[id]?.queue.unanswered == 2)
  }

  @Test func `when nothing can be written everybody is told, and can try again`() throws {
    try bench.stored(id, "one")
    try bench.stored(id, "two")
    try bench.stored(id, "three")
    let first = try bench.take(id)
    let second = try bench.take(id)
    var calls: [CallID] = []
    try failing(SQLITE_FULL) {
      calls = [
        try bench.result(id, first), bench.agent(id, second, .release(delay: .zero, reason: "")),
        bench.poll(id),
      ]
      bench.turn()
    }
    for call in calls {
      #expect(bench.replies[call]?.code == "not_stored" && bench.replies[call]?.status == 503)
    }
    bench.expectNothingHeld()
    let result = try bench.result(id, first)
    bench.sync()
    #expect(bench.replies[result]?.status == 200)
    bench.wait(.seconds(2))
    // The refused hand-out counts for nothing.
    let attempts = [try bench.take(id), try bench.take(id)].map { $0.json["attempt"]?.int }
    #expect(attempts == [2, 1])
  }

  @Test func `while the disk is full an agent keeps its lease and its result`() throws {
    try bench.stored(id, "one")
    let held = try bench.take(id)
    for _ in 0..<20 {
      var result: CallID = 0
      try failing(SQLITE_FULL) {
        result = try bench.result(id, held)
        bench.turn()
      }
      #expect(bench.replies[result]?.status == 503)
      #expect(bench.replies[result]?.header("Retry-After") == "5")
      bench.wait(.seconds(30))
      let poll = bench.poll(id, wait: .zero)
      bench.sync()
      #expect(bench.replies[poll]?.entries.isEmpty == true, "it is with nobody else")
    }
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.json["status"]?.string == "accepted")
    #expect(bench.replies[result]?.json["late"] == nil)
  }

  @Test func `the reserve is given up when space ends, and taken again when there is enough`()
    throws
  {
    let plenty: Int64 = 1 << 40
    var free = plenty
    bench.engine.disk.freeBytes = { _ in free }
    bench.engine.checkDisk()
    #expect(bench.data.room.reserve.isHeld)
    #expect(bench.engine.metrics.disk?.isReserveHeld == true && !bench.engine.isDiskLow)
    try bench.stored(id, "one")
    let held = try bench.take(id)
    free = 4096
    var send: CallID = 0
    var result: CallID = 0
    try failing(SQLITE_FULL) {
      send = try bench.send(id)
      result = try bench.result(id, held)
      bench.turn()
    }
    bench.sync()
    #expect(bench.replies[send]?.reason == "DISK_FULL" && bench.replies[send]?.delivered == "no")
    #expect(bench.replies[result]?.code == "not_stored")
    free = bench.data.room.plan.reserve
    bench.engine.checkDisk()
    result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.json["status"]?.string == "accepted")
    #expect(!bench.data.room.reserve.isHeld)
    #expect(bench.engine.metrics.disk?.isReserveHeld == false && bench.engine.isDiskLow)
    // What it has given back is for results, also where that is above the mark.
    let plan = bench.data.room.plan
    free = plan.highWater + 2 * plan.reserve
    bench.engine.checkDisk()
    let later = try bench.send(id)
    bench.sync()
    #expect(bench.replies[later]?.reason == "DISK_FULL")
    free += 1
    bench.engine.checkDisk()
    #expect(bench.data.room.reserve.isHeld && !bench.engine.isDiskLow)
    try bench.stored(id, "two")
    #expect(bench.engine.metrics.disk?.isReserveHeld == true)
  }

  @Test func `a read that waits for its barrier is answered though the next commit is refused`()
    throws
  {
    let message = try bench.stored(id)
    bench.poll(id)
    bench.turn()
    var get: CallID = 0
    try failing(SQLITE_FULL) {
      get = try bench.getTask(id, message.text)
      try bench.send(id) { $0.messageID = "m-2" }
      bench.turn()
    }
    #expect(bench.replies[get] == nil)
    bench.sync()
    #expect(bench.replies[get]?.task?["id"]?.string == message.text)
  }

  @Test func `a cancel and a withdrawal that are refused leave their message as it is`() throws {
    let strict = try bench.create(whenOffline: .error)
    let message = try bench.stored(id)
    let call = try bench.send(strict) { $0.hold = .seconds(5) }
    bench.sync()
    var cancel: CallID = 0
    try failing(SQLITE_FULL) {
      cancel = try bench.cancelTask(id, message.text)
      bench.advance(.seconds(5))
      bench.turn()
    }
    #expect(bench.replies[cancel]?.reason == "NOT_STORED")
    #expect(bench.replies[call]?.delivered == "unknown")
    bench.sync()
    bench.expectNothingHeld()
    #expect(bench.engine.pool[strict]?.queue.unanswered == 1)
    let again = try bench.cancelTask(id, message.text)
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_CANCELED")
  }

  @Test func `a refused registration can be made again, and so can a workspace`() throws {
    let new = WorkspaceID(UUIDBytes(high: 5, low: 6))
    let registration = Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false)
    var calls: [CallID] = []
    for isFull in [true, false] {
      calls = [bench.engine.nextCall(), bench.engine.nextCall()]
      bench.engine.registry.workspaces.create(
        calls[0], id: new, name: "", settings: Settings(), now: bench.now)
      bench.engine.registry.workspaces.register(
        calls[1], registration, identity: nil, mode: .claim, now: bench.now)
      if isFull {
        failing(SQLITE_FULL) { bench.turn() }
        for call in calls { #expect(bench.replies[call]?.code == "not_stored") }
        #expect(bench.engine.directory.workspace(new) == nil)
        #expect(bench.engine.directory.workspace(id)?.isClaimed == false)
      }
      bench.sync()
      bench.expectNothingHeld()
    }
    #expect(bench.replies[calls[0]]?.status == 201)
    #expect(bench.replies[calls[1]]?.json["auth_token"] != nil)
  }

  // MARK: final for the workspace

  @Test func `a file that fails for good closes its workspace and no other`() throws {
    let other = try bench.create()
    try bench.stored(other)
    let held = try bench.send(id) { $0.messageID = "held" }
    let entry = try bench.stored(id, "with-agent")
    try bench.stored(id, "third")
    let taken = try bench.take(id)
    let second = try bench.take(id)
    var calls: [CallID] = []
    // On its way to the disk: committed, not synced.
    let result = try bench.result(id, second)
    bench.turn()
    try failing(Self.ioRead) {
      calls = [
        try bench.result(id, taken), try bench.send(id) { $0.messageID = "new" },
        try bench.cancelTask(id, entry.text), bench.poll(id), bench.poll(id),
        try bench.getTask(id, entry.text),
      ]
      bench.turn()
    }
    #expect(bench.engine.fatal == nil)
    #expect(bench.engine.pool.failed == [id])
    for call in calls { #expect(bench.replies[call] != nil, "\(call - calls[0])") }
    #expect(bench.replies[held]?.delivered == "unknown", "it is stored")
    #expect(bench.replies[calls[1]]?.reason == "WORKSPACE_UNAVAILABLE")
    #expect(bench.replies[calls[1]]?.delivered == "unknown")
    #expect(bench.replies[calls[2]]?.rpcCode == -32603)
    #expect(bench.replies[calls[3]]?.code == "workspace_unavailable")
    #expect(bench.replies[result]?.code == "outcome_unknown")
    bench.sync()
    bench.expectNothingHeld()
    #expect(bench.engine.pool.cacheAccount.bytes == bench.engine.pool[other]?.cache[1]?.bytes)
    let later = [
      try bench.send(id), bench.poll(id), bench.agent(id, taken, .claim),
      try bench.getTask(id, entry.text),
    ]
    bench.wait(.seconds(1000))
    for call in later { #expect(bench.replies[call] != nil) }
    #expect(bench.replies[later[1]]?.status == 503)
    try bench.result(other, try bench.take(other))
    bench.sync()
    bench.engine.shutDown(now: bench.now)
    bench.sync()
    #expect(bench.engine.isIdle)
  }

  @Test func `a file that cannot be opened closes its workspace and no other`() throws {
    let other = try bench.create()
    bench.engine.close(now: bench.now)
    try bench.restart(isClean: false)
    try Data(repeating: 7, count: 8192).write(to: URL(filePath: bench.data.path(of: id)))
    let call = try bench.send(id)
    let poll = bench.poll(id)
    bench.turn()
    #expect(bench.replies[call]?.reason == "WORKSPACE_UNAVAILABLE")
    #expect(bench.replies[poll]?.status == 503)
    #expect(bench.engine.pool.failed == [id])
    try bench.stored(other)
  }

  // MARK: final for the process

  @Test func `after a failed write nothing is committed and nobody is told success`() throws {
    let other = try bench.create()
    let registered = bench.engine.nextCall()
    let send = try bench.send(id) { $0.isBlocking = false }
    bench.turn()
    let before = bench.replies.count
    let next = try bench.send(id) { $0.messageID = "m-2" }
    let neighbour = try bench.send(other) { $0.isBlocking = false }
    bench.engine.registry.workspaces.register(
      registered, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
      identity: .admin, mode: .claim, now: bench.now)
    failing(Self.ioWrite, stays: false) { bench.turn() }
    #expect(bench.engine.fatal?.isFinalForProcess == true)
    #expect(!bench.isWaitingForBarrier || bench.replies.count == before)
    bench.sync()
    // Not even what was committed before: the server tells all of them "unknown".
    for call in [send, next, neighbour, registered] { #expect(bench.replies[call] == nil) }
    bench.engine.close(now: bench.now)
    try bench.restart(isClean: false)
    #expect(bench.engine.directory.workspace(id)?.isClaimed == false)
    try bench.send(other) { $0.isBlocking = false }
    #expect(bench.engine.pool[other]?.queue.lastSeq == 1)
  }
}
