import CSQLite
import Foundation
import Relay
import Testing

@testable import Store

/// Files that have gone back while no relay ran: a log cut at the end of a transaction is whole as
/// far as it goes.
@Suite struct ProgressTests {
  let scratch: Scratch
  private let place = "workspaces/ab/\(workspace.text).db"

  init() throws { scratch = try Scratch() }

  private var copy: String { scratch.path + "/copy" }

  /// The directory as `kill -9` leaves it, with a log that was cut; the original stays.
  private func cut(_ name: String, to bytes: Int64) throws {
    if Files.exists(copy) { try FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: scratch.data, toPath: copy)
    try Files.cut("\(copy)/\(name)-wal", to: bytes)
  }

  private func openCopy(isAfterRollback: Bool = false) throws -> DataDirectory {
    try DataDirectory(
      path: copy, limits: Limits(), kernelBoot: "boot-1", isAfterRollback: isAfterRollback)
  }

  private func change(_ file: String, _ sql: String) throws {
    var handle: OpaquePointer?
    #expect(sqlite3_open_v2(file, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    #expect(sqlite3_close(handle) == SQLITE_OK)
    if !Files.exists(file + "-wal") { _ = try Files.create(file + "-wal") }
  }

  /// A directory that was killed, and the sizes of a workspace's log after each transaction: five
  /// messages, then an answer that counts. What `noted` of them had come to is noted.
  private func kill(noting noted: Int) throws -> [Int64] {
    let directory = try scratch.open()
    _ = try directory.registry.raiseBoot()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    try directory.registry.commit([.createWorkspace(row)])
    var sizes = [Files.size(file.path + "-wal")]
    for seq in 1...6 {
      try file.commit(
        seq < 6 ? [.message(newMessage(Seq(seq)))] : [.answer(answer(1))], counts: seq == 6)
      sizes.append(Files.size(file.path + "-wal"))
      if seq == noted { try directory.registry.commit([.progress([workspace: file.progress])]) }
    }
    file.abandon()
    directory.registry.abandon()
    return sizes
  }

  private var row: RegisteredWorkspace {
    RegisteredWorkspace(id: workspace, name: "Ada", org: "default", createdAt: start, card: [])
  }

