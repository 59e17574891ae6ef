import API
import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// The end of a workspace, and its return.
@Suite struct RemovalTests {
  let bench: Bench
  let id: WorkspaceID
  let token: String

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.register(
      call, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
      identity: .admin, mode: .claim, now: bench.now)
    bench.sync()
    token = try #require(bench.replies[call]?.json["auth_token"]?.string)
  }

  @discardableResult
  private func remove(purge: Bool = false) -> CallID {
    let call = bench.engine.nextCall()
    registry.removals.remove(call, id, purge: purge, actor: "admin", now: bench.now)
    return call
  }

  private func restore() -> CallID {
    let call = bench.engine.nextCall()
    registry.removals.restore(call, id, actor: "admin", now: bench.now)
    return call
  }

  private var registry: Registry { bench.engine.registry }
  private var file: String { bench.data.path(of: id) }
  private func settle() { for _ in 0..<20 { bench.wait(.milliseconds(25)) } }
  private var identity: Identity? {
    bench.engine.directory.identity(ofSecret: token, at: bench.now.wall)
  }

  @Test func `everybody who waits is told, and every message ends`() throws {
    // One message in each state.
    let held = try bench.send(id) { $0.messageID = "leased" }
    bench.sync()
    _ = try bench.take(id)
    try bench.send(id) { $0.messageID = "offered" }
    bench.sync()
    _ = try bench.take(id, confirm: true)
    try bench.send(id) { $0.messageID = "asks" }
    bench.sync()
    let asked = try bench.take(id)
    try bench.result(id, asked, state: "input-required")
    try bench.stored(id, "queued")
    let poll = bench.poll(id, consumer: nil)
    bench.sync()
    #expect(bench.replies[poll]?.entries.count == 1)
    let parked = bench.poll(id)
    bench.sync()

    let call = remove()
    #expect(identity == nil, "its tokens are dead at once")
    #expect(bench.replies[held] == nil && bench.replies[parked] == nil)
    bench.sync()
    #expect(bench.replies[call]?.json["status"]?.string == "removed")
    #expect(bench.replies[held]?.reason == "WORKSPACE_REMOVED")
    #expect(bench.replies[held]?.rpcCode == -32603)
    #expect(bench.replies[parked]?.status == 410)
    #expect(bench.replies[parked]?.json["deleted"] == true)
    settle()
    #expect(bench.engine.pool[id]?.queue.isOpen == false)
    let tasks = try #require(bench.engine.pool[id]?.file)
    for seq in Seq(1)...4 {
      #expect(try tasks.task(seq)?.state == .canceled)
    }
    #expect(try tasks.message(1)?.reason == .workspaceRemoved)
    bench.expectNothingHeld()
  }

  @Test func `a purge whose turn comes while a restore fails is made later`() throws {
    remove()
    settle()
    bench.advance(bench.limits.removedKeep)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let call = restore()
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[call]?.code == "not_stored")
    bench.wait(.seconds(61))
    settle()
    #expect(bench.engine.directory.removed.isEmpty)
  }

  @Test(arguments: [nil, true, false] as [Bool?])
  func `a job ends with its workspace, and stays stopped when that is restored`(
    restartIsClean: Bool?
  ) throws {
    for number in 0..<6 {
      let message = try bench.stored(id, "m-\(number)")
      #expect(try bench.cancel(id, message).status == 200)
    }
    let job = try bench.job(id, .replay, .cancelled, rate: 1).json["job"]
    remove()
    bench.sync()
    if let restartIsClean { try bench.restart(isClean: restartIsClean) }
    settle()
    bench.wait(.seconds(30))
    settle()
    #expect(bench.engine.pool[id]?.jobState.nextStep == nil && registry.removals.nextToClose == nil)
    let call = restore()
    bench.sync()
    #expect(bench.replies[call]?.status == 200)
    bench.wait(.seconds(30))
    #expect(try bench.job(id, job)["state"] == "stopped")
    #expect(try bench.list(id, .queued).ids.isEmpty)
  }

  @Test func `a job makes no step while the removal is on its way to the disk`() throws {
    for number in 0..<6 {
      let message = try bench.stored(id, "m-\(number)")
      #expect(try bench.cancel(id, message).status == 200)
    }
    _ = try bench.job(id, .replay, .cancelled, rate: 1)
    let before = bench.engine.pool[id]?.queue.lastSeq
    bench.advance(.seconds(3))
    bench.sync()
    let moved = bench.engine.pool[id]?.queue.lastSeq
    #expect(moved ?? 0 > before ?? 0, "it steps as long as the workspace is there")
    remove()
    bench.advance(.seconds(3))
    bench.turn()
    #expect(bench.engine.pool[id]?.queue.lastSeq == moved)
  }

  @Test func `a look that takes many turns ends with the workspace`() throws {
    let bench = try Bench { $0.listRowsMax = 1 }
    let id = try bench.create()
    for number in 0..<9 { try bench.stored(id, "m-\(number)") }
    let operation = bench.operation()
    var filter = MessageFilter()
    filter.states = .queued
    let wish = JobRequest(verb: .purge, filter: filter, ids: [], rate: 1, isDryRun: true)
    bench.engine.operators.startJob(operation, wish, at: id, now: bench.now)
    bench.turn()
    #expect(bench.replies[operation.call] == nil)
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: false, actor: "admin", now: bench.now)
    bench.sync()
    #expect(bench.replies[operation.call]?.code == "workspace_removed")
    #expect(bench.engine.pool[id]?.jobState.scans.isEmpty ?? true)
  }

  @Test func `a removed workspace is unknown to callers, and its id stays taken`() throws {
    remove()
    bench.sync()
    let send = try bench.send(id)
    bench.sync()
    #expect(bench.replies[send]?.reason == "NOT_FOUND")
    let again = bench.engine.nextCall()
    registry.workspaces.create(again, id: id, name: "n", settings: Settings(), now: bench.now)
    #expect(bench.engine.replies.take().first?.error == .workspaceRemoved)
    #expect(bench.engine.directory.page(after: nil, 10)?.ids.isEmpty == true)
    let twice = remove()
    bench.sync()
    #expect(bench.replies[twice]?.status == 410)
  }

  private var listed: [WorkspaceID] {
    bench.engine.directory.page(after: nil, 10, areRemoved: true)?.ids ?? []
  }

  @Test func `what can be restored is listed in the order of its removal`() throws {
    let others = try (0..<2).map { _ in try bench.create() }
    for other in [others[1], id, others[0]] {
      registry.removals.remove(
        bench.engine.nextCall(), other, purge: false, actor: "admin", now: bench.now)
      bench.wait(.seconds(1))
    }
    settle()
    #expect(listed == [others[1], id, others[0]])
    let entry = bench.renderer.registry.removedEntry(registry.directory.removed[id])
    #expect(entry?["removed_at"]?.string != entry?["restore_until"]?.string)
    try bench.restart(isClean: false)
    settle()
    #expect(listed == [others[1], id, others[0]])
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let refused = remove(purge: true)
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[refused]?.code == "not_stored" && listed == [others[1], id, others[0]])
    remove(purge: true)
    bench.passBarrier()
    #expect(listed == [others[1], others[0]], "before its file has gone")
    settle()
    #expect(listed == [others[1], others[0]])
    #expect(bench.renderer.registry.removedEntry(registry.directory.removed[id]) == nil)
    registry.removals.restore(bench.engine.nextCall(), others[1], actor: "admin", now: bench.now)
    bench.sync()
    #expect(listed == [others[0]])
    bench.wait(bench.limits.removedKeep)
    settle()
    #expect(listed.isEmpty)
  }

  @Test func `restored it has its messages, and its tokens stay dead`() throws {
    let message = try bench.stored(id)
    remove()
    bench.turn()
    let early = restore()
    bench.turn()
    #expect(bench.replies[early]?.code == "not_stored", "it is not durable yet")
    #expect(bench.replies[early]?.json["removing"]?.bool == true)
    settle()
    for isRestarted in [false, true] {
      if isRestarted {
        remove()
        settle()
        try bench.restart(isClean: false)
        settle()
      }
      let call = restore()
      bench.sync()
      #expect(bench.replies[call]?.json["id"]?.string == id.text)
      #expect(identity == nil)
      #expect(try bench.timeline(id, message)["reason"]?.string == "workspace_removed")
      try bench.stored(id, "after-\(isRestarted)")
      _ = try bench.take(id)
    }
  }

  @Test func `a refused removal changes nothing`() throws {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let calls = [remove(), remove(purge: true)]
    bench.turn()
    fault_arm(0, 0, 0, 0)
    for call in calls { #expect(bench.replies[call]?.code == "not_stored") }
    #expect(identity == .workspace(id) && ended == nil)
    #expect(bench.engine.directory.workspace(id) != nil && listed.isEmpty)
  }

  @Test(arguments: [false, true])
  func `purged nothing is left, and the id can be used again`(isRemovedBefore: Bool) throws {
    let held = try bench.send(id)
    bench.sync()
    if isRemovedBefore {
      remove()
      settle()
    }
    let call = remove(purge: true)
    settle()
    #expect(bench.replies[call]?.json["status"]?.string == "purged")
    #expect(bench.replies[held]?.reason == "WORKSPACE_REMOVED")
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
    #expect(bench.engine.directory.removed.isEmpty && bench.engine.pool[id] == nil)
    let again = bench.engine.nextCall()
    registry.workspaces.create(again, id: id, name: "n", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[again]?.status == 201)
    #expect(identity == nil)
    bench.expectNothingHeld()
  }

  private var ended: Directory.EndedToken? {
    bench.engine.directory.endedToken(Array(token.utf8)[...])
  }

  @Test(arguments: [false, true])
  func `its agent can be told, over restarts, for as long as a dead token is known`(
    isPurged: Bool
  ) throws {
    #expect(ended == nil)
    remove(purge: isPurged)
    #expect(ended?.isDurable == false, "that may still fail")
    settle()
    #expect(ended?.isDurable == true && ended?.workspace == id)
    let at = ended?.at
    for isClean in [true, false] {
      try bench.restart(isClean: isClean)
      settle()
      #expect(ended?.isDurable == true && ended?.at == at)
    }
    // By itself a removed workspace is purged long before that.
    for _ in 0..<2 {
      bench.wait(bench.limits.deadTokenKept / 2 - .seconds(60))
      settle()
      #expect(ended != nil)
    }
    #expect(bench.engine.directory.removed.isEmpty)
    bench.wait(.seconds(180))
    settle()
    #expect(ended == nil)
    try bench.restart()
    #expect(ended == nil)
  }

  @Test func `a restored workspace's token is a dead one, and so it stays when it goes again`()
    throws
  {
    remove()
    settle()
    _ = restore()
    bench.sync()
    #expect(ended == nil)
    bench.advance(.seconds(1))
    remove(purge: true)
    settle()
    #expect(bench.engine.directory.removed.isEmpty && ended == nil)
  }

  @Test func `the remembered tokens of purged workspaces are bounded`() throws {
    let small = try Bench { $0.purgedTokensMax = 1 }
    var tokens: [String] = []
    for _ in 0..<2 {
      let id = try small.create()
      let call = small.engine.nextCall()
      small.engine.registry.workspaces.register(
        call, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
        identity: .admin, mode: .claim, now: small.now)
      small.sync()
      tokens.append(try #require(small.replies[call]?.json["auth_token"]?.string))
      small.engine.registry.removals.remove(
        small.engine.nextCall(), id, purge: true, actor: "admin", now: small.now)
      for _ in 0..<20 { small.wait(.milliseconds(25)) }
    }
    func known() -> [Bool] {
      tokens.map { small.engine.directory.endedToken(Array($0.utf8)[...]) != nil }
    }
    #expect(known() == [true, false])
    try small.restart()
    #expect(known() == [true, false])
  }

  @Test func `what was removed long enough ago is purged`() throws {
    remove()
    settle()
    bench.wait(bench.limits.removedKeep)
    settle()
    #expect(bench.engine.directory.removed.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  // MARK: crashes, by states that were made by hand

  @Test func `a crash before the messages had ended is made good`() throws {
    try bench.stored(id)
    remove()
    bench.sync()
    try bench.restart(isClean: false)
    #expect(identity == nil && bench.engine.directory.workspace(id) == nil)
    settle()
    #expect(registry.removals.nextToClose == nil)
    let call = restore()
    bench.sync()
    #expect(bench.replies[call]?.status == 200)
    let poll = bench.poll(id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.status == 204)
  }

  @Test(arguments: [0, 1, 2])
  func `a crash while it is purged is made good`(step: Int) throws {
    try bench.stored(id)
    var row = try #require(bench.engine.directory.workspace(id)?.row)
    row.state = .purging
    row.removedAt = bench.now.wall
    try bench.data.registry.commit([.updateWorkspace(row)])
    try bench.restart(isClean: false)
    if step > 0 { try FileManager.default.removeItem(atPath: file + "-wal") }
    if step > 1 { try FileManager.default.removeItem(atPath: file) }
    settle()
    #expect(bench.engine.directory.removed.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: file))
    try bench.restart()
    #expect(bench.engine.directory.removed.isEmpty && bench.engine.directory.workspaces.isEmpty)
  }

  @Test(arguments: [false, true])
  func `a file that a crash left without its row is replaced only if it is empty`(
    isUsed: Bool
  ) throws {
    if isUsed { try bench.stored(id) }
    try bench.data.registry.commit([.deleteWorkspace(id)])
    try bench.restart(isClean: false)
    let call = bench.engine.nextCall()
    registry.workspaces.create(call, id: id, name: "n", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.status == (isUsed ? 409 : 201))
    #expect(FileManager.default.fileExists(atPath: file))
  }
}
