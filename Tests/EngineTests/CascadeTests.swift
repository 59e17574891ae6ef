import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Removing a workspace that others stand below; and removals that meet other changes.
@Suite struct CascadeTests {
  let bench: Bench
  /// The first is above the second, and that above the third; the last stands beside them.
  let ids: [WorkspaceID]
  let tokens: [String]
  var engine: Engine { bench.engine }

  init() throws {
    let bench = try Bench(vfs: "fault")
    self.bench = bench
    ids = try (0..<4).map { _ in try bench.create() }
    tokens = try ids.map { try Self.register(bench, $0) }
    for (child, parent) in zip(ids[1...2], ids) { move(child, below: parent) }
    bench.sync()
  }

  private static func register(_ bench: Bench, _ id: WorkspaceID) throws -> String {
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.register(
      call, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
      identity: .admin, mode: .claim, now: bench.now)
    bench.sync()
    return try #require(bench.replies[call]?.json["auth_token"]?.string)
  }

  @discardableResult
  private func move(_ id: WorkspaceID, below parent: WorkspaceID?) -> CallID {
    change(id, WorkspaceChange(name: nil, parent: .some(parent), settings: SettingsChange()))
  }

  private func change(_ id: WorkspaceID, _ change: WorkspaceChange) -> CallID {
    let call = engine.nextCall()
    engine.registry.workspaces.change(call, id, change, actor: "admin", now: bench.now)
    return call
  }

  private func remove(
    _ id: WorkspaceID, purge: Bool = false, isConfirmed: Bool = false
  ) -> CallID {
    let call = engine.nextCall()
    engine.registry.removals.remove(
      call, id, purge: purge, isConfirmed: isConfirmed, actor: "admin", now: bench.now)
    return call
  }

  private func restore(_ id: WorkspaceID) -> CallID {
    let call = engine.nextCall()
    engine.registry.removals.restore(call, id, actor: "admin", now: bench.now)
    return call
  }

  private func settle() { for _ in 0..<20 { bench.wait(.milliseconds(25)) } }
  private var live: [WorkspaceID] { ids.filter { engine.directory.workspace($0) != nil } }
  private var opening: [WorkspaceID] {
    zip(ids, tokens).filter {
      engine.directory.identity(ofSecret: $0.1, at: bench.now.wall) == .workspace($0.0)
    }.map(\.0)
  }

  @Test(arguments: [false, true])
  func `without a word for those below it nothing is removed`(purge: Bool) throws {
    let call = remove(ids[0], purge: purge)
    bench.sync()
    let answer = try #require(bench.replies[call])
    #expect(answer.status == 409 && answer.code == "confirmation_required")
    #expect(answer.json["status"]?.string == "confirmation_required")
    #expect(answer.json["message"]?.string != nil && answer.json["error"]?.string != nil)
    #expect(answer.json["children"]?.array?.map(\.string) == [ids[1].text])
    #expect(answer.json["children_count"]?.int == 1)
    #expect(live == ids && opening == ids)
    let stored = try bench.data.registry.load()
    #expect(stored.workspaces.allSatisfy { $0.state == .active })
    #expect(try bench.data.registry.audit(limit: 1).first?.action != "workspace.remove")
  }

  @Test(arguments: [false, true])
  func `confirmed it goes with all that is below it, and nothing else`(purge: Bool) throws {
    let held = try bench.send(ids[2])
    bench.sync()
    let call = remove(ids[0], purge: purge, isConfirmed: true)
    #expect(opening == [ids[3]], "all their tokens are dead at once")
    settle()
    let answer = try #require(bench.replies[call])
    #expect(answer.json["status"]?.string == (purge ? "purged" : "removed"))
    #expect(answer.json["id"]?.string == ids[0].text)
    #expect(answer.json["cascade_deleted"]?.int == 2)
    #expect(bench.replies[held]?.reason == "WORKSPACE_REMOVED")
    for isRestarted in [false, true] {
      if isRestarted { try bench.restart(isClean: false) }
      #expect(live == [ids[3]] && opening == [ids[3]])
      #expect(engine.directory.removed.count == (purge ? 0 : 3))
      for id in ids[0...2] {
        #expect(FileManager.default.fileExists(atPath: bench.data.path(of: id)) == !purge)
      }
    }
    bench.expectNothingHeld()
  }

