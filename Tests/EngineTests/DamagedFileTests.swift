import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// A workspace's file that another hand has changed is that workspace's trouble alone.
@Suite struct DamagedFileTests {
  let bench: Bench
  let id: WorkspaceID
  let sound: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
    sound = try bench.create()
    try bench.stored(id, "m-1")
    bench.sync()
  }

  private func damage(_ sql: String) throws {
    bench.engine.close(now: bench.now)
    var handle: OpaquePointer?
    let path = bench.data.path(of: id)
    #expect(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(sql)")
    sqlite3_close(handle)
    try bench.restart(isClean: false)
  }

  static let values = [
    "UPDATE message SET at = -9223372036854775808",
    "UPDATE message SET at = -9223372036854775808, received_at = 1",
    "UPDATE message SET expires = -9223372036854775808",
    "UPDATE message SET not_before = -9223372036854775808",
    "UPDATE message SET attempt = 9223372036854775807",
    "UPDATE message SET position = 9223372036854775807",
    "UPDATE message SET state = 3",
    "INSERT OR REPLACE INTO meta VALUES('last_seq', 9223372036854775807)",
    "INSERT OR REPLACE INTO meta VALUES('last_seq', 4398046511103)",
    "INSERT OR REPLACE INTO meta VALUES('last_seq', 'x')",
    "INSERT OR REPLACE INTO meta VALUES('deleted', 9223372036854775807)",
    "INSERT OR REPLACE INTO meta VALUES('deleted', -9223372036854775808)",
    "UPDATE message SET dedup = x'00'",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = -1",
    "PRAGMA user_version = 2147483647",
    "UPDATE meta SET value = x'01' WHERE key = 'digest_key'",
  ]

  @Test(arguments: values) func `it is unavailable, and the others go on`(sql: String) throws {
    try damage(sql)
    let call = try bench.send(id) { $0.messageID = "m-2" }
    bench.sync()
    #expect(bench.replies[call]?.reason == "WORKSPACE_UNAVAILABLE")
    #expect(bench.engine.pool.unopenable == [id])
    try bench.stored(sound, "m-1")
    for _ in 0..<20 { bench.wait(.seconds(60)) }
    #expect(bench.engine.fatal == nil)
  }

  @Test func `a damaged workspace that is purged and made again works without a restart`() throws {
    try damage("UPDATE message SET at = -9223372036854775808")
    _ = try bench.send(id)
    bench.sync()
    #expect(bench.engine.pool.unopenable == [id])
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: true, actor: "admin", now: bench.now)
    for _ in 0..<40 { bench.wait(.milliseconds(25)) }
    #expect(bench.engine.directory.removed[id] == nil && bench.engine.pool.unopenable.isEmpty)
    let again = bench.engine.nextCall()
    bench.engine.registry.workspaces.create(
      again, id: id, name: "n", settings: Settings(), now: bench.now)
    bench.sync()
    #expect(bench.replies[again]?.status == 201)
    #expect(try bench.stored(id, "m-1").seq == 1)
  }
}
