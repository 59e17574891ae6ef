import CSQLite
import Foundation
import Relay
import Store
import Testing

/// What a start finds after the process, or the machine, has died.
@Suite struct RecoveryTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Ends without closing anything, as after `kill -9`: the files are copied as they lie.
  private func killed(_ rounds: [[Write]]) throws -> Scratch {
    let next = try Scratch()
    let directory = try scratch.open()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    for writes in rounds { try file.commit(writes) }
    try directory.registry.commit([.createOrg(RegisteredOrg(id: "o", name: "Org"))])
    file.markSynced()
    // The copies take no lock away: this process opens no second relay on the originals.
    try FileManager.default.copyItem(atPath: scratch.data, toPath: next.data)
    file.abandon()
    return next
  }

  @Test func `committed rounds are there after a kill, and their WAL is cut at open`() throws {
    let next = try killed([[.message(newMessage(1))], [.handOut(handOut(1, fence: 9))]])
    let wal = "\(next.data)/workspaces/ab/\(workspace.text).db-wal"
    #expect(size(wal) > 0)
    let file = try next.open().openWorkspaceFile(workspace)
    #expect(size(wal) == 0)
    let found = try file.recover(now: start)
    #expect(found.messages.map(\.seq) == [1])
    #expect(found.handOuts.map(\.fence.number) == [9])
    #expect(!found.isAfterPowerCut)
  }

  @Test func `a file under the name of another workspace is not used`() throws {
    let next = try killed([[.message(newMessage(1))]])
    let directory = try next.open()
    let path = directory.path(of: workspace)
    let other = WorkspaceID("ab000000-0000-4000-8000-000000000002")!
    try FileManager.default.copyItem(atPath: path, toPath: directory.path(of: other))
    try FileManager.default.copyItem(
      atPath: path + "-wal", toPath: directory.path(of: other) + "-wal")
    let file = try directory.openWorkspaceFile(other)
    defer { file.abandon() }
    let error = #expect(throws: StoreError.self) { try file.recover(now: start) }
    #expect(error?.kind == .corrupt && error?.message.contains("another workspace") == true)
  }

  @Test func `a WAL that this process has closed well is appended to`() throws {
    let store = try Reopened(scratch, [])
    try store.file.commit([.message(newMessage(1))])
    store.file.markSynced()
    try store.file.close()
    let again = try store.directory.openWorkspaceFile(workspace)
    #expect(size(again.path + "-wal") > 0)
    #expect(try again.message(1) != nil)
  }

  @Test func `a WAL that this process has abandoned is cut like a stranger's`() throws {
    let store = try Reopened(scratch, [])
    try store.file.commit([.message(newMessage(1))])
    store.file.abandon()
    let again = try store.directory.openWorkspaceFile(workspace)
    #expect(size(again.path + "-wal") == 0)
    #expect(try again.message(1) != nil)
  }

  @Test func `after a power cut everything unanswered is doubtful, also at the next start`() throws
  {
    do {
      let store = try Reopened(scratch, [[.message(newMessage(1)), .message(newMessage(2))]])
      try store.file.close()
    }
    do {
      let directory = try scratch.open(boot: "boot-2")
      #expect(try directory.registry.isAfterPowerCut() == false)
      let file = try directory.openWorkspaceFile(workspace)
      let found = try file.recover(now: start)
      #expect(found.isAfterPowerCut)
      #expect(found.doubtfulUpTo == 2)
      try file.commit([.message(newMessage(3))])
      file.abandon()
    }
    let found = try scratch.open(boot: "boot-2").openWorkspaceFile(workspace).recover(now: start)
    #expect(!found.isAfterPowerCut)
    #expect(found.doubtfulUpTo == 2)
    #expect(found.messages.map(\.seq) == [1, 2, 3])
  }

  @Test func `how often a message came back untouched is read from its hand-outs`() throws {
    let store = try Reopened(scratch, [[.message(newMessage(1))]])
    let kinds: [HandOutChange.Kind?] = [.unburnt, .lost, .unburnt, .withheld, .unburnt, nil]
    var counts: [Int?] = []
    for (index, kind) in kinds.enumerated() {
      let fence = Int64(index + 1)
      var writes: [Write] = [.handOut(handOut(1, fence: fence))]
      if let kind {
        writes.append(
          .handOutChange(
            HandOutChange(
              seq: 1, fence: Fence(number: fence), kind: kind, at: start, leaseEnd: start)))
      }
      try store.file.commit(writes)
      counts.append(try store.file.recover(now: start).untouchedInARow[1])
    }
    #expect(counts == [1, nil, 1, 1, 2, 2])
    let claim = HandOutChange(
      seq: 1, fence: Fence(number: 6), kind: .claimed, at: start, leaseEnd: start)
    try store.file.commit([.handOutChange(claim)])
    #expect(try store.file.recover(now: start).untouchedInARow[1] == nil)
  }

  @Test func `a missing file is final for its workspace and is not made anew`() throws {
    let directory = try scratch.open()
    let error = #expect(throws: StoreError.self) { try directory.openWorkspaceFile(workspace) }
    #expect(error?.kind == .workspaceFatal)
    #expect(!FileManager.default.fileExists(atPath: directory.path(of: workspace)))
  }

  @Test func `a file that is no database is corrupt`() throws {
    let directory = try scratch.open()
    let path = directory.path(of: workspace)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) { try directory.openWorkspaceFile(workspace) }
    #expect(error?.kind == .corrupt)
  }

  @Test func `another program's database is not taken for a queue`() throws {
    do { try scratch.open().createWorkspaceFile(workspace, now: start).close() }
    let directory = try scratch.open()
    let path = directory.path(of: workspace)
    try execute("PRAGMA application_id = 1", path)
    if !Files.exists(path + "-wal") { _ = try Files.create(path + "-wal") }
    let error = #expect(throws: StoreError.self) { try directory.openWorkspaceFile(workspace) }
    #expect(error?.kind == .corrupt)
  }

  @Test func `a newer schema is refused and left as it is`() throws {
    do { try scratch.open().createWorkspaceFile(workspace, now: start).close() }
    let directory = try scratch.open()
    let path = directory.path(of: workspace)
    try execute("PRAGMA user_version = 2", path)
    if !Files.exists(path + "-wal") { _ = try Files.create(path + "-wal") }
    let error = #expect(throws: StoreError.self) { try directory.openWorkspaceFile(workspace) }
    #expect(error?.kind == .newerSchema)
    #expect(error?.isFinalForWorkspace == true)
    #expect(try number("PRAGMA user_version", path) == 2)
  }

  @Test func `a WAL with a second name is refused`() throws {
    let directory = try scratch.open()
    try directory.createWorkspaceFile(workspace, now: start).close()
    let path = directory.path(of: workspace)
    try FileManager.default.linkItem(atPath: path + "-wal", toPath: path + "-elsewhere")
    let error = #expect(throws: StoreError.self) { try directory.openWorkspaceFile(workspace) }
    #expect(error?.kind == .workspaceFatal)
  }
}
