import API
import CFaultVFS
import CSQLite
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Secrets: there once they are durable, and nowhere but where they belong.
@Suite struct SecretTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  private func set(
    _ key: String, _ value: String, _ bench: Bench? = nil, of place: WorkspaceID? = nil
  ) -> CallID {
    let bench = bench ?? self.bench
    let call = bench.engine.nextCall()
    bench.engine.registry.secrets.set(
      call, key, value, of: place ?? id, by: "admin", now: bench.now)
    return call
  }

  private func delete(_ key: String) -> CallID {
    let call = bench.engine.nextCall()
    bench.engine.registry.secrets.delete(call, key, of: id, by: "admin", now: bench.now)
    return call
  }

  private func values(_ bench: Bench? = nil) throws -> String {
    let bench = bench ?? self.bench
    let call = bench.engine.nextCall()
    bench.engine.registry.secrets.values(call, of: id, isWrapped: false)
    bench.turn()
    return try #require(bench.replies[call]?.text)
  }

  @Test func `a secret is answered and read behind its barrier, its end too`() throws {
    let call = set("KEY", "one")
    bench.turn()
    #expect(try bench.replies[call] == nil && values() == "{}")
    bench.sync()
    #expect(bench.replies[call]?.text == "{\"status\":\"saved\",\"key\":\"KEY\"}")
    #expect(try values() == "{\"KEY\":\"one\"}")
    let again = set("KEY", "two")
    bench.turn()
    #expect(try bench.replies[again] == nil && values() == "{\"KEY\":\"one\"}")
    bench.sync()
    #expect(try values() == "{\"KEY\":\"two\"}")
    let gone = delete("KEY")
    bench.turn()
    #expect(try bench.replies[gone] == nil && values() == "{\"KEY\":\"two\"}")
    bench.sync()
    #expect(bench.replies[gone]?.text == "{\"status\":\"deleted\",\"key\":\"KEY\"}")
    let twice = delete("KEY")
    bench.sync()
    #expect(try bench.replies[twice]?.status == 404 && values() == "{}")
    bench.expectNothingHeld()
    #expect(!bench.engine.registry.secrets.hasPending && bench.engine.directory.secrets.bytes == 0)
  }

  @Test func `secrets are there after a restart, with their times`() throws {
    _ = set("B", "two")
    _ = set("A", "one")
    bench.sync()
    bench.advance(.seconds(60))
    _ = set("A", "newer")
    bench.sync()
    let list = bench.renderer.registry.secretList(bench.engine.directory.secrets[id])
    #expect(list.array?.map { $0["key"]?.string } == ["A", "B"])
    let first = try #require(list.array?.first)
    #expect(first.object?.map(\.key) == ["key", "has_value", "scope", "created_at", "updated_at"])
    #expect(first["created_at"] != first["updated_at"])
    for isClean in [true, false] {
      try bench.restart(isClean: isClean)
      #expect(bench.renderer.registry.secretList(bench.engine.directory.secrets[id]) == list)
      #expect(try values() == "{\"A\":\"newer\",\"B\":\"two\"}")
    }
  }

  @Test func `what the disk refuses is not there, and can come again`() throws {
    _ = set("KEY", "old")
    bench.sync()
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let call = set("KEY", "new")
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[call]?.code == "not_stored")
    #expect(try values() == "{\"KEY\":\"old\"}")
    bench.expectNothingHeld()
    #expect(!bench.engine.registry.secrets.hasPending)
    _ = set("KEY", "new")
    bench.sync()
    #expect(try values() == "{\"KEY\":\"new\"}")
  }

  @Test func `secrets of a workspace, and bytes of all secrets, are bounded`() throws {
    var limits = Limits()
    limits.secretsPerWorkspaceMax = 2
    limits.secretBytesMax = 10
    limits.secretsInMemoryMax = 28
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    let other = try bench.create()
    func code(_ key: String, _ value: String, _ place: WorkspaceID) -> String? {
      let call = set(key, value, bench, of: place)
      bench.sync()
      return bench.replies[call]?.code
    }
    // Two in one turn: what is on its way counts.
    let calls = ["A", "B", "C"].map { set($0, "x", bench, of: id) }
    bench.sync()
    #expect(calls.map { bench.replies[$0]?.status } == [200, 200, 409])
    #expect(bench.replies[calls[2]]?.code == "secrets_full")
    #expect(code("A", "yy", id) == nil, "another value for one that is there")
    #expect(code("A", "123456789", other) == nil && code("B", "123456789", other) == nil)
    #expect(code("A", "1234567890", id) == "secrets_full" && code("A", "12", id) == nil)
  }

  @Test func `the audit names the key, and has no value`() throws {
    _ = set("KEY", "a-value-of-a-secret")
    bench.sync()
    _ = delete("KEY")
    bench.sync()
    let lines = try bench.data.registry.audit(limit: 2)
    #expect(lines.map(\.action) == ["secret.delete", "secret.set"])
    #expect(lines.allSatisfy { $0.detail == "KEY" && $0.target == id.text && $0.actor == "admin" })
  }

  @Test func `a workspace with a secret is not claimed without a bearer, nor while one is coming`()
    throws
  {
    func claim() throws -> Int? {
      let call = bench.engine.nextCall()
      bench.engine.registry.workspaces.register(
        call, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
        identity: nil, mode: .claim, now: bench.now)
      bench.turn()
      return bench.replies[call]?.status
    }
    _ = set("KEY", "x")
    bench.turn()
    #expect(try claim() == 401)
    bench.sync()
    #expect(try claim() == 401)
    _ = delete("KEY")
    bench.turn()
    #expect(try claim() == 401, "it is still there")
    bench.sync()
    #expect(try claim() == nil, "that waits for its barrier")
    bench.sync()
    #expect(bench.engine.directory.workspace(id)?.isClaimed == true)
  }
}
