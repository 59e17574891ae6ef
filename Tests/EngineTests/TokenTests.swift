import API
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Tokens between memory and the disk: what counts when, and what a refused write leaves.
@Suite struct TokenTests {
  let bench: Bench
  let id: WorkspaceID
  var engine: Engine { bench.engine }

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private func opens(_ secret: String) -> Identity? {
    engine.directory.identity(ofSecret: secret, at: bench.now.wall)
  }

  private func secret(_ call: CallID) throws -> String {
    try #require(bench.replies[call]?.json["auth_token"]?.string)
  }

  /// A token that is durable.
  private func mint(_ wish: TokenWish = TokenWish()) throws -> String {
    let call = begin(wish)
    bench.sync()
    return try secret(call)
  }

  private func begin(_ wish: TokenWish = TokenWish()) -> CallID {
    let call = engine.nextCall()
    engine.registry.tokens.mint(call, for: id, wish, actor: "admin", now: bench.now)
    return call
  }

  private func revoke(_ fingerprint: String? = nil) -> CallID {
    let call = engine.nextCall()
    engine.registry.tokens.revoke(call, of: id, fingerprint, actor: "admin", now: bench.now)
    return call
  }

  private func rotate(_ grace: Duration, own: TokenUse? = nil) -> CallID {
    let call = engine.nextCall()
    engine.registry.tokens.rotate(
      call, of: id, grace: grace, own: own, actor: "admin", now: bench.now)
    return call
  }

  private var rows: [JSON] {
    bench.renderer.registry.tokens(of: id, engine.directory)["tokens"]?.array ?? []
  }

  private func audit() throws -> [AuditEntry] { try bench.data.registry.audit(limit: 100) }

  @Test func `a new token opens nothing before its barrier, and is not shown`() throws {
    let call = begin()
    #expect(rows.isEmpty && bench.replies[call] == nil)
    bench.turn()
    #expect(rows.isEmpty && bench.replies[call] == nil)
    #expect(engine.directory.workspace(id)?.isClaimed == false)
    bench.sync()
    #expect(opens(try secret(call)) == .workspace(id))
    #expect(engine.directory.workspace(id)?.isClaimed == true && rows.count == 1)
    bench.expectNothingHeld()
  }

  @Test func `what is on its way counts against the limit`() throws {
    var limits = Limits()
    limits.tokensPerWorkspaceMax = 2
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    let calls = (0..<3).map { _ in
      let call = bench.engine.nextCall()
      bench.engine.registry.tokens.mint(call, for: id, TokenWish(), actor: "a", now: bench.now)
      return call
    }
    bench.sync()
    #expect(calls.map { bench.replies[$0]?.status } == [201, 201, 409])
    #expect(bench.replies[calls[2]]?.code == "tokens_full")
  }

  @Test func `a revocation counts at once and is answered when it is durable`() throws {
    let token = try mint()
    let call = revoke()
    #expect(opens(token) == nil, "before anything is written")
    bench.turn()
    #expect(bench.replies[call] == nil && bench.isWaitingForBarrier)
    bench.sync()
    #expect(bench.replies[call]?.json["count"]?.int == 1)
    try bench.restart()
    #expect(opens(token) == nil)
    #expect(engine.directory.workspace(id)?.isClaimed == true)
    bench.expectNothingHeld()
  }

  @Test func `revoking all catches what is being made`() throws {
    let minted = begin()
    let call = revoke()
    bench.sync()
    #expect(opens(try secret(minted)) == nil, "made before, and ended with the others")
    #expect(bench.replies[call]?.json["count"]?.int == 1)
    try bench.restart()
    #expect(rows.count == 1 && rows[0]["revoked_at"]?.string != nil)
  }

  @Test func `a token expires exactly at its end`() throws {
    let token = try mint(TokenWish(life: .seconds(60)))
    bench.advance(.seconds(60) - .nanoseconds(1))
    #expect(opens(token) == .workspace(id))
    bench.advance(.nanoseconds(1))
    #expect(opens(token) == nil)
  }

  @Test func `in the grace the older token counts, and never longer than it would have`() throws {
    let short = try mint(TokenWish(life: .seconds(50)))
    let long = try mint()
    let call = rotate(.seconds(100))
    bench.sync()
    let new = try secret(call)
    // A second rotation does not prolong the grace of the first.
    bench.advance(.seconds(20))
    let again = rotate(.seconds(100))
    bench.sync()
    let newest = try secret(again)
    func state() -> [Bool] { [short, long, new, newest].map { opens($0) != nil } }
    #expect(state() == [true, true, true, true])
    bench.advance(.seconds(30))
    #expect(state() == [false, true, true, true])
    bench.advance(.seconds(50))
    #expect(state() == [false, false, true, true])
    bench.advance(.seconds(20))
    #expect(state() == [false, false, false, true])
    try bench.restart()
    #expect(state() == [false, false, false, true])
  }

