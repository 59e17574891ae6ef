import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing

@testable import Archive

@Suite struct BackupTests {
  let bench: ArchiveBench
  private let ada = ArchiveBench.id(0)
  private let bob = ArchiveBench.id(1)

  init() throws {
    fault_register()
    bench = try ArchiveBench()
  }

  private func findings() throws -> [String] { try Check.run(bench.folder).findings.map(\.text) }

  @Test func `a backup holds every file, and its manifest says what is in them`() throws {
    try bench.answer(1, at: ada)
    let job = bench.job()
    try bench.run(job)
    #expect(
      job.report.state == .done && job.report.filesDone == 3 && job.report.files == 3
        && job.report.messages == 6)
    let manifest = try Manifest(of: bench.folder)
    #expect(manifest.content == .relay && manifest.relayVersion == "test")
    #expect(manifest.files.map(\.path).first == "relay.db")
    #expect(manifest.files.compactMap(\.workspace) == [ada, bob])
    #expect(manifest.files.dropFirst().allSatisfy { $0.messages == 3 && $0.lastSeq == 3 })
    #expect(try findings() == [])
    let mode = { (path: String) in
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(bench.folder) == 0o700)
    for file in manifest.files { #expect(try mode("\(bench.folder)/\(file.path)") == 0o600) }
    #expect(try mode("\(bench.folder)/\(Manifest.name)") == 0o600)
  }

  @Test func `writes between the slices spoil nothing, and what was there before is in it`() throws
  {
    for seq in 4...40 { try bench.write(Seq(seq), at: ada) }
    var seq: Seq = 40
    let job = bench.job()
    try bench.run(job) { turn in
      seq += 1
      try bench.write(seq, at: ada)
      try bench.answer(seq - 40, at: ada)
      try bench.write(seq, at: bob)
      if job.report.filesDone == 1, bench.open[ArchiveBench.id(2)] == nil {
        try bench.make(ArchiveBench.id(2), messages: 1)
      }
      if turn % 5 == 0 { try bench.open[ada]?.checkpoint(.passive) }
    }
    #expect(job.report.error == nil)
    #expect(try findings() == [])
    let manifest = try Manifest(of: bench.folder)
    // Made after the registry was copied: in neither.
    #expect(manifest.files.compactMap(\.workspace).count == 2)
    #expect(manifest.files.first { $0.workspace == ada }!.messages > 40)
  }

  @Test func `a workspace closed between two slices is copied anew`() throws {
    for seq in 4...40 { try bench.write(Seq(seq), at: ada) }
    var closed = 0
    let job = bench.job()
    try bench.run(job) { _ in
      if bench.open[ada]?.isBeingCopied == true, closed < 5 {
        closed += 1
        try bench.close(ada)
      }
    }
    #expect(job.report.error == nil && closed == 5)
    #expect(try findings() == [])
    #expect(try Manifest(of: bench.folder).files.first { $0.workspace == ada }?.messages == 40)
  }

  @Test func `one that is closed again and again is named, the others are there`() throws {
    bench.limits.backupRestartsMax = 3
    for seq in 4...40 { try bench.write(Seq(seq), at: ada) }
    let job = bench.job()
    try bench.run(job) { _ in
      if bench.open[ada]?.isBeingCopied == true { try bench.close(ada) }
    }
    #expect(job.report.state == .done && job.report.unreadable.map(\.workspace) == [ada])
    #expect(try findings().count == 1)
  }

  @Test func `a workspace that cannot be read is named, and the rest is backed up`() throws {
    bench.broken = [ada]
    let job = bench.job()
    try bench.run(job)
    #expect(job.report.state == .done && job.report.unreadable.map(\.workspace) == [ada])
    #expect(try findings().count == 1)
    #expect(try findings().first?.contains("broken by the test") == true)
  }

