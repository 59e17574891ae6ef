import Relay
import Store
import Testing
import Wire

@testable import Engine

/// A receipt opens no file: it waits in memory until the file is open for something else.
@Suite struct HeldReceiptTests {
  let bench: Bench
  let ids: [WorkspaceID]

  init() throws {
    bench = try Bench {
      $0.openWorkspacesMax = 2
      $0.receiptsHeldMax = 3
    }
    ids = try (0..<6).map { [bench] _ in try bench.create() }
  }

  /// A send that has its Task, whose receipt has not come.
  private func sent(_ id: WorkspaceID, _ name: String = "m-1") throws -> Shown {
    let call = try bench.send(id) { ($0.messageID, $0.isBlocking) = (name, false) }
    bench.sync()
    return try #require(bench.replies[call])
  }

  private func receive(_ reply: Shown) {
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
  }

  private func closeAll(but id: WorkspaceID) throws {
    for other in ids.filter({ $0 != id }).prefix(3) { _ = try sent(other, "other-\(bench.now)") }
    #expect(bench.engine.pool[id]?.isOpen != true)
  }

  /// Whether an equal call attaches, which it does while nothing has been received.
  private func attaches(_ reply: Shown, _ id: WorkspaceID) throws -> Bool {
    try sent(id).messageID == reply.messageID
  }

  @Test func `a receipt of a workspace that is only a file opens none`() throws {
    let reply = try sent(ids[0])
    try closeAll(but: ids[0])
    #expect(bench.engine.pool[ids[0]] == nil)
    let opened = bench.engine.pool.files.openedEver
    receive(reply)
    bench.sync()
    #expect(bench.engine.pool.files.openedEver == opened && bench.engine.pool[ids[0]] == nil)
    #expect(try !attaches(reply, ids[0]), "it counts as soon as the file is open")
  }

  @Test func `a file is closed while its receipt has not been written`() throws {
    let reply = try sent(ids[0])
    receive(reply)
    bench.turn()
    try closeAll(but: ids[0])
    #expect(bench.engine.pool[ids[0]]?.isOpen == false)
    #expect(bench.engine.pool[ids[0]]?.transaction.deferred.isEmpty == false)
    let opened = bench.engine.pool.files.openedEver
    bench.wait(.seconds(30))
    #expect(bench.engine.pool.files.openedEver == opened)
    #expect(try !attaches(reply, ids[0]))
    bench.wait(.seconds(2))
    try bench.restart(isClean: false)
    let file = try bench.engine.pool.workspace(ids[0], now: bench.now).file
    #expect(try file.message(try #require(reply.messageID).seq)?.isReceived == true)
  }

  @Test(arguments: [false, true])
  func `nobody uses the file again, and the sweep writes the receipt`(isInMemory: Bool) throws {
    let reply = try sent(ids[0])
    if isInMemory { receive(reply) }
    try closeAll(but: ids[0])
    if !isInMemory { receive(reply) }
    bench.wait(bench.limits.receiptHeldTime)
    for _ in 0..<4 { bench.wait(.milliseconds(25)) }
    bench.wait(.seconds(2))
    try bench.restart(isClean: false)
    #expect(try !attaches(reply, ids[0]))
  }

  @Test(arguments: [false, true])
  func `an orderly end writes the receipts that wait`(isInMemory: Bool) throws {
    let reply = try sent(ids[0])
    if isInMemory { receive(reply) }
    try closeAll(but: ids[0])
    if !isInMemory { receive(reply) }
    bench.turn()
    try bench.restart()
    #expect(try !attaches(reply, ids[0]))
  }

  @Test func `more receipts than are held are written at once`() throws {
    var replies: [Shown] = []
    for id in ids { replies.append(try sent(id)) }
    for reply in replies { receive(reply) }
    for _ in 0..<20 { bench.wait(.milliseconds(30)) }
    #expect(!bench.engine.pool.receipts.hasRoom(3) && bench.engine.pool.receipts.hasRoom(4))
    for (id, reply) in zip(ids, replies) { #expect(try !attaches(reply, id)) }
  }

  @Test func `receipts of a workspace that is purged are forgotten`() throws {
    let reply = try sent(ids[0])
    try closeAll(but: ids[0])
    receive(reply)
    #expect(bench.engine.pool.receipts.absent == [ids[0]])
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), ids[0], purge: true, actor: "admin", now: bench.now)
    for _ in 0..<40 { bench.wait(.milliseconds(25)) }
    #expect(bench.engine.directory.removed[ids[0]] == nil)
    #expect(bench.engine.pool.receipts.absent.isEmpty && bench.engine.pool.receipts.hasRoom(1))
  }
}
