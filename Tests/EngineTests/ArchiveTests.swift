import Archive
import Foundation
import Relay
import Store
import System
import Testing
import Wire

@testable import Engine

/// Backups of a relay at work, and what another relay makes of them.
@Suite struct ArchiveTests {
  let bench: Bench
  let id: WorkspaceID
  private var folder: String { bench.path + "-backup" }

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private func begin(_ workspace: WorkspaceID? = nil) throws {
    try? FileManager.default.removeItem(atPath: folder)
    #expect(try bench.backUp(folder, workspace).status == 202)
  }

  /// To the end of the backup or import; `between` is called between its turns.
  private func run(between: () throws -> Void = {}) throws {
    while let due = bench.engine.backups.runs.nextDue {
      bench.advance(max(.zero, .nanoseconds(due.nanoseconds - bench.now.instant.nanoseconds)))
      if bench.engine.backups.turn(now: bench.now) != nil {
        try between()
        bench.engine.backups.synced(code: 0, now: bench.now)
      }
      try between()
    }
  }

  private func importing(into other: Bench) -> CallID {
    let call = other.engine.nextCall()
    other.engine.backups.startImport(call, folder, actor: "admin", now: other.now)
    while let due = other.engine.backups.runs.nextDue {
      other.advance(max(.zero, .nanoseconds(due.nanoseconds - other.now.instant.nanoseconds)))
      if other.engine.backups.turn(now: other.now) != nil {
        other.engine.backups.synced(code: 0, now: other.now)
      }
      other.turn()
    }
    other.sync()
    return call
  }

  private var state: String? { bench.backupJSON["state"]?.string }

  private func restored() throws -> Bench {
    let other = try Bench()
    other.engine.close(now: other.now)
    try FileManager.default.removeItem(atPath: other.path)
    _ = try Restore.restore(folder, to: other.path, random: 3, at: bench.now.wall)
    try other.restart()
    return other
  }

  @Test func `earlier messages, answers and leases are in the copy, and the leases are void there`()
    throws
  {
    let answered = try bench.stored(id, "m-1")
    try bench.result(id, try bench.take(id))
    bench.sync()
    try bench.stored(id, "m-2")
    let held = try bench.take(id)
    let waiting = try bench.stored(id, "m-3")
    try begin()
    try run()
    #expect(state == "done")
    #expect(try Check.run(folder).findings == [])

    let other = try restored()
    #expect(other.engine.pool.boot > bench.engine.pool.boot + 2048)
    #expect(try other.timeline(id, answered)["state"]?.string == "answered")
    // What was leased when the backup was made is offered again after the grace, marked.
    let first = try other.take(id)
    other.wait(.seconds(310))
    other.wait(.seconds(5))
    let again = [first, try other.take(id)]
    #expect(again.map(\.message) == [waiting, held.message])
    #expect(again.allSatisfy { $0.json["redelivered"]?.bool == true })
    #expect(again.allSatisfy { $0.fence > held.fence })
    try other.result(id, again[0])
    other.sync()
  }

  @Test func `a relay at work loses nothing to its backup, nor the backup to the work`() throws {
    try bench.stored(id, "m-0")
    let second = try bench.create()
    try begin()
    var number = 0
    try run {
      number += 1
      try bench.stored(number % 2 == 0 ? id : second, "w-\(number)")
    }
    #expect(state == "done" && number > 5)
    #expect(try Check.run(folder).findings == [])
    let messages = bench.backupJSON["messages"]?.int ?? 0
    #expect(messages >= 1)
    #expect(try restored().engine.directory.workspaces.count == 2)
  }

  @Test func `a file that is opened for the backup alone is let go when it is needed`() throws {
    try bench.stored(id, "m-1")
    try bench.restart()
    #expect(bench.engine.pool.all.isEmpty)
    try begin()
    var used = 0
    try run {
      guard used == 0, bench.engine.backups.runs.source?.isLending == true else { return }
      used += 1
      try bench.stored(id, "m-2")
    }
    #expect(used == 1 && state == "done")
    #expect(try Manifest(of: folder).files.last?.messages == 2)
    #expect(try Check.run(folder).findings == [])
  }

  @Test func `many workspaces and few open files: each is in it, whoever is in use meanwhile`()
    throws
  {
    var limits = Limits()
    limits.openWorkspacesMax = 2
    limits.backupSliceBytes = 8192
    let bench = try Bench(limits: limits)
    var ids: [WorkspaceID] = []
    for _ in 0..<6 { ids.append(try bench.create()) }
    for (number, id) in ids.enumerated() { try bench.stored(id, "before-\(number)") }
    let folder = bench.path + "-backup"
    #expect(try bench.backUp(folder).status == 202)
    var number = 0
    while let due = bench.engine.backups.runs.nextDue {
      bench.advance(max(.zero, .nanoseconds(due.nanoseconds - bench.now.instant.nanoseconds)))
      if bench.engine.backups.turn(now: bench.now) != nil {
        bench.engine.backups.synced(code: 0, now: bench.now)
      }
      number += 1
      if number % 4 == 0 { try bench.stored(ids[number / 4 % 6], "during-\(number)") }
      try #require(number < 2000)
    }
    #expect(bench.backupJSON["state"]?.string == "done")
    #expect(bench.backupJSON["unreadable"]?.array?.isEmpty == true)
    let manifest = try Manifest(of: folder)
    #expect(manifest.files.compactMap(\.workspace).count == 6 && manifest.messages >= 6)
    #expect(try Check.run(folder).findings == [])
  }

