import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What the files look like when the relay has ended on request.
@Suite struct CloseTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  /// Sizes of the write-ahead logs, by name.
  private func logs() throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: bench.path)
    where name.hasSuffix("-wal") {
      let values = try FileManager.default.attributesOfItem(atPath: bench.path + "/" + name)
      sizes[name] = values[.size] as? Int
    }
    return sizes
  }

  @Test func `every log is empty after a stop, and nothing is lost`() throws {
    let other = try bench.create()
    for number in 0..<20 { try bench.stored(id, "m-\(number)") }
    try bench.stored(other)
    #expect(try logs().values.filter { $0 > 0 }.count == 3, "the registry's too")
    #expect(bench.engine.close(now: bench.now))
    #expect(try logs().values.allSatisfy { $0 == 0 })
    try bench.restart(isClean: false)
    #expect(try bench.take(other).json["text"]?.string == "hello")
    for _ in 0..<20 { _ = try bench.take(id) }
  }

  @Test func `a log that has been copied and is used again is emptied too`() throws {
    try bench.stored(id)
    try bench.engine.pool[id]?.file.checkpoint(.passive)
    #expect(bench.engine.pool[id]?.file.walPages == 0)
    #expect(bench.engine.close(now: bench.now))
    #expect(try logs().values.allSatisfy { $0 == 0 })
  }

  @Test(
    arguments: [
      (FAULT_WRITE, SQLITE_FULL), (FAULT_TRUNCATE, Int32(1546)), (FAULT_SYNC, Int32(1034)),
    ])
  func `what cannot be written at the end is said, and is there at the next start`(
    fault: (operation: fault_operation, code: Int32)
  ) throws {
    let other = try bench.create()
    try bench.stored(id)
    try bench.stored(other)
    fault_arm(Int32(fault.operation.rawValue), 1, fault.code, 1)
    let isWhole = bench.engine.close(now: bench.now)
    fault_arm(0, 0, 0, 0)
    #expect(!isWhole)
    try bench.restart(isClean: false)
    for workspace in [id, other] {
      #expect(try bench.take(workspace).json["text"]?.string == "hello")
    }
  }
}
