import CSQLite
import Relay
import Testing
import Wire

@testable import Engine
@testable import Store

/// The digests by which calls and results are found again: secret, and compared caller by caller.
@Suite struct DigestTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private var messages: Seq { bench.engine.pool[id]?.queue.lastSeq ?? 0 }

  /// Stops, changes the file, and starts again.
  private func change(_ sql: [String]) throws {
    bench.engine.close(now: bench.now)
    var handle: OpaquePointer?
    let path = bench.data.path(of: id)
    #expect(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
    for sql in sql { #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(sql)") }
    sqlite3_close(handle)
    try bench.restart(isClean: false)
  }

  private static func blob(_ bytes: UUIDBytes) -> String {
    "x'\(bytes.text.filter { $0 != "-" })'"
  }

  @Test func `the digest of a call is another one in each workspace`() throws {
    let other = try bench.create()
    try bench.send(id)
    try bench.send(other)
    let one = try #require(bench.engine.pool[id]?.queue.message(1)?.dedup)
    let two = try #require(bench.engine.pool[other]?.queue.message(1)?.dedup)
    #expect(one != two)
  }

  @Test func `a key of another caller with the same hash is another key`() throws {
    try bench.send(id) {
      $0.key = "k"
      $0.isBlocking = false
    }
    bench.sync()
    try change(["UPDATE message SET caller = 'org:others'"])
    let call = try bench.send(id) {
      $0.key = "k"
      $0.isBlocking = false
    }
    bench.sync()
    #expect(messages == 2)
    #expect(bench.replies[call]?.reason == nil)
  }

  @Test func `the key of a file is kept over a restart`() throws {
    try bench.send(id)
    bench.sync()
    let secret = bench.engine.pool[id]?.digestKey
    try bench.restart(isClean: false)
    let again = try bench.send(id)
    bench.sync()
    #expect(bench.engine.pool[id]?.digestKey == secret && messages == 1)
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_COMPLETED")
  }

  /// A file as an earlier build has left it: without a key, with the digests of that build.
  @Test func `in a file without a key equal calls, keys and results are found as before`() throws {
    // Made anew each time: a request is of one run of the relay.
    let plain = { try bench.request { $0.isBlocking = false } }
    let keyed = {
      try bench.request {
        $0.messageID = "m-2"
        $0.isBlocking = false
        $0.key = "k"
      }
    }
    let send = { (request: CallerRequest) in
      bench.engine.callers.call(request, at: id, now: bench.now)
    }
    send(try plain())
    send(try keyed())
    bench.sync()
    let held = [try bench.take(id), try bench.take(id)]
    try bench.result(id, held[1])
    bench.sync()
    let result = Array("{\"text\":\"done\",\"state\":\"completed\"}".utf8)
    try change([
      "DELETE FROM meta WHERE key IN ('digest_key', 'unkeyed_up_to')",
      "UPDATE message SET dedup = \(Self.blob(try plain().asRetry(Digest128()))) WHERE seq = 1",
      "UPDATE idempotency SET call = \(Self.blob(try keyed().asKeyed(Digest128())))",
      "UPDATE message SET answer_hash = \(Self.blob(Digest128().of(result))) WHERE seq = 2",
    ])
    send(try plain())
    send(try keyed())
    bench.sync()
    #expect(messages == 2 && bench.engine.pool[id]?.digestKey.unkeyedUpTo == 2)
    let conflict = try bench.send(id) {
      $0.key = "k"
      $0.text = "other"
    }
    let repeated = try bench.result(id, held[1])
    bench.sync()
    #expect(bench.replies[conflict]?.reason == "IDEMPOTENCY_CONFLICT")
    #expect(bench.replies[repeated]?.json["duplicate"] == .bool(true))
    // What is stored from now on has a key, and so it is after one more start.
    try bench.send(id) { $0.messageID = "m-3" }
    bench.sync()
    try bench.restart(isClean: true)
    try bench.send(id) { $0.messageID = "m-3" }
    send(try plain())
    bench.sync()
    #expect(messages == 3 && bench.engine.pool[id]?.digestKey.unkeyedUpTo == 2)
  }
}
