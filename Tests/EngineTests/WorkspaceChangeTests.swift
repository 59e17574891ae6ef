import API
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Changes of a workspace, several of them at once too.
@Suite struct WorkspaceChangeTests {
  let bench: Bench
  let (one, two, three): (WorkspaceID, WorkspaceID, WorkspaceID)
  var engine: Engine { bench.engine }

  init() throws {
    bench = try Bench()
    (one, two, three) = (try bench.create(), try bench.create(), try bench.create())
  }

  private func change(
    _ id: WorkspaceID, name: String? = nil, parent: WorkspaceID?? = nil,
    _ settings: SettingsChange = SettingsChange()
  ) -> CallID {
    let call = engine.nextCall()
    engine.registry.workspaces.change(
      call, id, WorkspaceChange(name: name, parent: parent, settings: settings), actor: "admin",
      now: bench.now)
    return call
  }

  private func parent(_ id: WorkspaceID) -> WorkspaceID? {
    engine.directory.workspace(id)?.row.parent
  }

  @Test func `changes that meet on their way are all kept`() throws {
    _ = change(one, name: "new")
    _ = change(one, SettingsChange(callers: .agent))
    let registered = engine.nextCall()
    let card: JSON = ["name": "Card"]
    engine.registry.workspaces.register(
      registered,
      Registration(
        id: one, cardName: "Card", cardBytes: card.bytes, url: "http://a", wantsPush: false),
      identity: .admin, mode: .claim, now: bench.now)
    bench.turn()
    _ = change(one, parent: .some(two), SettingsChange(keepsAlive: false))
    bench.sync()
    let record = try #require(engine.directory.workspace(one))
    #expect(record.row.name == "new" && record.row.url == "http://a" && record.isClaimed)
    #expect(record.row.card == card.bytes && record.row.parent == two)
    #expect(record.settings.callers == .agent && !record.settings.keepsAlive)
    let stored = try bench.data.registry.load().workspaces.first { $0.id == one }
    #expect(stored == record.row)
    bench.expectNothingHeld()
  }

  @Test func `a change leaves a paused workspace paused, and pauses none`() throws {
    #expect(try bench.pause(one, refusesSends: true).status == 200)
    let call = change(one, name: "new", SettingsChange(keepsAlive: false))
    _ = change(two, try SettingsReader.read(["paused": true, "sends": "refuse", "card_at": 5]))
    bench.sync()
    #expect(bench.replies[call]?.json["settings"]?["paused"]?.bool == true)
    let settings = try #require(engine.directory.workspace(one)?.settings)
    #expect(settings.isPaused && settings.refusesSends && settings.cardAt == bench.now.wall)
    #expect(!settings.keepsAlive)
    #expect(engine.directory.workspace(two)?.settings == Settings())
    #expect(
      try SettingsReader.read(["paused": true, "sends": "refuse", "card_at": 5]).words.isEmpty)
  }

  @Test func `two changes in one turn make no circle together`() throws {
    let first = change(one, parent: .some(two))
    let second = change(two, parent: .some(one))
    bench.sync()
    #expect(bench.replies[first]?.status == 200)
    #expect(bench.replies[second]?.code == "bad_request")
    #expect(parent(one) == two && parent(two) == nil)
    #expect(engine.directory.children(of: two) == [one])
  }

  @Test func `children follow what is set, also over a restart`() throws {
    _ = change(one, parent: .some(two))
    _ = change(three, parent: .some(two))
    bench.sync()
    #expect(engine.directory.children(of: two) == [one, three])
    _ = change(one, parent: .some(nil))
    bench.sync()
    #expect(engine.directory.children(of: two) == [three] && parent(one) == nil)
    try bench.restart()
    #expect(engine.directory.children(of: two) == [three])
  }

  @Test func `a hierarchy is as deep as the limit, what is on its way included`() throws {
    var limits = Limits()
    limits.hierarchyDepthMax = 3
    let bench = try Bench(limits: limits)
    let ids = try (0..<4).map { _ in try bench.create() }
    var calls: [CallID] = []
    for (child, parent) in zip(ids.dropFirst(), ids) {
      let call = bench.engine.nextCall()
      calls.append(call)
      bench.engine.registry.workspaces.change(
        call, child, WorkspaceChange(name: nil, parent: .some(parent), settings: SettingsChange()),
        actor: "a", now: bench.now)
    }
    bench.sync()
    #expect(calls.map { bench.replies[$0]?.status } == [200, 200, 400])
    #expect(bench.replies[calls[2]]?.text.contains("deeper than 3") == true)
    // A tree that is hung below another brings its depth along.
    let call = bench.engine.nextCall()
    bench.engine.registry.workspaces.change(
      call, ids[0], WorkspaceChange(name: nil, parent: .some(ids[3]), settings: SettingsChange()),
      actor: "a",
      now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.status == 400)
  }

  @Test func `a change of what the card shows makes the card new`() throws {
    let before = try #require(engine.registry.workspaces.cardTime(one))
    bench.advance(.seconds(10))
    _ = change(one, SettingsChange(keepsAlive: false))
    bench.sync()
    #expect(engine.registry.workspaces.cardTime(one) == before)
    _ = change(one, name: "other")
    bench.sync()
    #expect(engine.registry.workspaces.cardTime(one) == bench.now.wall)
  }

  @Test func `a claim is taken for an hour, and not from a workspace that holds something`() throws
  {
    func claim(_ id: WorkspaceID) -> Int? {
      let call = engine.nextCall()
      engine.registry.workspaces.register(
        call, Registration(id: id, cardName: "", cardBytes: [], url: "", wantsPush: false),
        identity: nil, mode: .claim, now: bench.now)
      bench.sync()
      return bench.replies[call]?.status
    }
    engine.registry.secrets.set(engine.nextCall(), "KEY", "x", of: two, by: "admin", now: bench.now)
    bench.sync()
    bench.advance(bench.limits.claimWindow - .nanoseconds(1))
    #expect(claim(one) == 200)
    #expect(claim(two) == 401, "it has secrets")
    engine.registry.secrets.delete(engine.nextCall(), "KEY", of: two, by: "admin", now: bench.now)
    bench.sync()
    bench.advance(.nanoseconds(1))
    #expect(claim(three) == 401, "too late")
    #expect(claim(two) == 401)
    let messages = try bench.create()
    try bench.stored(messages)
    #expect(claim(messages) == 401, "it has messages")
  }
}
