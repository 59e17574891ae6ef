import Relay
import Testing
import Wire

@testable import Engine

/// What leaves before a barrier, and what only behind it.
@Suite struct DurabilityTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  @Test func `a workspace is there for nobody before its barrier`() throws {
    let id = WorkspaceID(UUIDBytes(high: 1, low: 2))
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      call, id: id, name: "x", settings: Settings(), now: bench.now)
    bench.turn()
    #expect(bench.replies[call] == nil)
    #expect(bench.engine.directory.workspace(id) == nil)
    bench.sync()
    #expect(bench.replies[call]?.status == 201)
    #expect(bench.engine.directory.workspace(id) != nil)
  }

  @Test func `a token opens nothing before its barrier`() throws {
    let call = bench.engine.nextCall()
    let registration = Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false)
    bench.engine.registry.workspaces.register(
      call, registration, identity: nil, mode: .claim, now: bench.now)
    bench.turn()
    #expect(bench.replies[call] == nil)
    #expect(bench.engine.directory.workspace(id)?.isClaimed == false)
    bench.sync()
    let secret = try #require(bench.replies[call]?.json["auth_token"]?.string)
    #expect(
      bench.engine.directory.identity(ofSecret: secret, at: bench.now.wall) == .workspace(id))
  }

  @Test func `an immediate send is answered behind its barrier`() throws {
    let call = try bench.send(id) { $0.isBlocking = false }
    bench.turn()
    #expect(bench.replies[call] == nil && bench.isWaitingForBarrier)
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_SUBMITTED")
    #expect(bench.replies[call]?.messageID != nil)
  }

  @Test func `only one operation that waits for nothing else is alone in its round`() throws {
    let other = try bench.create()
    func send(_ place: WorkspaceID, _ name: String) throws {
      _ = try bench.send(place) {
        $0.isBlocking = false
        $0.messageID = name
      }
    }
    // With the first write to a file relay.db is told that something may come due in it.
    for place in [id, other] { try send(place, "0") }
    bench.sync()
    try send(id, "a")
    bench.turn()
    #expect(bench.wasLone)
    try send(id, "b")
    bench.turn()
    #expect(!bench.wasLone, "the first is still on its way")
    bench.sync()
    try send(id, "c")
    try send(id, "d")
    bench.turn()
    #expect(!bench.wasLone, "two in one file")
    bench.sync()
    try send(id, "e")
    try send(other, "f")
    bench.turn()
    #expect(!bench.wasLone, "two files")
    bench.sync()
    _ = try bench.send(id) {
      $0.isBlocking = false
      $0.messageID = "g"
      $0.text = String(repeating: "x", count: bench.limits.loopSyncBytesMax)
    }
    bench.turn()
    #expect(!bench.wasLone, "too large to be synced on the loop")
  }

  @Test func `a result is answered to both sides behind its barrier`() throws {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    let result = try bench.result(id, held)
    bench.turn()
    #expect(bench.replies[call] == nil && bench.replies[result] == nil)
    bench.sync()
    #expect(bench.replies[result]?.text == "{\"status\":\"accepted\"}")
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a release and a cancel are answered behind their barriers`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    let release = bench.agent(id, held, .release(delay: nil, reason: "busy"))
    bench.turn()
    #expect(bench.replies[release] == nil)
    bench.sync()
    #expect(bench.replies[release]?.status == 200)
    let cancel = try bench.cancelTask(id, message.text)
    bench.turn()
    #expect(bench.replies[cancel] == nil)
    bench.sync()
    #expect(bench.replies[cancel]?.state == "TASK_STATE_CANCELED")
  }

  @Test func `an entry leaves behind its commit, without a barrier`() throws {
    try bench.stored(id)
    let poll = bench.poll(id)
    #expect(bench.replies[poll] == nil)
    bench.turn()
    #expect(bench.replies[poll]?.entries.count == 1)
    #expect(!bench.isWaitingForBarrier)
  }

  @Test func `a parked poll gets a message only when that is durable`() throws {
    let poll = bench.poll(id)
    try bench.send(id)
    bench.turn()
    #expect(bench.replies[poll] == nil)
    bench.sync()
    #expect(bench.replies[poll]?.entries.first?["text"]?.string == "hello")
  }

  @Test func `a read of an unsynced file waits for the barrier that covers it`() throws {
    let message = try bench.stored(id)
    // The first row of a hand-out is committed and not synced.
    bench.poll(id)
    bench.turn()
    let get = try bench.getTask(id, message.text)
    let show = bench.engine.nextCall()
    bench.engine.callers.callerMessage(show, message, caller: .org("callers"), now: bench.now)
    bench.turn()
    #expect(bench.replies[get] == nil && bench.replies[show] == nil)
    #expect(bench.isWaitingForBarrier)
    bench.sync()
    #expect(bench.replies[get]?.status == 200)
    #expect(bench.replies[show]?.json["state"]?.string == "stored")
  }

  @Test func `a read of a clean file is answered at once`() throws {
    let message = try bench.stored(id)
    let get = try bench.getTask(id, message.text)
    bench.turn()
    #expect(bench.replies[get]?.state == "TASK_STATE_SUBMITTED")
    #expect(!bench.isWaitingForBarrier)
  }

  @Test func `a message that is being stored is not there for readers`() throws {
    let call = try bench.send(id)
    let message = try #require(bench.engine.callers.messageID(of: call))
    bench.turn()
    let show = bench.engine.nextCall()
    bench.engine.callers.callerMessage(show, message, caller: .org("callers"), now: bench.now)
    bench.turn()
    #expect(bench.replies[show]?.status == 404)
  }

  @Test func `barriers answer their rounds in order, one for several`() throws {
    let first = try bench.send(id) { $0.isBlocking = false }
    let one = try #require(bench.engine.endTurn(now: bench.now))
    let second = try bench.send(id) {
      $0.isBlocking = false
      $0.messageID = "m-2"
    }
    let two = try #require(bench.engine.endTurn(now: bench.now))
    bench.engine.barrierPassed(one.number, now: bench.now)
    #expect(bench.engine.replies.take().map(\.call) == [first])
    bench.engine.barrierPassed(two.number, now: bench.now)
    bench.engine.barrierPassed(two.number, now: bench.now)
    #expect(bench.engine.replies.take().map(\.call) == [second])
  }

  @Test func `a turn without work asks for no barrier`() {
    bench.turn()
    #expect(!bench.isWaitingForBarrier)
    bench.expectNothingHeld()
  }
}
