import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// A file that is missing or damaged stays the operator's to decide about.
@Suite struct LossTests {
  let bench: Bench
  let id: WorkspaceID
  let sound: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
    sound = try bench.create()
    try bench.stored(id, "m-1")
    try bench.stored(sound, "m-1")
    bench.engine.close(now: bench.now)
  }

  private var path: String { bench.data.path(of: id) }

  /// A start with the flag, if `accepting`.
  private func start(accepting id: WorkspaceID? = nil) throws -> AcceptedLoss? {
    var outcome: AcceptedLoss?
    try bench.restart(isClean: false) { engine in
      if let id { outcome = try engine.acceptLoss(of: id, now: bench.now) }
    }
    return outcome
  }

  private func audited() throws -> [String] {
    try bench.data.registry.audit(limit: 10)
      .filter { $0.action == AuditAction.workspaceLoss.rawValue }.map(\.target)
  }

  private func damage() throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    for place in 0..<4096 { bytes[place] = 0x5A }
    try bytes.write(to: URL(filePath: path))
  }

  private func setAside() throws -> [String] {
    try Files.names(in: bench.data.path + "/removed").filter { $0.hasPrefix(id.text) }
  }

  @Test func `a missing file is named and stays missing, until its loss is accepted`() throws {
    try Files.remove(path)
    #expect(try start() == nil)
    let missing = try bench.data.mismatches(bench.data.registry.load()).rowsWithoutFile
    #expect(missing == [id])
    bench.engine.noteMissing(missing)
    #expect(bench.engine.pool.failed == [id])
    let refused = try bench.send(id)
    bench.sync()
    #expect(bench.replies[refused]?.reason == "WORKSPACE_UNAVAILABLE" && !Files.exists(path))
    #expect(try start(accepting: id) == .missing)
    #expect(try audited() == [id.text])
    #expect(try bench.stored(id, "m-1").seq == 1)
    #expect(bench.engine.pool.failed.isEmpty)
    try bench.restart()
    #expect(try bench.stored(id, "m-2").seq == 2)
    #expect(try bench.stored(sound, "m-2").seq == 2)
  }

  @Test func `a damaged file is moved aside as it is, with its log`() throws {
    try damage()
    let bytes = try Data(contentsOf: URL(filePath: path))
    try Data([1, 2, 3]).write(to: URL(filePath: path + "-wal"))
    guard case .damaged(_, let place) = try start(accepting: id) else {
      Issue.record("it is damaged")
      return
    }
    #expect(try Data(contentsOf: URL(filePath: place)) == bytes)
    #expect(try Data(contentsOf: URL(filePath: place + "-wal")) == Data([1, 2, 3]))
    #expect(try audited() == [id.text])
    #expect(try bench.stored(id, "m-1").seq == 1)
    #expect(try DataDirectory.leftovers(in: bench.data.path).contains(place))
  }

  @Test func `a file that breaks a rule inside is damaged too`() throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    for place in bytes.count - 4096..<bytes.count { bytes[place] = 0x5A }
    try bytes.write(to: URL(filePath: path))
    guard case .damaged = try start(accepting: id) else {
      Issue.record("it is damaged")
      return
    }
    #expect(try bench.stored(id, "m-1").seq == 1)
  }

  @Test func `a file that is sound stays, however often its loss is accepted`() throws {
    for _ in 0..<2 { #expect(try start(accepting: id) == .nothingLost) }
    #expect(try bench.stored(id, "m-2").seq == 2)
    #expect(try setAside().isEmpty)
  }

  @Test func `a log without its file is kept`() throws {
    try Files.remove(path)
    try Data([1, 2, 3]).write(to: URL(filePath: path + "-wal"))
    #expect(try start(accepting: id) == .missing)
    let kept = try setAside()
    #expect(kept.count == 1 && kept[0].hasSuffix("-wal"))
  }

  @Test func `nobody's id is nobody's loss`() throws {
    #expect(try start(accepting: WorkspaceID(UUIDBytes(high: 1, low: 2))) == nil)
    #expect(try audited().isEmpty)
  }

  @Test func `a purge takes copies and what was set aside too`() throws {
    try damage()
    _ = try start(accepting: id)
    let copy = path + ".v1"
    let other = bench.data.path(of: sound) + ".v1"
    for name in [copy, other, bench.data.path + "/relay.db.v1"] {
      try Data([1]).write(to: URL(filePath: name))
    }
    // The damaged file's log is beside it.
    let leftovers = try DataDirectory.leftovers(in: bench.data.path)
    #expect(leftovers.count { !$0.hasSuffix("-wal") } == 4)
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: true, actor: "admin", now: bench.now)
    for _ in 0..<40 { bench.wait(.milliseconds(25)) }
    #expect(!Files.exists(path) && !Files.exists(copy))
    #expect(try setAside().isEmpty)
    #expect(
      try DataDirectory.leftovers(in: bench.data.path)
        == [bench.data.path + "/relay.db.v1", other])
  }
}
