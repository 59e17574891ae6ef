import Relay
import Store
import Testing

@Suite struct RegistryFileTests {
  let scratch: Scratch
  let hash = [UInt8](0..<32)

  init() throws { scratch = try Scratch() }

  private func reopened(_ rounds: [RegistryWrite]...) throws -> RegistrySnapshot {
    do {
      let registry = try scratch.open().registry
      for writes in rounds { try registry.commit(writes) }
      registry.markSynced()
      try registry.close()
    }
    return try scratch.open().registry.load()
  }

  private var agentToken: RegisteredToken {
    RegisteredToken(
      hash: hash, workspace: workspace, org: "o", kind: .agent, createdAt: start,
      fingerprint: "ab12")
  }

  @Test func `orgs, workspaces and tokens come back whole`() throws {
    let org = RegisteredOrg(id: "o", name: "Org")
    var full = RegisteredWorkspace(
      id: workspace, name: "Agent", org: "o", createdAt: start, card: bytes("{}"), url: "http://a",
      settings: "{\"a\":1}", state: .removed, removedAt: start + .seconds(1),
      nextWakeAt: start + .seconds(2), lastSeenAt: start + .seconds(3),
      parent: WorkspaceID(UUIDBytes(high: 8, low: 9)))
    full.claimedAt = start + .seconds(4)
    full.claim = TokenOrigin(by: "anonymous", from: "10.0.0.1", via: "192.0.2.7")
    let key = RegisteredToken(
      hash: hash.reversed(), workspace: nil, org: "o", kind: .org, scopes: [.send, .read],
      createdAt: start, expiresAt: start + .seconds(4), lastUsedAt: start + .seconds(5),
      fingerprint: "cd34", revokedAt: start + .seconds(6), name: "ci",
      origin: TokenOrigin(by: "admin", from: "a", via: "b"))
    let found = try reopened([
      .createOrg(org), .createWorkspace(full), .addToken(agentToken), .addToken(key),
    ])
    #expect(found.orgs == [org])
    #expect(found.workspaces == [full])
    #expect(found.tokens == [agentToken, key])
  }

  @Test func `an update writes every column`() throws {
    var row = RegisteredWorkspace(id: workspace, name: "a", org: "o", createdAt: start)
    let first = row
    row.name = "b"
    row.card = bytes("{\"name\":\"b\"}")
    row.url = "https://b"
    row.settings = "{}"
    row.parent = WorkspaceID(UUIDBytes(high: 8, low: 9))
    row.claimedAt = start
    row.claim = TokenOrigin(by: "admin")
    #expect(try reopened([.createWorkspace(first)], [.updateWorkspace(row)]).workspaces == [row])
  }

  @Test func `a pulse changes nothing of the row`() throws {
    var row = RegisteredWorkspace(
      id: workspace, name: "a", org: "o", createdAt: start, nextWakeAt: .never)
    let first = row
    row.nextWakeAt = nil
    row.lastSeenAt = start
    let found = try reopened([.createWorkspace(first)], [.pulses([WorkspacePulse(row)])])
    #expect(found.workspaces == [row])
  }

  @Test func `a deleted workspace is gone`() throws {
    let row = RegisteredWorkspace(id: workspace, name: "a", org: "o", createdAt: start)
    #expect(try reopened([.createWorkspace(row)], [.deleteWorkspace(workspace)]).workspaces.isEmpty)
  }

  @Test func `secrets come back, the last value of each, and go with their workspace`() throws {
    let row = RegisteredWorkspace(id: workspace, name: "a", org: "o", createdAt: start)
    func secret(_ key: String, _ value: String, _ age: Int = 0) -> RegisteredSecret {
      RegisteredSecret(
        workspace: workspace, key: key, value: value, createdAt: start,
        updatedAt: start + .seconds(age))
    }
    var again = secret("A", "two", 9)
    again.createdAt = start + .seconds(9)
    let rounds: [RegistryWrite] = [
      .createWorkspace(row), .putSecret(secret("A", "one")), .putSecret(secret("B", "b")),
      .putSecret(secret("C", "")), .putSecret(again), .deleteSecret(workspace, key: "B"),
      .deleteSecret(workspace, key: "no such"),
    ]
    #expect(try reopened(rounds).secrets == [secret("A", "two", 9), secret("C", "")])
    #expect(try reopened([.deleteWorkspace(workspace)]).secrets.isEmpty)
  }

