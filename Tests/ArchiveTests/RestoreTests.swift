import Foundation
import Relay
import Store
import Testing

@testable import Archive

@Suite struct RestoreTests {
  let bench: ArchiveBench
  private let ada = ArchiveBench.id(0)
  private var new: String { bench.path + "/new" }

  init() throws {
    bench = try ArchiveBench()
    try bench.answer(1, at: ada)
    try bench.backUp()
  }

  private func restore(_ random: UInt64 = 1) throws {
    _ = try Restore.restore(bench.folder, to: new, random: random, at: ArchiveBench.start)
  }

  @Test func `what was acknowledged is there after it, and the copy is sound`() throws {
    try restore()
    #expect(try Check.run(bench.folder).findings == [])
    let data = try DataDirectory(path: new, limits: Limits())
    let snapshot = try data.registry.load()
    #expect(snapshot.workspaces.map(\.id) == [ada, ArchiveBench.id(1)])
    #expect(snapshot.tokens.count == 2)
    let file = try data.openWorkspaceFile(ada)
    for seq in 1...3 {
      #expect(try file.body(Seq(seq))?.body == [UInt8](repeating: UInt8(seq), count: 9000))
    }
    #expect(try file.answer(1) == Array("answer 1".utf8))
    #expect(!FileManager.default.fileExists(atPath: new + "/restoring"))
  }

  @Test func `every workspace counts as after a power cut, once, and boots leap`() throws {
    try restore()
    for isFirst in [true, false] {
      let data = try DataDirectory(path: new, limits: Limits())
      #expect(try data.registry.isAfterPowerCut() == isFirst)
      #expect(try data.registry.raiseBoot() > 2048)
      let file = try data.openWorkspaceFile(ada)
      let recovered = try file.recover(now: ArchiveBench.start)
      #expect(recovered.isAfterPowerCut == isFirst)
      #expect(recovered.doubtfulUpTo == 3)
      try file.sync()
      try file.close()
      try data.registry.close()
    }
  }

  @Test func `two restores of one backup lead different lives`() throws {
    try restore(1)
    let first = try DataDirectory(path: new, limits: Limits()).registry.raiseBoot()
    _ = try Restore.restore(bench.folder, to: new + "2", random: 9000, at: ArchiveBench.start)
    let second = try DataDirectory(path: new + "2", limits: Limits()).registry.raiseBoot()
    #expect(first.distance(to: second).magnitude > 2048)
  }

  @Test func `a rolled-back state is marked like a restored one`() throws {
    let file = try #require(bench.open[ada])
    _ = try file.recover(now: ArchiveBench.start)
    try bench.close(ada)
    let before = try bench.data.registry.raiseBoot()
    try bench.data.beginLife(random: 7, at: ArchiveBench.start)
    let again = try bench.data.openWorkspaceFile(ada)
    #expect(try again.recover(now: ArchiveBench.start).isAfterPowerCut)
    #expect(try bench.data.registry.raiseBoot() > before + 2048)
    try again.sync()
    try again.close()
  }

  @Test func `only an empty or a new directory is restored into`() throws {
    try FileManager.default.createDirectory(atPath: new, withIntermediateDirectories: false)
    try FileManager.default.createDirectory(
      atPath: new + "/lost+found", withIntermediateDirectories: false)
    try restore()
    let failure = #expect(throws: ArchiveError.self) { try restore() }
    #expect(failure?.text.contains("not empty") == true)
  }

  @Test func `what a restore that was cut short leaves is no data directory`() throws {
    try FileManager.default.createDirectory(
      atPath: new + "/restoring", withIntermediateDirectories: true)
    let failure = #expect(throws: StoreError.self) {
      try DataDirectory(path: new, limits: Limits())
    }
    #expect(failure?.message.contains("cut short") == true)
    #expect(throws: ArchiveError.self) { try restore() }
  }

  // MARK: one workspace

  @Test func `an export holds one workspace and nothing of the others`() throws {
    let folder = bench.path + "/export"
    let job = BackupJob(
      .workspace(ada), of: bench, to: folder, limits: bench.limits, relayVersion: "test",
      now: ArchiveBench.start)
    try bench.run(job)
    #expect(job.report.state == .done && job.report.filesDone == 2)
    let check = try Check.run(folder)
    #expect(check.findings == [] && check.kind == .export && check.messages == 3)
    let registry = try StillFile(folder + "/relay.db").snapshot()
    #expect(registry.workspaces.map(\.id) == [ada])
    #expect(registry.tokens.map(\.workspace) == [ada])
    #expect(throws: ArchiveError.self) {
      try Restore.restore(folder, to: new, random: 1, at: ArchiveBench.start)
    }
    // It is here already.
    let failure = #expect(throws: ArchiveError.self) {
      try ImportJob(folder, into: bench.data, limits: bench.limits)
    }
    #expect(failure?.kind == .refused)
    try importInto(new, folder)
  }

  private func importInto(_ path: String, _ folder: String) throws {
    let other = try DataDirectory(path: path, limits: Limits())
    try ImportJob(folder, into: other, limits: bench.limits).run(at: ArchiveBench.start)
    let snapshot = try other.registry.load()
    #expect(snapshot.workspaces.map(\.id) == [ada] && snapshot.tokens.count == 1)
    #expect(snapshot.workspaces.first?.card == Array("{}".utf8))
    let file = try other.openWorkspaceFile(ada)
    let recovered = try file.recover(now: ArchiveBench.start)
    #expect(recovered.isAfterPowerCut && recovered.doubtfulUpTo == 3)
    #expect(try file.answer(1) == Array("answer 1".utf8))
    let failure = #expect(throws: ArchiveError.self) {
      try ImportJob(folder, into: other, limits: bench.limits)
    }
    #expect(failure?.text.contains("already") == true)
  }

  @Test func `a damaged export leaves nothing where it was to go`() throws {
    let folder = bench.path + "/export"
    let job = BackupJob(
      .workspace(ada), of: bench, to: folder, limits: bench.limits, relayVersion: "test",
      now: ArchiveBench.start)
    try bench.run(job)
    let url = URL(filePath: "\(folder)/\(DataDirectory.place(of: ada))")
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    let other = try DataDirectory(path: new, limits: Limits())
    let importing = try ImportJob(folder, into: other, limits: bench.limits)
    let failure = #expect(throws: ArchiveError.self) { try importing.run(at: ArchiveBench.start) }
    #expect(failure?.kind == .damaged)
    #expect(try other.workspaceFiles().isEmpty && other.registry.load().workspaces.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: other.path(of: ada) + ".draft"))
  }
}