  @Test(arguments: [0, 3, 6])
  func `a log that was cut is found if it lacks what was noted, and only then`(noted: Int) throws {
    let sizes = try kill(noting: noted)
    #expect(Set(sizes).count == 7)
    for (transactions, size) in [(0, 0)] + Array(sizes.enumerated()) {
      try cut(place, to: size)
      let directory = try openCopy()
      if transactions < noted {
        for _ in 0..<2 {
          let error = #expect(throws: StoreError.self) {
            try directory.openWorkspaceFile(workspace)
          }
          #expect(error?.kind == .corrupt)
          #expect(error?.message.contains("--accept-loss \(workspace.text)") == true)
        }
      } else {
        #expect(try directory.openWorkspaceFile(workspace).progress == Int64(transactions))
      }
    }
  }

  @Test func `what is left is kept once the loss is accepted, and what follows is noted`() throws {
    let sizes = try kill(noting: 6)
    try cut(place, to: sizes[4])
    let directory = try openCopy()
    guard case .behind = try directory.acceptLoss(of: workspace, now: start) else {
      Issue.record("it is behind")
      return
    }
    #expect(try directory.acceptLoss(of: workspace, now: start) == .nothingLost)
    let file = try directory.openWorkspaceFile(workspace)
    let recovered = try file.recover(now: start)
    #expect(recovered.messages.count == 4 && recovered.doubtfulUpTo == 4)
    #expect(file.progress == 6)
    try file.commit([.message(newMessage(5))])
    #expect(file.progress == 7)
  }

  @Test func `an empty file in the place of a lost one is not behind it`() throws {
    _ = try kill(noting: 6)
    try cut(place, to: 0)
    try Files.remove("\(copy)/\(place)")
    let directory = try openCopy()
    #expect(try directory.acceptLoss(of: workspace, now: start) == .missing)
    #expect(try directory.openWorkspaceFile(workspace).progress == 6)
  }

  @Test func `a workspace that is purged and made again owes nothing`() throws {
    _ = try kill(noting: 6)
    let directory = try scratch.open()
    try directory.deleteWorkspaceFile(workspace)
    try directory.registry.commit([.deleteWorkspace(workspace)])
    #expect(try directory.createWorkspaceFile(workspace, now: start).progress == 0)
  }

  @Test func `deleting messages lowers nothing`() throws {
    let directory = try scratch.open()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    try file.commit([.message(newMessage(1)), .message(newMessage(2)), .answer(answer(2))])
    try file.commit([.delete(seq: 2, tombstone: nil)], counts: true)
    #expect(file.progress == 3)
    try file.sync()
    try file.close()
    #expect(try directory.openWorkspaceFile(workspace).progress == 3)
  }

  @Test func `a start of a build without notes makes them worthless`() throws {
    let sizes = try kill(noting: 6)
    try cut(place, to: sizes[3])
    try change(copy + "/relay.db", "UPDATE meta SET value = value + 1 WHERE key = 'boot'")
    do {
      let directory = try openCopy()
      #expect(try directory.openWorkspaceFile(workspace).progress == 3)
      _ = try directory.registry.raiseBoot()
    }
    let directory = try openCopy()
    #expect(try directory.openWorkspaceFile(workspace).progress == 3)
    #expect(try directory.registry.database.number("SELECT count(*) FROM meta") > 0)
    #expect(
      try directory.registry.database.number(
        "SELECT count(*) FROM meta WHERE key LIKE 'progress/%'") == 0)
  }

  @Test func `notes go on to count over a start`() throws {
    _ = try kill(noting: 6)
    _ = try scratch.open().registry.raiseBoot()
    #expect(try scratch.open().registry.notedProgress(of: workspace) == 6)
  }

  // MARK: relay.db

  /// Killed with `noted` of five transactions noted in relay.lock.
  private func killRegistry(noting noted: Int) throws -> [Int64] {
    let directory = try scratch.open()
    _ = try directory.registry.raiseBoot()
    var sizes: [Int64] = []
    for number in 1...5 {
      try directory.registry.commit([.createOrg(RegisteredOrg(id: "\(number)", name: ""))])
      sizes.append(Files.size(scratch.data + "/relay.db-wal"))
      if number == noted { try directory.note(registryProgress: directory.registry.progress) }
    }
    directory.registry.abandon()
    return sizes
  }

  @Test(arguments: [0, 2, 5])
  func `the log of the registry is compared with what is noted beside it`(noted: Int) throws {
    let sizes = try killRegistry(noting: noted)
    for (index, size) in sizes.enumerated() {
      try cut("relay.db", to: size)
      if index + 1 < noted {
        let error = #expect(throws: StoreError.self) { try openCopy() }
        #expect(error?.message.contains("serve --after-rollback") == true)
      } else {
        #expect(try openCopy().registry.load().orgs.count { $0.id != "default" } == index + 1)
      }
    }
    try cut("relay.db", to: 0)
    if noted > 0 {
      #expect(throws: StoreError.self) { try openCopy() }
    } else {
      _ = try openCopy()
    }
  }

  @Test func `an older registry goes on as one after a rollback, and from then on as any`() throws {
    let sizes = try killRegistry(noting: 5)
    try cut("relay.db", to: sizes[1])
    do {
      let directory = try openCopy(isAfterRollback: true)
      try directory.beginLife(random: 7, at: start)
      #expect(try directory.registry.load().orgs.count { $0.id != "default" } == 2)
      directory.registry.abandon()
    }
    _ = try openCopy()
  }

  @Test func `a registry that is gone is not made anew where there was one`() throws {
    _ = try killRegistry(noting: 5)
    try cut("relay.db", to: 0)
    for name in ["relay.db", "relay.db-wal"] { try Files.remove("\(copy)/\(name)") }
    #expect(throws: StoreError.self) { try openCopy() }
    #expect(!Files.exists(copy + "/relay.db"))
  }

  @Test(arguments: ["", "12345", "12345\nrelay.db 99 3", "relay.db 99 9223372036854775708\n"])
  func `what is no whole record says nothing`(text: String) throws {
    _ = try killRegistry(noting: 0)
    try cut("relay.db", to: 0)
    let padded = text.hasPrefix("12345\n") ? "12345" + String(repeating: " ", count: 26) : ""
    try Data((padded + text.dropFirst(padded.isEmpty ? 0 : 5)).utf8)
      .write(to: URL(filePath: copy + "/relay.lock"))
    _ = try openCopy()
  }
}
