import Relay
import Testing
import Wire

@testable import Engine

/// What the workspaces of one org may take of what all orgs share.
@Suite struct OrgUseTests {
  private static func bench(_ change: (inout Limits) -> Void) throws -> Bench {
    let bench = try Bench {
      ($0.cardsPerOrgBytesMax, $0.cardsBytesMax) = (2500, 4500)
      change(&$0)
    }
    for org in ["one", "two", "three"] {
      bench.engine.registry.orgs.create(
        bench.engine.nextCall(), RegisteredOrg(id: org, name: org), actor: "admin",
        now: bench.now)
    }
    bench.sync()
    return bench
  }

  private static func make(_ bench: Bench, _ org: String) -> (id: WorkspaceID, call: CallID) {
    let call = bench.engine.nextCall()
    let id = WorkspaceID(random: UInt64(call), UInt64(call))
    bench.engine.registry.workspaces.create(
      call, id: id, name: "", settings: Settings(), org: org, now: bench.now)
    return (id, call)
  }

  private static func register(
    _ bench: Bench, _ id: WorkspaceID, _ bytes: Int, url: String = ""
  ) -> CallID {
    let card: JSON = ["x": .string(String(repeating: "x", count: max(0, bytes - 8)))]
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.register(
      call, Registration(id: id, cardName: "", cardBytes: card.bytes, url: url, wantsPush: false),
      identity: .admin, mode: .claim, now: bench.now)
    return call
  }

  private static func remove(_ bench: Bench, _ id: WorkspaceID, purge: Bool) {
    bench.engine.registry.removals.remove(
      bench.engine.nextCall(), id, purge: purge, actor: "admin", now: bench.now)
    bench.sync()
    bench.wait(.seconds(1))
    bench.sync()
  }

  @Test func `an org's cards have a bound, also those that are on their way`() throws {
    let bench = try Self.bench { _ in }
    let ids = (0..<4).map { _ in Self.make(bench, "one").id }
    bench.sync()
    let calls = ids.map { Self.register(bench, $0, 1000) }
    bench.sync()
    #expect(calls.map { bench.replies[$0]?.code } == [nil, nil, "cards_full", "cards_full"])
    #expect(bench.engine.directory.uses["one"] == .init(workspaces: 4, cardBytes: 2000))
    // The same one again, a smaller one, and one that just fits.
    for (bytes, code) in [(1000, nil), (500, nil), (1500, nil), (1501, "cards_full")] {
      let call = Self.register(bench, ids[0], bytes)
      bench.sync()
      #expect(bench.replies[call]?.code == code, "\(bytes)")
    }
    // A url takes as much as a card.
    let url = Self.register(bench, ids[2], 8, url: String(repeating: "u", count: 100))
    let update = bench.engine.nextCall()
    bench.engine.registry.workspaces.updateCard(
      update, Array(repeating: 0x20, count: 1100), of: ids[1], actor: "x", now: bench.now)
    bench.sync()
    #expect(bench.replies[url]?.code == "cards_full")
    #expect(bench.replies[update]?.code == "cards_full")
  }

  @Test func `all orgs together have a bound, and what is purged makes room`() throws {
    let bench = try Self.bench { _ in }
    let ids = ["one", "two", "three"].map { Self.make(bench, $0).id }
    bench.sync()
    let calls = ids.map { Self.register(bench, $0, 2000) }
    bench.sync()
    #expect(calls.map { bench.replies[$0]?.code } == [nil, nil, "cards_full"])
    // Removed it can come back, with its card.
    Self.remove(bench, ids[0], purge: false)
    let refused = Self.register(bench, ids[2], 2000)
    bench.sync()
    #expect(bench.replies[refused]?.code == "cards_full")
    #expect(bench.engine.directory.uses["one"] == .init(workspaces: 1, cardBytes: 2000))
    Self.remove(bench, ids[0], purge: true)
    #expect(bench.engine.directory.uses["one"] == .init())
    let taken = Self.register(bench, ids[2], 2000)
    bench.sync()
    #expect(bench.replies[taken]?.status == 200)
    #expect(bench.engine.directory.uses.cardBytes == 4000)
    try bench.restart()
    #expect(bench.engine.directory.uses.cardBytes == 4000, "counted again at the start")
    #expect(bench.engine.directory.uses["three"] == .init(workspaces: 1, cardBytes: 2000))
  }

  @Test func `an org's workspaces have a bound, and those of others do not count`() throws {
    let bench = try Self.bench { $0.workspacesPerOrgMax = 2 }
    let made = (0..<3).map { _ in Self.make(bench, "one") }
    let other = Self.make(bench, "two")
    bench.sync()
    #expect(
      (made + [other]).map { bench.replies[$0.call]?.code } == [nil, nil, "workspaces_full", nil])
    Self.remove(bench, made[0].id, purge: false)
    let again = Self.make(bench, "one")
    bench.sync()
    #expect(bench.replies[again.call]?.code == "workspaces_full", "it can be restored")
    Self.remove(bench, made[0].id, purge: true)
    let last = Self.make(bench, "one")
    bench.sync()
    #expect(bench.replies[last.call]?.status == 201)
  }

  @Test func `a workspace that registration makes counts as any other`() throws {
    let bench = try Self.bench { $0.workspacesPerOrgMax = 1 }
    let open = { (number: UInt64, bytes: Int) in
      let call = bench.engine.nextCall()
      let card: JSON = ["x": .string(String(repeating: "x", count: bytes - 8))]
      bench.engine.registry.workspaces.register(
        call,
        Registration(
          id: WorkspaceID(random: number, number), cardName: "", cardBytes: card.bytes, url: "",
          wantsPush: false), identity: nil, mode: .open, now: bench.now)
      bench.sync()
      return bench.replies[call]
    }
    #expect(open(1, 2501)?.code == "cards_full")
    #expect(bench.engine.directory.workspaces.isEmpty, "nothing is made for it")
    #expect(open(2, 2000)?.status == 200)
    #expect(open(3, 8)?.code == "workspaces_full")
  }

  @Test func `made cards are kept up to a bound, the newest ones`() {
    var made = MadeCards()
    let ids = (0..<400).map { WorkspaceID(random: $0, $0) }
    let card = { (count: Int) in (bytes: [UInt8](repeating: 1, count: count), etag: "\(count)") }
    for id in ids { made.keep(card(10), of: id, bytesMax: 100) }
    #expect(made.bytes == 100 && made[ids[389]] == nil && made[ids[390]] != nil)
    made.drop(ids[399])
    #expect(made.bytes == 90 && made[ids[399]] == nil)
    made.keep(card(20), of: ids[398], bytesMax: 100)
    #expect(made.bytes == 100 && made[ids[398]]?.etag == "20")
    made.keep(card(101), of: ids[0], bytesMax: 100)
    #expect(made.bytes == 0)
  }

  @Test func `a card is built again after it has left the cache`() throws {
    let bench = try Self.bench { $0.madeCardsBytesMax = 1 }
    let id = Self.make(bench, "one").id
    bench.sync()
    let first = try #require(bench.engine.registry.workspaces.card(id))
    #expect(bench.engine.directory.made[id] == nil)
    #expect(bench.engine.registry.workspaces.card(id)?.etag == first.etag)
  }
}
