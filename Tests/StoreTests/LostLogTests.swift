import Foundation
import Relay
import Testing

@testable import Store

/// Write-ahead logs that are missing or damaged when a file is opened. SQLite takes what is whole
/// at their beginning and says nothing of the rest.
@Suite struct LostLogTests {
  let scratch: Scratch
  private let log: String

  init() throws {
    scratch = try Scratch()
    log = "\(scratch.data)/workspaces/ab/\(workspace.text).db-wal"
  }

  /// Ends as after `kill -9`, with `rounds` transactions in the log.
  private func kill(_ rounds: Int = 5, isAtRest: Bool = false) throws {
    let directory = try scratch.open()
    _ = try directory.registry.raiseBoot()
    let file = try directory.createWorkspaceFile(workspace, now: start)
    for seq in 1...rounds { try file.commit([.message(newMessage(Seq(seq)))]) }
    var row = RegisteredWorkspace(
      id: workspace, name: "Ada", org: "default", createdAt: start, card: [])
    if isAtRest { row.nextWakeAt = .never }
    try directory.registry.commit([.createWorkspace(row), .pulses([WorkspacePulse(row)])])
    file.abandon()
    directory.registry.abandon()
  }

  private func open(boot: String = "boot-1") throws -> Int {
    let directory = try scratch.open(boot: boot)
    let file = try directory.openWorkspaceFile(workspace)
    defer { file.abandon() }
    return try file.recover(now: start).messages.count
  }

  private func refusal(boot: String = "boot-1") -> StoreError? {
    #expect(throws: StoreError.self) { try open(boot: boot) }
  }

  private func flip(_ path: String, at place: Int) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[place] ^= 0x10
    try bytes.write(to: URL(filePath: path))
  }

  @Test func `a file that was in use is not opened without its log, until that is accepted`() throws
  {
    try kill()
    try FileManager.default.removeItem(atPath: log)
    for _ in 0..<2 {
      let error = refusal()
      #expect(error?.kind == .corrupt && error?.message.contains("touch \(log)") == true)
      #expect(!Files.exists(log))
    }
    _ = try Files.create(log)
    #expect(try open() == 0)
  }

  @Test func `a file at rest may have been closed by another program`() throws {
    try kill(isAtRest: true)
    try FileManager.default.removeItem(atPath: log)
    #expect(try open() == 0)
  }

  @Test func `a whole log is taken, and one that another boot has left is not doubted`() throws {
    try kill()
    #expect(try WALFormat.damage(log) == nil)
    #expect(try open() == 5)
    try kill2()
    try flip(log, at: 5000)
    #expect(try open(boot: "boot-2") < 7)
  }

  @Test func `after another boot the first log can be told damaged or lost, too`() throws {
    try kill()
    #expect(try open(boot: "boot-2") == 5)
    try kill2(boot: "boot-2")
    let whole = try Data(contentsOf: URL(filePath: log))
    try flip(log, at: 40)
    #expect(refusal(boot: "boot-2")?.kind == .corrupt)
    try FileManager.default.removeItem(atPath: log)
    #expect(refusal(boot: "boot-2")?.kind == .corrupt)
    try whole.write(to: URL(filePath: log))
    #expect(try open(boot: "boot-2") == 7)
  }

  private func kill2(boot: String = "boot-1") throws {
    let directory = try scratch.open(boot: boot)
    let file = try directory.openWorkspaceFile(workspace)
    for seq in 6...7 { try file.commit([.message(newMessage(Seq(seq)))]) }
    file.abandon()
  }

  @Test func `damage before the last transaction is found, wherever it is`() throws {
    try kill()
    let whole = try Data(contentsOf: URL(filePath: log))
    let frames = (whole.count - 32) / 4120
    let places =
      [3, 9, 20, 28]
      + (0..<frames - 8).flatMap { frame in
        [2, 6, 9, 13, 18, 22, 24, 2000, 4119].map { 32 + frame * 4120 + $0 }
      }
    for place in places {
      try whole.write(to: URL(filePath: log))
      try flip(log, at: place)
      #expect(try WALFormat.damage(log) != nil, "byte \(place)")
    }
    try whole.write(to: URL(filePath: log))
    try flip(log, at: 5000)
    let damaged = try Data(contentsOf: URL(filePath: log))
    let error = refusal()
    #expect(error?.kind == .corrupt && error?.message.contains("frame 2 is damaged") == true)
    #expect(error?.message.contains("truncate -s 4152 \(log)") == true)
    #expect(try Data(contentsOf: URL(filePath: log)) == damaged)
    // What the error names.
    try Files.cut(log, to: 4152)
    #expect(try open() == 0)
  }

  @Test func `frames of an earlier use of the log are no damage`() throws {
    try kill(40)
    let directory = try scratch.open()
    let file = try directory.openWorkspaceFile(workspace)
    for seq in 41...60 { try file.commit([.message(newMessage(Seq(seq)))]) }
    try file.checkpoint(.passive)
    try file.commit([.message(newMessage(61))])
    let size = Files.size(log)
    #expect(size > 32 + 20 * 4120)
    #expect(try WALFormat.damage(log) == nil)
    file.abandon()
    directory.registry.abandon()
  }

  @Test func `the registry is not opened without its log after a kill`() throws {
    try kill()
    let log = scratch.data + "/relay.db-wal"
    try FileManager.default.removeItem(atPath: log)
    #expect(refusal()?.message.contains("touch \(log)") == true)
    _ = try Files.create(log)
    do {
      let directory = try scratch.open()
      _ = try directory.registry.raiseBoot()
      try directory.registry.end()
    }
    try FileManager.default.removeItem(atPath: log)
    _ = try scratch.open()
  }

  @Test func `a damaged log of the registry is not opened`() throws {
    try kill()
    try flip(scratch.data + "/relay.db-wal", at: 5000)
    #expect(refusal()?.kind == .corrupt)
  }
}
