import Relay
import Testing
import Wire

@testable import Engine

/// What the timeline of a message shows beside its verbs.
@Suite struct TimelineTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench(limits: Bench.oneAttempt)
    id = try bench.create()
  }

  private func timeline(_ message: MessageID, bodies: Bool = false) throws -> [JSON] {
    let reply = try bench.asked {
      bench.engine.operators.timeline($0.call, message, at: id, bodies: bodies, now: bench.now)
    }
    return reply.json["timeline"]?.array ?? []
  }

  private func names(_ message: MessageID) throws -> [String?] {
    try timeline(message).map { $0["event"]?.string }
  }

  @Test func `a claim stays visible when the lease is lost after it`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id, confirm: true)
    bench.wait(.seconds(1))
    bench.agent(id, held, .claim)
    bench.wait(.seconds(2))
    bench.agent(id, held, .extend(nil))
    bench.wait(.seconds(1))
    #expect(try names(message) == ["stored", "offered", "claimed", "extended"])
    bench.wait(.seconds(400))
    #expect(try names(message).prefix(4) == ["stored", "offered", "claimed", "lease_lost"])
    try bench.restart(isClean: false)
    let claimed = try #require(try timeline(message).first { $0["event"] == "claimed" })
    #expect(claimed["lease"]?.string == LeaseToken.text(held.fence))
  }

  @Test func `a result after the end is shown with its body to who asks for bodies`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    _ = try bench.cancel(id, message)
    let late = try bench.result(id, held, "too late")
    bench.sync()
    #expect(bench.replies[late]?.code == "closed")
    func note(bodies: Bool) throws -> JSON? {
      try timeline(message, bodies: bodies).first { $0["event"] == "result_after_end" }
    }
    let without = try #require(try note(bodies: false))
    #expect(without["body"] == nil)
    #expect(try note(bodies: true)?["body"]?["text"] == "too late")
  }

  @Test func `of a late result that is too long the beginning is shown`() throws {
    let bench = try Bench { $0.lateBodyBytesMax = 12 }
    let id = try bench.create()
    let message = try bench.stored(id)
    let held = try bench.take(id)
    try bench.result(id, held)
    bench.sync()
    try bench.result(id, held, "another")
    bench.sync()
    let reply = try bench.asked {
      bench.engine.operators.timeline($0.call, message, at: id, bodies: true, now: bench.now)
    }
    let note = reply.json["timeline"]?.array?.first { $0["event"] == "result_conflict" }
    #expect(note?["body_start"] == "{\"text\":\"ano")
    #expect(reply.json["answer"]?["text"] == "done")
  }

  @Test func `recorded late results are bounded, and later ones get the same response`() throws {
    let bench = try Bench { $0.lateResultsMax = 2 }
    let id = try bench.create()
    let message = try bench.stored(id)
    let held = try bench.take(id)
    try bench.result(id, held)
    bench.sync()
    for number in 0..<4 {
      let call = try bench.result(id, held, "\(number)")
      bench.wait(.seconds(1))
      #expect(bench.replies[call]?.code == "already_answered")
    }
    let reply = try bench.asked {
      bench.engine.operators.timeline($0.call, message, at: id, bodies: true, now: bench.now)
    }
    let notes = reply.json["timeline"]?.array?.filter { $0["event"] == "result_conflict" } ?? []
    #expect(notes.map { $0["body"]?["text"]?.string } == ["0", "1"])
    let other = try bench.stored(id, "other")
    let cancelled = try bench.take(id)
    #expect(try bench.cancel(id, other).status == 200)
    for _ in 0..<4 {
      let call = try bench.result(id, cancelled)
      bench.sync()
      #expect(bench.replies[call]?.code == "closed")
    }
    let events = try bench.timeline(id, other).names
    #expect(events.filter { $0 == "result_after_end" }.count == 2, "each has a bound of its own")
  }

  private func receive(_ call: CallID) throws {
    let reply = try #require(bench.replies[call])
    bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
    bench.wait(.seconds(2))
  }

  @Test func `the timeline says when the caller had its Task, and when the end`() throws {
    let call = try bench.send(id) { $0.isBlocking = false }
    bench.sync()
    let message = try #require(bench.replies[call]?.messageID)
    bench.wait(.seconds(1))
    try receive(call)
    try bench.result(id, try bench.take(id))
    bench.wait(.seconds(1))
    let get = try bench.getTask(id, message.text)
    bench.sync()
    #expect(bench.replies[get]?.state == "TASK_STATE_COMPLETED")
    try receive(get)
    let events = try timeline(message)
    let received = events.filter { $0["event"] == "reply_received" }
    #expect(received.map { $0["reply"]?.string } == ["task", "end"])
    #expect(events.last?["reply"] == "end")
    #expect(received.first?["at"] != received.last?["at"])
    try bench.restart(isClean: false)
    #expect(try timeline(message) == events)
  }

  @Test func `the timeline says when a caller was told that it is dead`() throws {
    let call = try bench.send(id)
    bench.sync()
    let held = try bench.take(id)
    bench.wait(.seconds(1))
    bench.agent(id, held, .release(delay: nil, reason: "no"))
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_FAILED")
    #expect(try names(held.message).contains("told"))
    try receive(call)
    let last = try #require(try timeline(held.message).last)
    #expect(last["event"] == "reply_received" && last["reply"] == "end")
  }
}
