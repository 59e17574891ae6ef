import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// When the progress of files is noted: once a barrier has covered it, and within a second or two.
@Suite struct ProgressTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private var log: String { bench.data.path(of: id) + "-wal" }

  /// Returns why the file is refused after a power cut that has kept all of relay.db, and of the
  /// workspace's log only `bytes`.
  private func refusal(ofLog bytes: Int64) throws -> StoreError? {
    let copy = bench.path + "-backup"
    if Files.exists(copy) { try FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: bench.path, toPath: copy)
    #expect(truncate("\(copy)/\(DataDirectory.place(of: id))-wal", off_t(bytes)) == 0)
    let data = try DataDirectory(path: copy, limits: Limits(), kernelBoot: "boot-2")
    do throws(StoreError) {
      try data.openWorkspaceFile(id).abandon()
      return nil
    } catch {
      return error
    }
  }

  /// The turn of the look at the disk, and the one after it.
  private func pass() {
    for _ in 0..<2 { bench.wait(.seconds(1)) }
  }

  @Test func `a message is missed when its transaction is cut off a second later`() throws {
    try bench.stored(id, "m-1")
    pass()
    let size = Files.size(log)
    try bench.stored(id, "m-2")
    #expect(Files.size(log) > size)
    #expect(try refusal(ofLog: size) == nil, "it is not noted yet")
    pass()
    let error = try refusal(ofLog: size)
    #expect(error?.kind == .corrupt && error?.message.contains("--accept-loss") == true)
    #expect(try refusal(ofLog: Files.size(log)) == nil)
    #expect(try refusal(ofLog: 0) != nil)
  }

  @Test func `an answer is missed as well`() throws {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    pass()
    let size = Files.size(log)
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.status == 200 && bench.replies[call] != nil)
    pass()
    #expect(try refusal(ofLog: size) != nil)
  }

  /// Of two messages the second is committed and no barrier has covered it: a power cut may take
  /// it.
  private func cutPower(plant: ServerPlant?) throws -> StoreError? {
    try bench.stored(id, "m-1")
    pass()
    let size = Files.size(log)
    #if PLANTS
      bench.engine.plant = plant
    #endif
    _ = try bench.send(id) { $0.messageID = "m-2" }
    for _ in 0..<3 {
      bench.turn()
      bench.advance(.seconds(1))
    }
    #expect(Files.size(log) > size && bench.isWaitingForBarrier)
    return try refusal(ofLog: size)
  }

  @Test func `a power cut is no loss`() throws { #expect(try cutPower(plant: nil) == nil) }

  #if PLANTS
    @Test func `a note that does not wait for the barrier would call it one`() throws {
      #expect(try cutPower(plant: .noteBeforeBarrier) != nil)
    }
  #endif

  @Test func `the registry is noted beside it after its barrier`() throws {
    pass()
    let noted = String(decoding: try lock(), as: UTF8.self)
    _ = try bench.create()
    #expect(String(decoding: try lock(), as: UTF8.self) == noted)
    pass()
    #expect(String(decoding: try lock(), as: UTF8.self) != noted)
    #expect(noted.contains("relay.db "))
  }

  private func lock() throws -> Data {
    try Data(contentsOf: URL(filePath: bench.path + "/relay.lock"))
  }

  @Test func `a relay that was killed finds its files as they were`() throws {
    try bench.stored(id, "m-1")
    pass()
    for boot in ["boot-1", "boot-2"] {
      try bench.restart(isClean: false, boot: boot)
      #expect(try bench.stored(id, boot).seq > 1)
      pass()
      #expect(bench.engine.pool.failed.isEmpty)
    }
  }

  @Test func `a workspace made again at once under its id owes nothing`() throws {
    try bench.stored(id, "m-1")
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: true, actor: "admin", now: bench.now)
    for _ in 0..<40 { bench.wait(.milliseconds(10)) }
    #expect(!Files.exists(bench.data.path(of: id)))
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      call, id: id, name: "n", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.status == 201)
    pass()
    #expect(try bench.data.registry.load().workspaces.count == 1)
    try bench.restart(isClean: false)
    #expect(try bench.stored(id, "m-1").seq == 1)
  }

  @Test func `a file with messages and no row makes it degraded, an empty one does not`() throws {
    try bench.stored(id, "m-1")
    let empty = try bench.create()
    bench.engine.close(now: bench.now)
    let place = DataDirectory.place(of: id)
    try bench.restart(isClean: false) { engine in
      try bench.data.registry.commit([.deleteWorkspace(id), .deleteWorkspace(empty)])
    }
    try bench.restart(isClean: false)
    #expect(Files.exists("\(bench.path)/\(place)"))
    bench.engine.noteUnregistered(
      try bench.data.mismatches(bench.data.registry.load()).filesWithoutRow)
    for reader in [Identity.admin, .anonymous] {
      let call = bench.engine.nextCall()
      bench.engine.ready(call, for: reader, now: bench.now)
      bench.sync()
      let json = bench.replies[call]?.json
      #expect(json?["status"]?.string == "degraded" && json?["unregistered"]?.int == 1)
      let names = json?["unregistered_files"]?.array?.compactMap(\.string)
      #expect(names == (reader == .admin ? [id.text] : nil))
      bench.advance(.seconds(2))
    }
  }
}
