import Foundation
import Relay
import Store
import System
import Testing

@testable import Archive

/// A relay's data directory for one test, with workspaces whose messages the test writes.
final class ArchiveBench: BackupSource {
  let path: String
  private(set) var data: DataDirectory
  private(set) var open: [WorkspaceID: WorkspaceFile] = [:]
  /// Workspaces that cannot be read.
  var broken: Set<WorkspaceID> = []
  var limits = Limits()
  static let start = WallTime(nanoseconds: 1_700_000_000_000_000_000)

  var folder: String { path + "/backup" }
  var dataPath: String { path + "/data" }

  init(_ workspaces: Int = 2, messages: Int = 3) throws {
    path = NSTemporaryDirectory() + "archive-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    data = try DataDirectory(path: path + "/data", limits: Limits())
    limits.backupSliceBytes = 4096 * 4
    limits.backupSyncBytes = 4096 * 16
    _ = try data.registry.raiseBoot()
    for number in 0..<workspaces { try make(Self.id(number), messages: messages) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func id(_ number: Int) -> WorkspaceID {
    WorkspaceID(
      UUIDBytes(high: UInt64(number) << 56 | 0x4000, low: 0x8000_0000_0000_0000 | UInt64(number)))
  }

  static func token(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number + 1), count: 32) }

  func make(_ id: WorkspaceID, messages: Int = 0) throws {
    open[id] = try data.createWorkspaceFile(id, now: Self.start)
    try data.registry.commit([
      .createWorkspace(
        RegisteredWorkspace(
          id: id, name: "Ada", org: "default", createdAt: Self.start, card: Array("{}".utf8))),
      .addToken(
        RegisteredToken(
          hash: [UInt8](repeating: UInt8(truncatingIfNeeded: id.bytes.low) + 1, count: 32),
          workspace: id, org: "default", kind: .agent, createdAt: Self.start, fingerprint: "f")),
    ])
    if messages > 0 { for seq in 1...messages { try write(Seq(seq), at: id) } }
  }

  func write(_ seq: Seq, at id: WorkspaceID) throws {
    try open[id]?.commit([
      .message(
        NewMessage(
          seq: seq, tag: UInt64(seq), at: Self.start, expires: Self.start + .seconds(3600),
          caller: "admin", method: 1, dialect: 2, task: seq, context: "c", messageID: "m-\(seq)",
          dedup: UUIDBytes(high: 7, low: UInt64(seq)), rpcID: [0x31], head: Array("{}".utf8),
          body: [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: 9000), isImmediate: false)
      )
    ])
  }

  func answer(_ seq: Seq, at id: WorkspaceID) throws {
    try open[id]?.commit([
      .answer(
        Answer(
          seq: seq, fence: Fence(number: 1), at: Self.start, isLate: false,
          bodyHash: UUIDBytes(high: 1, low: 2), body: Array("answer \(seq)".utf8)))
    ])
  }

  func close(_ id: WorkspaceID) throws {
    let file = open.removeValue(forKey: id)
    try file?.sync()
    try file?.close()
  }

  /// As a process that is killed: nothing is closed, the lock goes.
  func kill() throws {
    for file in open.values { file.abandon() }
    open = [:]
    data.registry.abandon()
    data = try DataDirectory(path: path + "/parking-\(UUID().uuidString)", limits: Limits())
  }

  // MARK: BackupSource

  func borrow(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile? {
    if broken.contains(id) {
      throw StoreError(kind: .corrupt, call: "open", path: "x", message: "broken by the test")
    }
    if let file = open[id] { return file }
    let file = try data.openWorkspaceFile(id)
    open[id] = file
    return file
  }

  func giveBack(_ id: WorkspaceID) {}

  // MARK: backups

  func job(_ content: BackupJob.Content = .relay, vfs: String? = nil) -> BackupJob {
    BackupJob(
      content, of: self, to: folder, limits: limits, relayVersion: "test", now: Self.start,
      vfs: vfs)
  }

  /// Runs it; `between` is called between any two turns.
  @discardableResult
  func run(_ job: BackupJob, between: (Int) throws -> Void = { _ in }) throws -> Int {
    var turns = 0
    while job.report.state == .running {
      turns += 1
      try between(turns)
      if case .sync(let files) = job.turn(now: Self.start) {
        #expect(!files.isEmpty)
        try between(turns)
        job.synced(code: 0, now: Self.start)
      }
    }
    return turns
  }

  func backUp() throws {
    let job = job()
    try run(job)
    #expect(job.report.error == nil)
  }
}
