import CFaultVFS
import CSQLite
import Relay
import Testing

@testable import Engine

/// Sends with a key that a full disk refuses: the key is free, and everybody is answered.
@Suite struct KeyRefusalTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  private func send(_ text: String) throws -> CallID {
    try bench.send(id) { ($0.key, $0.text) = ("k-1", text) }
  }

  private func answer() throws {
    try bench.result(id, try bench.take(id))
    bench.sync()
  }

  /// Nothing of the turn is stored, or, with something else in it, all but the sends.
  @Test(arguments: [false, true])
  func `the key of a refused send is free, and nobody waits for it`(isPartly: Bool) throws {
    try bench.stored(id)
    let held = try bench.take(id)
    let first = try send("a")
    let equal = try send("a")
    let other = try send("b")
    let release = isPartly ? bench.agent(id, held, .release(delay: .zero, reason: "")) : nil
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, isPartly ? 0 : 1)
    bench.turn(atMost: 1)
    fault_arm(0, 0, 0, 0)
    bench.sync()
    if let release { #expect(bench.replies[release]?.status == 200) }
    #expect(bench.replies[first]?.reason == "NOT_STORED")
    #expect(bench.replies[equal]?.reason == "NOT_STORED")
    // The key is that of the next call now, and of no other.
    let again = try send("a")
    bench.sync()
    #expect(bench.replies[again]?.reason == "IDEMPOTENCY_CONFLICT")
    if isPartly { try answer() }
    try answer()
    #expect(bench.replies[other]?.state == "TASK_STATE_COMPLETED")
    let last = try send("b")
    bench.sync()
    #expect(bench.replies[last]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.engine.pool[id]?.waiting.keys.isEmpty == true)
    #expect(bench.engine.pool[id]?.waiting.afterWrite.isEmpty == true)
  }
}