  @Test func `a revoked token stays with the time of its end`() throws {
    let found = try reopened(
      [.addToken(agentToken)],
      [
        .expireToken(hash: hash, at: start + .seconds(1)),
        .touchTokens([RegistryWrite.Use(hash: hash, at: start + .seconds(2))]),
        .revokeToken(hash: hash, at: start + .seconds(3)),
      ])
    let token = try #require(found.tokens.first)
    #expect(token.expiresAt == start + .seconds(1))
    #expect(token.lastUsedAt == start + .seconds(2))
    #expect(token.revokedAt == start + .seconds(3))
  }

  @Test func `a deleted token is gone, and a use of it is passed over`() throws {
    let use = RegistryWrite.Use(hash: hash, at: start + .seconds(2))
    let found = try reopened(
      [.addToken(agentToken)], [.deleteToken(hash: hash)], [.touchTokens([use])])
    #expect(found.tokens.isEmpty)
  }

  @Test func `the audit shows the newest first`() throws {
    let registry = try scratch.open().registry
    let entries = (1...3).map {
      AuditEntry(
        at: start, actor: "admin", action: .tokenRevoke, target: .org("\($0)"), detail: "detail")
    }
    try registry.commit(entries.map { .audit($0) })
    let page = try registry.audit(limit: 2)
    #expect(page.map(\.id) == [3, 2] && page.map(\.target) == ["3", "2"])
    #expect(page[0].actor == "admin" && page[0].detail == "detail" && page[0].at == start)
    #expect(try registry.audit(before: 2, limit: 2).map(\.target) == ["1"])
  }

  @Test func `the audit loses its oldest lines, a few at a time, and never its newest`() throws {
    let registry = try scratch.open().registry
    func add(_ seconds: Int64) -> RegistryWrite {
      .audit(
        AuditEntry(
          at: start + .seconds(seconds), actor: "a", action: .keyMint, target: .relay))
    }
    func ids() throws -> [Int64] { try registry.audit(limit: 100).map(\.id) }
    try registry.commit((1...10).map { add($0) })
    try registry.commit([.trimAudit(before: nil, keep: 5, rows: 3)])
    #expect(try ids() == [10, 9, 8, 7, 6, 5, 4])
    try registry.commit([.trimAudit(before: nil, keep: 5, rows: 3)])
    try registry.commit([.trimAudit(before: nil, keep: 5, rows: 3)])
    #expect(try ids() == [10, 9, 8, 7, 6])
    try registry.commit([.trimAudit(before: start + .seconds(8), keep: 5, rows: 3)])
    #expect(try ids() == [10, 9, 8])
    try registry.commit([.trimAudit(before: start + .seconds(99), keep: 5, rows: 9)])
    #expect(try ids() == [10])
    // The clock is compared with it at the next start.
    #expect(try registry.newestAt() == start + .seconds(10))
  }

  @Test func `one wrong write undoes the whole list`() throws {
    let registry = try scratch.open().registry
    let org = RegisteredOrg(id: "o", name: "Org")
    #expect(throws: StoreError.self) { try registry.commit([.createOrg(org), .createOrg(org)]) }
    #expect(try registry.load().orgs.isEmpty)
    try registry.commit([.createOrg(org)])
    #expect(try registry.load().orgs == [org])
  }

  @Test func `every start has a higher boot number, also after a kill`() throws {
    for expected in 1...3 as ClosedRange<UInt32> {
      let registry = try scratch.open().registry
      #expect(try registry.raiseBoot() == expected)
      #expect(!registry.isDirty)
      registry.abandon()
    }
  }

  @Test func `another boot of the kernel is a power cut`() throws {
    do {
      let registry = try scratch.open(boot: "boot-1").registry
      #expect(try registry.isAfterPowerCut() == false)
      _ = try registry.raiseBoot()
    }
    do { #expect(try scratch.open(boot: "boot-1").registry.isAfterPowerCut() == false) }
    let registry = try scratch.open(boot: "boot-2").registry
    #expect(try registry.isAfterPowerCut())
    _ = try registry.raiseBoot()
    #expect(try registry.isAfterPowerCut() == false)
  }

  @Test func `what is known of the clocks comes back, and what cannot be read is nothing`() throws {
    let registry = try scratch.open().registry
    #expect(try registry.clock() == nil)
    var record = ClockRecord(
      boot: "boot 1/life", wall: start, instant: Instant(nanoseconds: 7),
      doubtfulUntil: Instant(nanoseconds: .min), believed: start + .seconds(1))
    try registry.commit([.clock(record)])
    #expect(try registry.clock() == record)
    record.wall = WallTime(nanoseconds: -1)
    try registry.commit([.clock(record)])
    #expect(try registry.clock() == nil)
  }
}