  @Test(arguments: [false, true])
  func `a refused removal of a tree leaves the tree`(purge: Bool) throws {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let call = remove(ids[0], purge: purge, isConfirmed: true)
    #expect(live == [ids[3]])
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[call]?.code == "not_stored")
    #expect(live == ids && opening == ids)
    #expect(engine.directory.children(of: ids[0]) == [ids[1]])
    #expect(engine.directory.children(of: ids[1]) == [ids[2]])
    bench.expectNothingHeld()
    let again = remove(ids[0], purge: purge, isConfirmed: true)
    settle()
    #expect(bench.replies[again]?.json["cascade_deleted"]?.int == 2)
  }

  @Test func `a child that is being removed does not count`() throws {
    let child = remove(ids[1], isConfirmed: true)
    let parent = remove(ids[0])
    bench.sync()
    #expect(bench.replies[child]?.json["cascade_deleted"]?.int == 1)
    #expect(bench.replies[parent]?.json["cascade_deleted"]?.int == 0)
  }

  @Test func `what is on its way below it counts, and is told when it is there`() throws {
    let moved = move(ids[3], below: ids[2])
    let asked = remove(ids[2])
    bench.turn()
    #expect(bench.replies[asked] == nil, "the move may not be on the disk yet")
    bench.sync()
    #expect(bench.replies[moved]?.status == 200)
    #expect(bench.replies[asked]?.json["children"]?.array?.map(\.string) == [ids[3].text])
    // One that is being made cannot be removed yet, and so neither what is above it.
    let made = engine.nextCall()
    let new = WorkspaceID(UUIDBytes(high: 1, low: 9))
    engine.registry.workspaces.create(
      made, id: new, name: "n", settings: Settings(), parent: ids[3], now: bench.now)
    let early = [remove(new), remove(ids[0], isConfirmed: true)]
    bench.sync()
    #expect(bench.replies[made]?.status == 201)
    for call in early { #expect(bench.replies[call]?.code == "not_stored") }
    let all = remove(ids[0], isConfirmed: true)
    bench.sync()
    #expect(bench.replies[all]?.json["cascade_deleted"]?.int == 4)
  }

  @Test func `a tree that is too large for one turn is refused`() throws {
    var limits = Limits()
    limits.cascadeMax = 2
    let bench = try Bench(limits: limits)
    let ids = try (0..<4).map { _ in try bench.create() }
    for child in ids.dropFirst() {
      bench.engine.registry.workspaces.change(
        bench.engine.nextCall(), child,
        WorkspaceChange(name: nil, parent: .some(ids[0]), settings: SettingsChange()), actor: "a",
        now: bench.now)
    }
    bench.sync()
    for isConfirmed in [false, true] {
      let call = bench.engine.nextCall()
      bench.engine.registry.removals.remove(
        call, ids[0], purge: false, isConfirmed: isConfirmed, actor: "admin", now: bench.now)
      bench.sync()
      let answer = try #require(bench.replies[call])
      #expect(answer.status == (isConfirmed ? 400 : 409))
      if !isConfirmed {
        #expect(answer.json["children"]?.array?.count == 2)
        #expect(answer.json["children_count"]?.int == 3)
      }
    }
    #expect(bench.engine.directory.workspaces.count == 4)
  }

  // MARK: removals that meet other changes

  @Test func `what became durable before a removal was refused is kept`() throws {
    let id = ids[3]
    let renamed = change(id, WorkspaceChange(name: "new", parent: nil, settings: SettingsChange()))
    let minted = engine.nextCall()
    engine.registry.tokens.mint(minted, for: id, TokenWish(), actor: "admin", now: bench.now)
    let rotated = engine.nextCall()
    engine.registry.tokens.rotate(
      rotated, of: id, grace: .zero, own: nil, actor: "admin", now: bench.now)
    bench.turn()
    let call = remove(id)
    // The barrier of the others reports before the removal is committed, and refused.
    engine.barrierPassed(engine.commits.lastRound, now: bench.now)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    bench.turn()
    fault_arm(0, 0, 0, 0)
    bench.sync()
    #expect(bench.replies[call]?.code == "not_stored")
    #expect(bench.replies[renamed]?.status == 200)
    #expect(engine.directory.workspace(id)?.row.name == "new")
    func opens(_ call: CallID) -> Bool {
      let secret = bench.replies[call]?.json["auth_token"]?.string ?? ""
      return engine.directory.identity(ofSecret: secret, at: bench.now.wall) != nil
    }
    #expect(opens(rotated) && !opens(minted) && !opening.contains(id))
  }

  @Test func `while it comes back it cannot be removed, and soon after it can`() throws {
    let id = ids[3]
    _ = remove(id)
    settle()
    let back = restore(id)
    let early = [remove(id), remove(id, purge: true)]
    bench.sync()
    #expect(bench.replies[back]?.status == 200)
    for call in early { #expect(bench.replies[call]?.code == "not_stored") }
    #expect(live.contains(id))
    let again = remove(id)
    bench.sync()
    #expect(bench.replies[again]?.status == 200 && !live.contains(id))
  }

  @Test func `nothing is restored below itself`() throws {
    move(ids[0], below: ids[3])
    bench.sync()
    _ = remove(ids[0], isConfirmed: true)
    settle()
    // The child comes back first, and what was above both is hung below it.
    let child = restore(ids[1])
    bench.sync()
    move(ids[3], below: ids[1])
    bench.sync()
    let call = restore(ids[0])
    bench.sync()
    #expect(bench.replies[child]?.json["parent_id"]?.string == ids[0].text)
    #expect(bench.replies[call]?.code == "bad_request")
    move(ids[3], below: nil)
    bench.sync()
    let again = restore(ids[0])
    bench.sync()
    #expect(bench.replies[again]?.status == 200)
    #expect(engine.directory.children(of: ids[0]) == [ids[1]])
  }

  @Test func `a removed workspace keeps its secrets until it is purged, over a restart too`() throws
  {
    let id = ids[3]
    engine.registry.secrets.set(engine.nextCall(), "KEY", "x", of: id, by: "admin", now: bench.now)
    _ = remove(id)
    settle()
    try bench.restart(isClean: false)
    settle()
    _ = restore(id)
    bench.sync()
    #expect(engine.directory.secrets[id]["KEY"]?.value == "x")
    _ = remove(id, purge: true)
    settle()
    #expect(engine.directory.secrets[id].isEmpty && engine.directory.secrets.bytes == 0)
    #expect(try bench.data.registry.load().secrets.isEmpty)
  }

  @Test func `the purge of what was removed long enough ago has its deadline`() throws {
    _ = remove(ids[3])
    settle()
    let due = bench.now.instant + bench.limits.removedKeep
    #expect(try #require(engine.nextDeadline()) <= due)
    bench.advance(bench.limits.removedKeep)
    #expect(try #require(engine.nextDeadline()) <= bench.now.instant)
    settle()
    #expect(engine.directory.removed.isEmpty)
  }
}
