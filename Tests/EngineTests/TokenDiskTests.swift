import API
import CFaultVFS
import CSQLite
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// The registry on a disk that is full: what holds, what does not, and what is said of it.
@Suite struct TokenDiskTests {
  let bench: Bench
  let id: WorkspaceID
  let token: String
  var engine: Engine { bench.engine }

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
    let call = bench.engine.nextCall()
    bench.engine.registry.tokens.mint(call, for: id, TokenWish(), actor: "admin", now: bench.now)
    bench.sync()
    token = try #require(bench.replies[call]?.json["auth_token"]?.string)
  }

  private func whileFull(_ body: () throws -> Void) rethrows {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    defer { fault_arm(0, 0, 0, 0) }
    try body()
    #expect(fault_fired() > 0, "the disk refused something")
  }

  private func opens(_ secret: String) -> Identity? {
    engine.directory.identity(ofSecret: secret, at: bench.now.wall)
  }

  private var stored: [RegisteredToken] {
    get throws { try bench.data.registry.load().tokens }
  }

  private func revoke() -> CallID {
    let call = engine.nextCall()
    engine.registry.tokens.revoke(call, of: id, nil, actor: "admin", now: bench.now)
    return call
  }

  @Test func `a refused revocation holds, says so, and is stored as soon as that goes`() throws {
    var call = CallID()
    whileFull {
      call = revoke()
      bench.turn()
    }
    #expect(bench.replies[call]?.code == "revocation_not_stored")
    #expect(bench.replies[call]?.status == 503)
    #expect(opens(token) == nil, "it holds")
    #expect(try stored.first?.revokedAt == nil)
    // The disk is still full at the first try.
    whileFull { bench.wait(bench.limits.revocationRetry) }
    #expect(opens(token) == nil)
    #expect(try stored.first?.revokedAt == nil)
    bench.wait(bench.limits.revocationRetry)
    #expect(try stored.first?.revokedAt != nil)
    let audit = engine.nextCall()
    engine.registry.showAudit(audit, before: .max, limit: 10)
    bench.sync()
    #expect(bench.replies[audit]?.text.contains("token.revoke") == true)
    try bench.restart(isClean: false)
    #expect(opens(token) == nil)
    bench.wait(.seconds(60))
    bench.expectNothingHeld()
  }

  @Test func `a refused revocation may be repeated, and that is durable`() throws {
    whileFull {
      _ = revoke()
      bench.turn()
    }
    let again = revoke()
    bench.sync()
    #expect(bench.replies[again]?.json["status"]?.string == "revoked")
    #expect(try stored.first?.revokedAt != nil)
    let pages = bench.data.registry.walPages
    bench.wait(bench.limits.revocationRetry)
    #expect(bench.data.registry.walPages == pages, "it is not written twice")
  }

  @Test func `a refused rotation changes nothing`() throws {
    for grace in [Duration.zero, .seconds(60)] {
      let call = engine.nextCall()
      whileFull {
        engine.registry.tokens.rotate(
          call, of: id, grace: grace, own: nil, actor: "admin", now: bench.now)
        bench.turn()
      }
      #expect(bench.replies[call]?.code == "not_stored")
      bench.wait(.seconds(3600))
      #expect(opens(token) == .workspace(id), "nobody is locked out")
      #expect(bench.renderer.registry.tokens(of: id, engine.directory)["count"]?.int == 1)
    }
    #expect(try stored.count == 1)
    bench.expectNothingHeld()
  }

  @Test func `a refused token, key or org can be made again`() throws {
    let org = RegisteredOrg(id: "acme", name: "Acme")
    var calls: [CallID] = []
    func make() {
      calls = (0..<3).map { _ in engine.nextCall() }
      engine.registry.tokens.mint(calls[0], for: id, TokenWish(), actor: "admin", now: bench.now)
      engine.registry.orgs.mintKey(
        calls[1], for: "default", .send, TokenWish(), actor: "admin", now: bench.now)
      engine.registry.orgs.create(calls[2], org, actor: "admin", now: bench.now)
    }
    whileFull {
      make()
      bench.turn()
    }
    for call in calls { #expect(bench.replies[call]?.code == "not_stored") }
    #expect(engine.directory.tokens.liveCount(of: .workspace(id), at: bench.now.wall) == 1)
    #expect(engine.directory.tokens.liveCount(of: .org("default"), at: bench.now.wall) == 0)
    make()
    bench.sync()
    for call in calls { #expect(bench.replies[call]?.status == 201) }
    bench.expectNothingHeld()
  }

  @Test func `what is changed after a refused change builds on what is there`() throws {
    func change(_ name: String?, _ settings: SettingsChange = SettingsChange()) -> CallID {
      let call = engine.nextCall()
      engine.registry.workspaces.change(
        call, id, WorkspaceChange(name: name, parent: nil, settings: settings), actor: "admin",
        now: bench.now)
      return call
    }
    // One is committed and waits for its barrier, the next is refused, a third follows.
    _ = change(nil, SettingsChange(keepsAlive: false))
    bench.turn()
    let refused = change("refused")
    whileFull { bench.turn() }
    #expect(bench.replies[refused]?.code == "not_stored")
    _ = change(nil, SettingsChange(whenOffline: .error))
    bench.sync()
    let record = try #require(engine.directory.workspace(id))
    #expect(record.row.name == "n")
    #expect(!record.settings.keepsAlive && record.settings.whenOffline == .error)
    #expect(try bench.data.registry.load().workspaces == [record.row])
    bench.expectNothingHeld()
  }
}