  @Test func `a failed destination is the backup's failure, and the relay goes on`() throws {
    try begin()
    #expect(bench.engine.backups.turn(now: bench.now) == nil)
    try FileManager.default.removeItem(atPath: folder)
    try run()
    #expect(state == "failed")
    #expect(bench.backupJSON["error"]?.string?.isEmpty == false)
    #expect(bench.engine.fatal == nil)
    try bench.stored(id, "m-1")
    bench.expectNothingHeld()
    try begin()
    try run()
    #expect(state == "done")
  }

  @Test func `a directory that cannot be one is refused before anything is done`() throws {
    for folder in ["relative", "/nowhere/at/all", bench.path + "/inside", "/tmp", "/tmp/x/"] {
      #expect(try bench.backUp(folder).code == "bad_request", "\(folder)")
    }
    try begin()
    #expect(try bench.backUp(folder + "2").code == "backup_running")
    #expect(try bench.data.registry.audit(limit: 10).count { $0.action == "relay.backup" } == 1)
    bench.engine.shutDown(now: bench.now)
    #expect(state == "failed")
    bench.sync()
  }

  @Test func `a workspace goes from relay to relay with its messages`() throws {
    let waiting = try bench.stored(id, "m-1")
    try begin(id)
    try run()
    #expect(state == "done")
    let other = try Bench()
    let call = importing(into: other)
    #expect(other.replies[call]?.status == 201)
    #expect(other.replies[call]?.json["messages"]?.int == 1)
    let held = try other.take(id)
    #expect(held.message == waiting && held.json["redelivered"]?.bool == true)
    let again = other.engine.nextCall()
    other.engine.backups.startImport(again, folder, actor: "admin", now: other.now)
    other.sync()
    #expect(other.replies[again]?.code == "not_importable")
    try other.restart()
    #expect(other.engine.directory.workspace(id) != nil)
  }

  @Test func `its org, secrets and tokens come with it, and count at once`() throws {
    let engine = bench.engine
    engine.registry.orgs.create(
      engine.nextCall(), RegisteredOrg(id: "acme", name: "Acme"), actor: "admin", now: bench.now)
    bench.sync()
    let made = WorkspaceID(UUIDBytes(high: 3, low: 9))
    engine.registry.workspaces.create(
      engine.nextCall(), id: made, name: "n", settings: Settings(), org: "acme", now: bench.now)
    bench.sync()
    engine.registry.secrets.set(
      engine.nextCall(), "KEY", "x", of: made, by: "admin", now: bench.now)
    let minted = engine.nextCall()
    engine.registry.tokens.mint(
      minted, for: made, TokenWish(life: .seconds(3600)), actor: "admin", now: bench.now)
    bench.sync()
    let token = try #require(bench.replies[minted]?.json["auth_token"]?.string)
    try begin(made)
    try run()
    let other = try Bench()
    let call = importing(into: other)
    #expect(other.replies[call]?.status == 201)
    for isRestarted in [false, true] {
      if isRestarted { try other.restart() }
      let directory = other.engine.directory
      #expect(directory.orgs["acme"]?.name == "Acme")
      #expect(directory.secrets[made]["KEY"]?.value == "x")
      #expect(directory.identity(ofSecret: token, at: other.now.wall) == .workspace(made))
      #expect(other.engine.registry.tokens.care.deathCount == 1)
    }
  }

  @Test func `what is left of a purged workspace's tokens is not in the way of its return`() throws
  {
    let minted = bench.engine.nextCall()
    bench.engine.registry.tokens.mint(minted, for: id, TokenWish(), actor: "admin", now: bench.now)
    bench.sync()
    let token = try #require(bench.replies[minted]?.json["auth_token"]?.string)
    try begin(id)
    try run()
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: true, actor: "admin", now: bench.now)
    for _ in 0..<20 { bench.wait(.milliseconds(25)) }
    #expect(bench.engine.directory.endedToken(Array(token.utf8)[...]) != nil)
    let call = importing(into: bench)
    #expect(bench.replies[call]?.status == 201)
    for isRestarted in [false, true] {
      if isRestarted { try bench.restart() }
      let directory = bench.engine.directory
      #expect(directory.identity(ofSecret: token, at: bench.now.wall) == .workspace(id))
      #expect(directory.endedToken(Array(token.utf8)[...]) == nil)
    }
  }

  @Test func `one that was removed before its export is not imported`() throws {
    var row = try #require(bench.engine.directory.workspace(id)?.row)
    row.state = .removed
    row.removedAt = bench.now.wall
    try bench.data.registry.commit([.updateWorkspace(row)])
    try begin(id)
    try run()
    let other = try Bench()
    let call = importing(into: other)
    #expect(other.replies[call]?.code == "not_importable")
    #expect(other.replies[call]?.text.contains("removed") == true)
    #expect(other.engine.directory.workspace(id) == nil && other.engine.directory.removed.isEmpty)
  }
}
