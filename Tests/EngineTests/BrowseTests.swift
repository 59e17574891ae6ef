import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What operators see of a queue, page by page.
@Suite struct BrowseTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    var limits = Bench.oneAttempt
    limits.listRowsMax = 5
    bench = try Bench(limits: limits)
    id = try bench.create()
  }

  /// Every page of a list, one after the other.
  private func pages(_ states: MessageFilter.States, limit: Int = 3) throws -> [String] {
    var ids: [String] = []
    var after: Seq = 0
    for _ in 0..<100 {
      let page = try bench.list(id, states, after: after, limit: limit)
      #expect(page.ids.count <= limit)
      ids += page.ids
      guard let next = page["next"]?.string else { return ids }
      after = try #require(Seq(next))
    }
    Issue.record("the pages do not end")
    return ids
  }

  @Test func `every message is in the pages of its state, and once`() throws {
    var expected: [MessageFilter.States: [String]] = [:]
    for number in 0..<24 {
      let message = try bench.stored(id, "m-\(number)").text
      switch number % 4 {
      case 0:
        try bench.result(id, try bench.take(id))
        bench.sync()
        expected[.answered, default: []].append(message)
      case 1:
        bench.agent(id, try bench.take(id), .release(delay: nil, reason: ""))
        bench.sync()
        expected[.dead, default: []].append(message)
      case 2:
        #expect(try bench.cancel(id, try #require(MessageID(message))).status == 200)
        expected[.cancelled, default: []].append(message)
      default:
        _ = try bench.take(id)
        expected[.inFlight, default: []].append(message)
      }
    }
    let queued = try (0..<7).map { try bench.stored(id, "q-\($0)").text }
    expected[.queued] = queued
    for (states, ids) in expected { #expect(try pages(states) == ids, "\(states)") }
    #expect(try pages([]).count == 31)
    #expect(try pages([.dead, .answered]).count == 12)
    #expect(try pages(.unreceived).count == 18)
    let counts = try bench.queue(id)["counts"]
    #expect(counts?["queued"]?.int == 7 && counts?["in_flight"]?.int == 6)
    #expect(counts?["unanswered"]?.int == 13 && counts?["dead"]?.int == 6)
    bench.expectNothingHeld()
  }

  @Test func `a list of a time begins there, and ends there`() throws {
    var ids: [String] = []
    var times: [WallTime] = []
    for number in 0..<20 {
      bench.advance(.seconds(60))
      times.append(bench.now.wall)
      ids.append(try bench.stored(id, "m-\(number)").text)
    }
    var page = MessagePage(limit: 100)
    page.filter.since = times[7]
    page.filter.until = times[10]
    let json = try bench.asked { bench.engine.operators.messages($0, page, at: id, now: bench.now) }
      .json
    #expect(json.ids == Array(ids[7..<10]) && json["next"] == nil)
  }

  @Test func `the view of a message says how it stands`() throws {
    let message = try bench.stored(id)
    let held = try bench.take(id)
    let entry = try #require(try bench.list(id)["messages"]?.array?.first)
    #expect(entry["state"] == "in_flight" && entry["attempts"]?.int == 1)
    #expect(entry["seq"]?.int == 1 && entry["caller"] == "org:callers")
    #expect(entry["method"] == "SendMessage" && entry["dialect"] == "1.0")
    #expect(entry["task_id"]?.string == message.text && entry["message_id"] == "m-1")
    #expect(entry["received"] == false && entry["bytes"]?.int ?? 0 > 0)
    try bench.result(id, held, "forty-two")
    bench.sync()
    let call = bench.engine.nextCall()
    bench.engine.operators.timeline(call, message, at: id, bodies: true, now: bench.now)
    bench.sync()
    let json = try #require(bench.replies[call]?.json)
    #expect(json["answer"]?["text"] == "forty-two")
    #expect(json["request"]?["body"]?.string?.contains("hello") == true)
  }

  @Test func `the ages are those of the oldest, wherever they stand`() throws {
    for number in 0..<12 {
      try bench.stored(id, "m-\(number)")
      try bench.result(id, try bench.take(id))
      bench.sync()
    }
    #expect(try bench.queue(id)["oldest_unanswered_age_seconds"] == .null)
    bench.advance(.seconds(30))
    try bench.stored(id, "last")
    bench.advance(.seconds(12))
    let queue = try bench.queue(id)
    #expect(queue["oldest_unanswered_age_seconds"]?.int == 12)
    #expect(queue["oldest_unreceived_age_seconds"]?.int ?? 0 >= 42)
    #expect(queue["agent"] == "present" || queue["agent"] == "away")
    #expect(queue["limits"]?["messages"]?.int == bench.limits.queueMessagesMax)
  }
}
