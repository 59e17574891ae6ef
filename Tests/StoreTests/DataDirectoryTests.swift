import Foundation
import Relay
import Store
import Testing

@Suite struct DataDirectoryTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func `a new directory is private and complete`() throws {
    let directory = try scratch.open()
    let attributes = try FileManager.default.attributesOfItem(atPath: directory.path)
    #expect(attributes[.posixPermissions] as? Int == 0o700)
    for name in ["relay.lock", "relay.db", "workspaces", "removed"] {
      #expect(FileManager.default.fileExists(atPath: "\(directory.path)/\(name)"))
    }
  }

  @Test func `a second relay is refused and told who is there`() throws {
    let first = try scratch.open()
    let error = #expect(throws: StoreError.self) { try scratch.open() }
    #expect(error?.kind == .busy)
    let told = "another relay (process \(getpid())) uses this data directory"
    #expect(error?.description.hasSuffix(told) == true)
    withExtendedLifetime(first) {}
  }

  @Test func `the lock ends with the relay that held it`() throws {
    do { _ = try scratch.open() }
    _ = try scratch.open()
  }

  @Test func `a workspace's file lies where its id says`() throws {
    let directory = try scratch.open()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    #expect(file.path == "\(scratch.data)/workspaces/ab/\(workspace.text).db")
    #expect(try directory.workspaceFiles() == [workspace])
  }

  @Test func `rows without a file and files without a row are told apart`() throws {
    let directory = try scratch.open()
    let other = WorkspaceID(UUIDBytes(high: 0xCD00, low: 2))
    _ = try directory.createWorkspaceFile(workspace, now: start)
    try directory.registry.commit([
      .createWorkspace(RegisteredWorkspace(id: other, name: "b", org: "o", createdAt: start))
    ])
    let found = try directory.mismatches(try directory.registry.load())
    #expect(found.rowsWithoutFile == [other])
    #expect(found.filesWithoutRow == [workspace])
  }

  @Test func `a file in the place of a new one is left alone`() throws {
    let directory = try scratch.open()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    try file.commit([.message(newMessage(1))])
    file.markSynced()
    try file.close()
    #expect(throws: StoreError.self) { try directory.createWorkspaceFile(workspace, now: start) }
    #expect(try directory.openWorkspaceFile(workspace).message(1) != nil)
  }

  @Test func `what a crash left of an unfinished file is no obstacle`() throws {
    let directory = try scratch.open()
    let draft = directory.path(of: workspace) + ".draft"
    try FileManager.default.createDirectory(
      atPath: (draft as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data([1, 2, 3]).write(to: URL(filePath: draft))
    #expect(try directory.workspaceFiles().isEmpty)
    _ = try directory.createWorkspaceFile(workspace, now: start)
    #expect(!FileManager.default.fileExists(atPath: draft))
  }

  @Test func `a removed file keeps what its WAL holds`() throws {
    let directory = try scratch.open()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    try file.commit([.message(newMessage(1))])
    file.markSynced()
    try file.close()
    try directory.removeWorkspaceFile(workspace)
    #expect(try directory.workspaceFiles().isEmpty)
    let removed = "\(scratch.data)/removed/\(workspace.text).db"
    #expect(try number("SELECT count(*) FROM message", removed) == 1)
    _ = try directory.createWorkspaceFile(workspace, now: start)
  }

  @Test func `file systems are known by their magic number`() {
    #expect(FileSystem(magic: 0xEF53) == .ext4)
    #expect(FileSystem(magic: 0x5846_5342).supportsSyncfs)
    #expect(FileSystem(magic: 0x9123_683E) == .btrfs)
    #expect(!FileSystem(magic: 0x0102_1994).supportsSyncfs)
  }
}
