import Relay
import Testing
import Wire

@testable import Engine

/// What another process finds on the same directory.
@Suite struct RestartTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  @Test(arguments: [true, false])
  func `unanswered messages come back, and an equal call attaches`(isClean: Bool) throws {
    try bench.send(id)
    bench.sync()
    try bench.restart(isClean: isClean)
    let retry = try bench.send(id) { $0.id = "9" }
    bench.sync()
    let held = try bench.take(id)
    #expect(held.json["text"]?.string == "hello")
    #expect(held.json["redelivered"]?.bool == false)
    #expect(held.json["request"]?["method"]?.string == "POST")
    try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[retry]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[retry]?.json["id"] == .number("9"))
    #expect(bench.engine.pool[id]?.queue.lastSeq == 1)
  }

  @Test(arguments: [true, false])
  func `a lease from before is taken over by its token`(isClean: Bool) throws {
    try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    try bench.restart(isClean: isClean)
    let poll = bench.poll(id, wait: .zero)
    let extend = bench.agent(id, held, .extend(nil))
    bench.sync()
    #expect(bench.replies[poll]?.status == 204)
    #expect(bench.replies[extend]?.json["status"]?.string == "leased")
    let result = try bench.result(id, held)
    bench.sync()
    #expect(bench.replies[result]?.text == "{\"status\":\"accepted\"}")
  }

  @Test func `what was handed out comes again after the grace, marked`() throws {
    try bench.send(id)
    bench.sync()
    let poll = bench.poll(id, lease: .seconds(5))
    bench.sync()
    let old = try Held(try #require(bench.replies[poll]?.entries.first))
    try bench.restart(isClean: false)
    bench.poll(id, wait: .zero)
    bench.sync()
    bench.wait(.seconds(30))
    bench.wait(.seconds(5))
    let new = try bench.take(id)
    #expect(new.message == old.message && new.fence > old.fence)
    #expect(new.json["redelivered"]?.bool == true && new.json["attempt"]?.int == 2)
    let late = try bench.result(id, old)
    bench.sync()
    #expect(bench.replies[late]?.json["late"]?.bool == true)
  }

  @Test func `an answer that nobody received waits for the retry`() throws {
    let call = try bench.send(id)
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[call] != nil)
    try bench.restart(isClean: false)
    let retry = try bench.send(id)
    bench.sync()
    #expect(bench.replies[retry]?.state == "TASK_STATE_COMPLETED")
    let reply = try #require(bench.replies[retry])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    bench.wait(.seconds(1))
    try bench.restart()
    try bench.send(id)
    #expect(bench.engine.pool[id]?.queue.lastSeq == 2)
  }

  @Test func `after a power cut every unanswered message counts as handed out`() throws {
    let strict = try bench.create(whenOffline: .error)
    try bench.send(strict)
    bench.sync()
    try bench.restart(isClean: false, boot: "boot-2")
    let retry = try bench.send(strict) { $0.hold = .seconds(5) }
    bench.wait(.seconds(6))
    #expect(bench.replies[retry]?.delivered == "unknown")
    #expect(try bench.take(strict).json["redelivered"]?.bool == true)
  }

  @Test func `tokens, cards, settings and the timeline survive`() throws {
    let call = bench.engine.nextCall()
    let card = Array("{\"name\":\"Carla\",\"description\":\"d\"}".utf8)
    bench.engine.registry.workspaces.register(
      call,
      Registration(
        id: id, cardName: "Carla", cardBytes: card, url: "http://a", wantsPush: true),
      identity: nil, mode: .claim, now: bench.now)
    bench.sync()
    let secret = try #require(bench.replies[call]?.json["auth_token"]?.string)
    #expect(bench.replies[call]?.json["warning"] != nil)
    let message = try bench.stored(id)
    try bench.result(id, try bench.take(id))
    bench.sync()
    try bench.restart()
    #expect(
      bench.engine.directory.identity(ofSecret: secret, at: bench.now.wall) == .workspace(id))
    #expect(bench.engine.directory.workspace(id)?.row.url == "http://a")
    let shown = try #require(bench.engine.registry.workspaces.card(id))
    #expect(String(decoding: shown.bytes, as: UTF8.self).contains("Carla"))
    let names = try bench.timeline(id, message)["timeline"]?.array?.map { $0["event"]?.string }
    #expect(names == ["stored", "handed_out", "answered"])
  }

  @Test func `a conversation goes on after a restart`() throws {
    let message = try bench.stored(id)
    try bench.result(id, try bench.take(id), "more?", state: "input-required")
    bench.sync()
    try bench.restart(isClean: false)
    let call = try bench.send(id) {
      $0.messageID = "m-2"
      $0.task = message.text
    }
    bench.sync()
    try bench.result(id, try bench.take(id))
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
    #expect(bench.replies[call]?.text.contains("more?") == true)
  }
}