  @Test func `a poll is not parked beyond a short grace`() throws {
    _ = try mint()
    let poll = bench.poll(id, wait: .seconds(50))
    bench.sync()
    #expect(bench.replies[poll] == nil)
    _ = rotate(.seconds(10))
    bench.sync()
    #expect(bench.replies[poll]?.status == 204, "its agent polls again")
    let other = bench.poll(id, wait: .seconds(50))
    _ = rotate(.seconds(3600))
    bench.sync()
    #expect(bench.replies[other] == nil)
  }

  @Test func `uses are written once a minute, in one batch, and at the end`() throws {
    let tokens = [try mint(), try mint()]
    let commits = { bench.data.registry.walPages }
    let before = commits()
    for _ in 0..<50 {
      bench.advance(.seconds(1))
      for token in tokens {
        let found = try #require(
          engine.directory.credential(Array(token.utf8)[...], at: bench.now.wall)?.use)
        engine.registry.tokens.used(found, now: bench.now)
      }
      bench.sync()
    }
    #expect(commits() == before, "not a page is written for them")
    let shown = rows.compactMap { $0["last_used_at"]?.string }
    #expect(shown.count == 2, "shown from memory")
    #expect(try bench.data.registry.load().tokens.allSatisfy { $0.lastUsedAt == nil })
    bench.wait(.seconds(11))
    #expect(try bench.data.registry.load().tokens.allSatisfy { $0.lastUsedAt != nil })
    #expect(engine.nextDeadline().map { $0 > bench.now.instant + .seconds(3600) } ?? true)
    let use = try #require(
      engine.directory.credential(Array(tokens[0].utf8)[...], at: bench.now.wall)?.use)
    engine.registry.tokens.used(use, now: bench.now)
    func uses() -> Set<String> { Set(rows.compactMap { $0["last_used_at"]?.string }) }
    let last = uses()
    try bench.restart()
    #expect(uses() == last && last.count == 2)
  }

  @Test func `dead tokens leave the list after a time, and the claim stays`() throws {
    let expiring = try mint(TokenWish(life: .seconds(10)))
    _ = try mint()
    _ = revoke()
    bench.sync()
    let live = try mint()
    #expect(rows.count == 3)
    bench.wait(bench.limits.deadTokenKept + .seconds(5))
    #expect(rows.count == 1 && opens(expiring) == nil)
    _ = revoke()
    bench.sync()
    bench.wait(bench.limits.deadTokenKept)
    #expect(rows.isEmpty && opens(live) == nil)
    #expect(try bench.data.registry.load().tokens.isEmpty)
    try bench.restart()
    #expect(engine.directory.workspace(id)?.isClaimed == true)
    let claim = engine.nextCall()
    engine.registry.workspaces.register(
      claim, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
      identity: nil, mode: .claim, now: bench.now)
    bench.sync()
    #expect(bench.replies[claim]?.status == 401)
  }

  @Test func `listed dead tokens are bounded, and the newest stay`() throws {
    var limits = Limits()
    limits.deadTokensMax = 3
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    for _ in 0..<10 {
      let call = bench.engine.nextCall()
      bench.engine.registry.tokens.rotate(
        call, of: id, grace: .zero, own: nil, actor: "a", now: bench.now)
      bench.wait(.seconds(1))
      #expect(bench.replies[call]?.status == 201)
    }
    #expect(
      bench.renderer.registry.tokens(of: id, bench.engine.directory)["count"]?.int ?? 0 <= 4)
    #expect(try bench.data.registry.load().tokens.count <= 4)
  }

  @Test func `every change has its line in the audit, without a secret`() throws {
    let token = try mint()
    let call = rotate(.zero)
    _ = revoke()
    bench.sync()
    let lines = try audit()
    let own = lines.filter { $0.target == id.text }.map(\.action)
    #expect(own == ["token.revoke", "token.rotate", "token.mint", "workspace.create"])
    for secret in [token, try secret(call)] {
      #expect(!lines.contains { "\($0)".contains(secret.dropFirst(5)) })
    }
    #expect(lines.allSatisfy { !$0.actor.isEmpty })
  }
}
