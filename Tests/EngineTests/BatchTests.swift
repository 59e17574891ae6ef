import Relay
import Testing
import Wire

@testable import Engine

/// Many calls of an agent in one round trip.
@Suite struct BatchTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  private func batch(
    _ verbs: [(Held, AgentVerb)], faults: [BatchFault] = [], polls: Bool = false,
    wait: Duration = .seconds(25)
  ) -> CallID {
    let call = bench.engine.nextCall()
    var parts: [(CallID, Result<AgentCall, BatchFault>)] = []
    for (held, verb) in verbs {
      let part = bench.engine.nextCall()
      parts.append(
        (
          part,
          .success(
            AgentCall(
              call: part, workspace: id, message: held.message, fence: held.fence, verb: verb))
        ))
    }
    for fault in faults { parts.append((bench.engine.nextCall(), .failure(fault))) }
    let poll = Poll(
      id: call, max: 4, bytesMax: 1 << 20, lease: .seconds(60), confirm: false, consumer: "b",
      deadline: bench.now.instant + wait)
    bench.engine.agents.batch(call, parts, poll: polls ? poll : nil, at: id, now: bench.now)
    return call
  }

  private func answer(_ text: String) throws -> AgentVerb {
    let body = Array("{\"text\":\"\(text)\"}".utf8)
    return .result(body: body, state: try AgentResult.parse(body).get().state)
  }

  private func take(_ count: Int) throws -> [Held] {
    for number in 0..<count { try bench.stored(id, "b-\(number)") }
    return try (0..<count).map { _ in try bench.take(id) }
  }

  @Test func `results come together, in order, behind the barrier, faults among them`() throws {
    let held = try take(3)
    let call = batch(
      [(held[0], .claim), (held[1], try answer("x")), (held[2], .release(delay: nil, reason: ""))],
      faults: [BatchFault(.notAnEnd)])
    bench.turn()
    #expect(bench.replies[call] == nil)
    bench.sync()
    let results = try #require(bench.replies[call]?.json["results"]?.array)
    #expect(results.map { $0["status"]?.int } == [200, 200, 200, 400])
    #expect(results[1]["body"]?["status"]?.string == "accepted")
    #expect(results[3]["body"]?["code"]?.string == "not_an_end")
    #expect(bench.replies[call]?.json["poll"] == nil)
    bench.expectNothingHeld()
  }

  @Test func `the next poll is part of the answer`() throws {
    let held = try take(1)
    try bench.stored(id, "next")
    let call = batch([(held[0], try answer("x"))], polls: true)
    bench.sync()
    let json = try #require(bench.replies[call]?.json)
    #expect(json["results"]?.array?.count == 1)
    #expect(json["poll"]?["status"]?.int == 200)
    #expect(json["poll"]?["body"]?["messages"]?.array?.count == 1)
    let waiting = batch([], polls: true, wait: .seconds(5))
    bench.sync()
    #expect(bench.replies[waiting] == nil)
    bench.wait(.seconds(5))
    #expect(bench.replies[waiting]?.json["poll"]?["status"]?.int == 204)
    bench.expectNothingHeld()
  }

  @Test func `a batch of nothing is answered`() {
    let call = batch([])
    bench.turn()
    #expect(bench.replies[call]?.text == "{\"results\":[]}")
  }

  @Test(arguments: [false, true])
  func `what is answered from the file leaves the account of the memory`(isGone: Bool) throws {
    let held = try take(1)
    try bench.result(id, held[0])
    bench.sync()
    let read = try bench.getTask(id, held[0].message.text)
    bench.sync()
    bench.engine.agents.delivered(
      try #require(bench.replies[read]).receipt, received: true, now: bench.now)
    bench.sync()
    #expect(bench.engine.pool[id]?.queue.count == 0, "the message has left memory")
    try bench.stored(id, "b-9")
    let other = try bench.take(id)
    let call = batch([(held[0], try answer("x")), (other, try answer("y"))], polls: true)
    if isGone { bench.engine.agents.pollGone(call, at: id, now: bench.now) }
    bench.sync()
    if !isGone { bench.wait(.seconds(25)) }
    #expect((bench.replies[call] == nil) == isGone)
    bench.expectNothingHeld()
  }

  @Test func `entries kept back for the other parts return when the caller goes`() throws {
    let held = try take(1)
    try bench.stored(id, "next")
    let call = batch([(held[0], try answer("x"))], polls: true)
    bench.turn()
    // The poll has its entry; the result waits for the barrier.
    bench.engine.agents.pollGone(call, at: id, now: bench.now)
    bench.sync()
    #expect(bench.replies[call] == nil)
    bench.expectNothingHeld()
    #expect(try bench.take(id).json["attempt"]?.int == 1)
  }
}