  @Test func `one that is purged meanwhile is no row after the restore`() throws {
    let job = bench.job()
    try bench.run(job) { turn in
      guard turn == 3 else { return }
      try bench.close(bob)
      try FileManager.default.removeItem(atPath: bench.data.path(of: bob))
    }
    #expect(job.report.error == nil)
    #expect(try Manifest(of: bench.folder).purged == [bob])
    #expect(try findings() == [])
    _ = try Restore.restore(
      bench.folder, to: bench.path + "/new", random: 1, at: ArchiveBench.start)
    let restored = try DataDirectory(path: bench.path + "/new", limits: Limits())
    let snapshot = try restored.registry.load()
    #expect(snapshot.workspaces.map(\.id) == [ada] && snapshot.tokens.count == 1)
  }

  @Test func `nothing is a backup before its manifest is there`() throws {
    let job = bench.job()
    try bench.run(job) { _ in
      guard job.report.filesDone < 3 else { return }
      #expect(throws: ArchiveError.self) { try Manifest(of: bench.folder) }
    }
    #expect(job.report.state == .done)
    _ = try Manifest(of: bench.folder)
  }

  @Test(arguments: [Int32(778), SQLITE_FULL, 1290])
  func `a destination that fails ends only the backup`(
    code: Int32
  ) throws {
    let job = bench.job(vfs: "fault")
    defer { fault_arm(0, 0, 0, 0) }
    try bench.run(job) { turn in
      fault_arm(0, 0, 0, 0)
      try bench.write(Seq(100 + turn), at: ada)
      if turn > 2 { fault_arm(Int32(FAULT_WRITE.rawValue), 1, code, 1) }
    }
    fault_arm(0, 0, 0, 0)
    #expect(job.report.state == .failed && job.report.error?.text.contains("copy of") == true)
    #expect(try findings().first?.contains("no manifest.json") == true)
    try bench.write(99, at: ada)
    #expect(try bench.open[ada]?.message(99) != nil)
    // Nothing is begun anew in its place.
    let second = bench.job()
    try bench.run(second)
    #expect(second.report.state == .failed && second.report.error?.text.contains("exists") == true)
  }

  @Test func `a sync that fails ends the backup, whichever it is`() throws {
    var syncs = 0
    while true {
      let job = BackupJob(
        .relay, of: bench, to: bench.path + "/b\(syncs)", limits: bench.limits,
        relayVersion: "test", now: ArchiveBench.start)
      var seen = 0
      while job.report.state == .running {
        guard case .sync = job.turn(now: ArchiveBench.start) else { continue }
        job.synced(code: seen == syncs ? 5 : 0, now: ArchiveBench.start)
        seen += 1
      }
      if job.report.state == .done { break }
      #expect(job.report.error?.text.contains("could not be synced") == true)
      syncs += 1
    }
    #expect(syncs > 6)
  }

  @Test func `without room above the high-water mark nothing is copied`() throws {
    bench.limits.diskHighWater = .max
    // Five percent of any file system are left alone at most: so the backup is what must be large.
    bench.limits.backupSliceBytes = .max / 2
    let job = bench.job()
    try bench.run(job)
    #expect(job.report.state == .failed && job.report.error?.kind == .full)
    #expect(!FileManager.default.fileExists(atPath: bench.folder + "/relay.db"))
  }

  @Test func `a flipped byte is found in every file, and nowhere else`() throws {
    try bench.backUp()
    var names = try Manifest(of: bench.folder).files.map(\.path)
    names += [Manifest.name, Manifest.sumName]
    for name in names {
      let url = URL(filePath: "\(bench.folder)/\(name)")
      let whole = try Data(contentsOf: url)
      for place in [0, whole.count / 2, whole.count - 1] {
        var bytes = whole
        bytes[place] ^= 1
        try bytes.write(to: url)
        let found = try findings()
        #expect(!found.isEmpty, "\(name) at \(place)")
        #expect(throws: ArchiveError.self) {
          try Restore.restore(
            bench.folder, to: bench.path + "/no", random: 1, at: ArchiveBench.start)
        }
        try whole.write(to: url)
      }
    }
    #expect(try findings() == [])
    #expect(!FileManager.default.fileExists(atPath: bench.path + "/no"))
    try FileManager.default.removeItem(atPath: bench.folder + "/" + names[1])
    #expect(try findings().first?.contains("missing") == true)
  }
}
