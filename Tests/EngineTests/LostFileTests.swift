import Foundation
import Relay
import Store
import Testing

@testable import Engine

/// Files that are deleted, moved, replaced or cut while they are open: writing and syncing them
/// succeeds, and nobody will ever read what they hold.
@Suite struct LostFileTests {
  let bench: Bench
  let id: WorkspaceID
  let sound: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
    sound = try bench.create()
    try bench.stored(id, "before")
    try bench.stored(sound, "before")
  }

  /// Something that somebody does to a file or a folder.
  enum Harm: String, CaseIterable {
    case deleted, moved, replaced, cut

    func happen(to path: String) throws {
      let files = FileManager.default
      switch self {
      case .deleted: try files.removeItem(atPath: path)
      case .moved: try files.moveItem(atPath: path, toPath: path + "-backup")
      case .replaced:
        try files.copyItem(atPath: path, toPath: path + "-backup")
        try Files.rename(path + "-backup", to: path)
      case .cut: #expect(truncate(path, 32) == 0)
      }
    }
  }

  private static let ofProcess: [(String, Harm)] = [
    ("", .deleted), ("", .moved), ("/relay.lock", .deleted), ("/relay.lock", .replaced),
    ("/relay.db", .deleted), ("/relay.db", .moved), ("/relay.db", .replaced), ("/relay.db", .cut),
    ("/relay.db-wal", .deleted), ("/relay.db-wal", .moved), ("/relay.db-wal", .replaced),
  ]

  @Test(arguments: ofProcess)
  func `nothing is acknowledged when the directory, its lock or the registry has gone`(
    name: String, harm: Harm
  ) throws {
    let send = try bench.send(id) { $0.isBlocking = false }
    bench.turn()
    #expect(bench.isWaitingForBarrier)
    try harm.happen(to: bench.path + name)
    bench.sync()
    // The server tells everybody "unknown", and ends.
    #expect(bench.replies[send] == nil)
    #expect(bench.engine.fatal?.isFinalForProcess == true)
    #expect(bench.engine.fatal?.path.hasSuffix(name) == true)
    #expect(bench.engine.unreadyReasons == [.writeFailed])
  }

  @Test(arguments: ofProcess) func `damage to the relay's own files is found when nobody calls`(
    name: String, harm: Harm
  ) throws {
    bench.engine.watchFiles()
    #expect(bench.engine.fatal == nil)
    try harm.happen(to: bench.path + name)
    bench.engine.watchFiles()
    #expect(bench.engine.fatal?.isFinalForProcess == true)
  }

  @Test func `a directory that was moved and replaced by a copy is not this relay's`() throws {
    try FileManager.default.moveItem(atPath: bench.path, toPath: bench.path + "-backup")
    try FileManager.default.copyItem(atPath: bench.path + "-backup", toPath: bench.path)
    bench.engine.watchFiles()
    #expect(bench.engine.fatal?.isFinalForProcess == true)
  }

  private static let ofWorkspace: [(String, Harm)] = [
    ("", .deleted), ("", .moved), ("", .replaced), ("-wal", .deleted), ("-wal", .moved),
    ("-wal", .replaced), ("-wal", .cut), ("", .cut),
  ]

  @Test(arguments: ofWorkspace)
  func `a workspace whose file has gone is unavailable, and the others go on`(
    suffix: String, harm: Harm
  ) throws {
    let message = try bench.stored(id, "other")
    let send = try bench.send(id) { $0.isBlocking = false }
    let read = try bench.getTask(id, message.text)
    bench.turn()
    // It has seen what no barrier has covered, and waits in the same round.
    let waiting = try bench.getTask(id, message.text)
    bench.turn()
    #expect(bench.replies[read] != nil && bench.replies[waiting] == nil)
    try harm.happen(to: bench.data.path(of: id) + suffix)
    bench.sync()
    #expect(bench.replies[send]?.delivered == "unknown")
    #expect(bench.replies[waiting]?.delivered == "unknown")
    #expect(bench.engine.pool.failed == [id] && bench.engine.fatal == nil)
    let later = try bench.send(id) { $0.messageID = "m-3" }
    bench.sync()
    #expect(bench.replies[later]?.reason == "WORKSPACE_UNAVAILABLE")
    try bench.stored(sound, "after")
    bench.expectNothingHeld()
  }

  @Test(arguments: ofWorkspace) func `damage to a workspace's file is found when nobody calls`(
    suffix: String, harm: Harm
  ) throws {
    bench.engine.watchFiles()
    #expect(bench.engine.pool.failed.isEmpty)
    try harm.happen(to: bench.data.path(of: id) + suffix)
    bench.engine.watchFiles()
    #expect(bench.engine.pool.failed == [id] && bench.engine.fatal == nil)
  }

  @Test(arguments: [
    ("", Harm.deleted), ("", .replaced), ("", .cut), ("-wal", .replaced), ("-wal", .cut),
  ])
  func `a file that has changed while it was closed is not used`(
    suffix: String, harm: Harm
  ) throws {
    let bench = try Bench { $0.openWorkspacesMax = 1 }
    let id = try bench.create()
    let other = try bench.create()
    try bench.stored(id, "one")
    try bench.stored(other, "two")
    #expect(bench.engine.pool[id]?.isOpen != true)
    try harm.happen(to: bench.data.path(of: id) + suffix)
    let send = try bench.send(id)
    bench.sync()
    #expect(bench.replies[send]?.reason == "WORKSPACE_UNAVAILABLE")
    try bench.stored(other, "three")
  }

  @Test func `many open files are looked at one part after the other`() throws {
    let bench = try Bench { $0.filesLookedAtMax = 2 }
    let ids = try (0..<5).map { _ in try bench.create() }
    for id in ids { try bench.stored(id) }
    for id in ids { try FileManager.default.removeItem(atPath: bench.data.path(of: id)) }
    for found in [2, 4, 5] {
      bench.engine.watchFiles()
      #expect(bench.engine.pool.failed.count == found)
    }
  }
}
