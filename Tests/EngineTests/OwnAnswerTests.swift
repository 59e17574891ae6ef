import CFaultVFS
import CSQLite
import Relay
import Testing
import Wire

@testable import Engine

/// A workspace that writes to itself asks its agent; while that holds such a message, it answers.
@Suite struct OwnAnswerTests {
  let bench: Bench
  let id: WorkspaceID
  var own: Identity { .workspace(id) }

  init() throws {
    bench = try Bench(vfs: "fault")
    id = try bench.create()
  }

  private var lastSeq: Seq { bench.engine.pool[id]?.queue.lastSeq ?? 0 }

  @Test
  func `what an agent that holds one posts to itself is the answer, durable before it is told`()
    throws
  {
    let asked = try bench.platform(id, "question", caller: own, hold: .seconds(20))
    bench.sync()
    _ = try bench.take(id)
    let answer = try bench.platform(id, "answer", role: "user", caller: own)
    bench.turn()
    #expect(bench.replies[answer] == nil && bench.replies[asked] == nil)
    bench.sync()
    for call in [asked, answer] {
      let result = bench.replies[call]?.json["result"]
      #expect(result?["status"]?["state"]?.string == "completed")
      #expect(result?["parts"]?.array?.first?["text"]?.string == "answer")
      #expect(result?["status"]?["message"]?["role"]?.string == "agent")
    }
    #expect(lastSeq == 1, "no new message")
    bench.expectNothingHeld()
  }

  @Test func `the oldest that is held is answered first, and one that waits is not`() throws {
    let messages = try ["a", "b", "c"].map { try bench.queued(id, $0, caller: own) }
    let poll = bench.poll(id, max: 2, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.entries.count == 2)
    for number in 0..<2 {
      let call = try bench.platform(id, "answer \(number)", caller: own)
      bench.sync()
      #expect(bench.replies[call]?.task?["id"]?.string == messages[number].text)
    }
    let next = try bench.platform(id, "another question", caller: own)
    bench.sync()
    #expect(bench.replies[next]?.json["status"]?.string == "queued")
    #expect(lastSeq == 4)
  }

  @Test func `others' messages are not answered so, and others do not answer`() throws {
    try bench.stored(id)
    _ = try bench.take(id)
    let own = try bench.platform(id, "not for the org's", caller: own)
    bench.sync()
    #expect(bench.replies[own]?.json["status"]?.string == "queued")
    _ = try bench.take(id)
    for caller in [Identity.admin, .org("callers"), .workspace(try bench.create())] {
      let call = try bench.platform(id, "by another", caller: caller)
      bench.sync()
      #expect(bench.replies[call]?.json["status"]?.string == "queued")
    }
  }

  @Test func `the same question attaches, the same answer changes nothing`() throws {
    let first = try bench.platform(id, "q", messageID: "q", caller: own, hold: .seconds(20))
    bench.sync()
    _ = try bench.take(id)
    let again = try bench.platform(id, "q", messageID: "q", caller: own, hold: .seconds(20))
    bench.sync()
    #expect(bench.replies[again] == nil && lastSeq == 1)
    var calls: [CallID] = []
    for _ in 0..<2 { calls.append(try bench.platform(id, "a", messageID: "a", caller: own)) }
    bench.sync()
    calls.append(try bench.platform(id, "a", messageID: "a", caller: own))
    bench.sync()
    for call in calls + [first, again] {
      #expect(bench.replies[call]?.state == "completed")
      #expect(
        bench.replies[call]?.json["result"]?["parts"]?.array?.first?["text"]?.string == "a")
    }
    #expect(lastSeq == 1)
    bench.expectNothingHeld()
  }

  @Test func `an answer that the disk refuses is reported as such, and can come again`() throws {
    let message = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let refused = try bench.platform(id, "answer", caller: own)
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(bench.replies[refused]?.status == 503)
    #expect(bench.replies[refused]?.reason == "NOT_STORED")
    bench.expectNothingHeld()
    let again = try bench.platform(id, "answer", caller: own)
    bench.sync()
    #expect(bench.replies[again]?.task?["id"]?.string == message.text)
    #expect(bench.replies[again]?.state == "completed" && lastSeq == 1)
  }

  @Test func `an answer by its role counts after its lease too, a question then is a question`()
    throws
  {
    let message = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    bench.wait(.seconds(301))
    let question = try bench.platform(id, "another", caller: own)
    bench.sync()
    #expect(bench.replies[question]?.json["status"]?.string == "queued")
    let late = try bench.platform(id, "late", role: "agent", caller: own)
    bench.sync()
    #expect(bench.replies[late]?.task?["id"]?.string == message.text)
    #expect(bench.replies[late]?.state == "completed" && lastSeq == 2)
  }

  @Test func `an agent that goes on after a restart answers by the lease of before`() throws {
    let message = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    try bench.restart(isClean: false)
    let answer = try bench.platform(id, "answer", caller: own)
    bench.sync()
    #expect(bench.replies[answer]?.task?["id"]?.string == message.text)
    #expect(bench.replies[answer]?.state == "completed" && lastSeq == 1)
  }

  @Test func `while the relay stops, answers are still taken`() throws {
    _ = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    bench.engine.shutDown(now: bench.now)
    let answer = try bench.platform(id, "answer", caller: own)
    bench.sync()
    #expect(bench.replies[answer]?.state == "completed")
    bench.expectNothingHeld()
  }

  @Test func `an answer that waits for a file to be closed is still an answer`() throws {
    var limits = Limits()
    limits.openWorkspacesMax = 1
    let bench = try Bench(limits: limits)
    let ids = [try bench.create(), try bench.create()]
    let message = try bench.queued(ids[0], "question", caller: .workspace(ids[0]))
    _ = try bench.take(ids[0])
    bench.wait(.seconds(2))
    try bench.stored(ids[1])
    #expect(bench.engine.pool[ids[0]]?.isOpen == false)
    // In one turn: the other's file has work, and cannot be closed before its barrier.
    try bench.send(ids[1]) { $0.messageID = "busy" }
    let answer = try bench.platform(ids[0], "answer", caller: .workspace(ids[0]))
    #expect(bench.engine.pool.fileWaiters.count == 1)
    for _ in 0..<5 where bench.replies[answer] == nil { bench.wait(.milliseconds(100)) }
    #expect(bench.replies[answer]?.task?["id"]?.string == message.text)
    #expect(bench.replies[answer]?.state == "completed")
  }

  @Test func `as many answers are remembered as the limit says`() throws {
    var limits = Limits()
    limits.ownAnswersKept = 2
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    for number in 0..<3 {
      _ = try bench.queued(id, "q\(number)", caller: .workspace(id))
      _ = try bench.take(id)
      try bench.platform(id, "a\(number)", messageID: "a\(number)", caller: .workspace(id))
      bench.sync()
    }
    for isRead in [false, true] {
      if isRead { try bench.restart() }
      let known = try (0..<3).map { number in
        let call = try bench.platform(
          id, "a\(number)", messageID: "a\(number)", caller: .workspace(id))
        bench.sync()
        return bench.replies[call]?.state == "completed"
      }
      // The one that is forgotten is a question now.
      #expect(known == [false, true, true])
    }
  }

  @Test(arguments: [nil, true, false])
  func `an answer without an id sent again changes nothing`(isClean: Bool?) throws {
    let message = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    for number in 0..<3 {
      if number == 2, let isClean { try bench.restart(isClean: isClean) }
      let answer = try bench.platform(id, "done", role: "agent", caller: own)
      bench.sync()
      #expect(bench.replies[answer]?.task?["id"]?.string == message.text)
      #expect(bench.replies[answer]?.state == "completed" && lastSeq == 1)
    }
    bench.expectNothingHeld()
  }

  @Test func `two without an id that are alike answer two, on their way or after`() throws {
    let messages = try ["a", "b", "c"].map { try bench.queued(id, $0, caller: own) }
    let poll = bench.poll(id, max: 3, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.entries.count == 3)
    let calls = try (0..<2).map { _ in
      try bench.platform(id, "done", role: "agent", caller: own)
    }
    bench.sync()
    let last = try bench.platform(id, "done", role: "agent", caller: own)
    bench.sync()
    let answered = (calls + [last]).map { bench.replies[$0]?.task?["id"]?.string }
    #expect(answered == messages.map { $0.text })
  }

  @Test(arguments: [nil, true, false])
  func `with a key an answer is the same whatever is held, another key is another answer`(
    isClean: Bool?
  ) throws {
    let messages = try ["a", "b"].map { try bench.queued(id, $0, caller: own) }
    let poll = bench.poll(id, max: 2, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.entries.count == 2)
    for number in 0..<3 {
      if number == 2, let isClean { try bench.restart(isClean: isClean) }
      let answer = try bench.platform(id, "done", role: "user", caller: own, key: "k-1")
      bench.sync()
      #expect(bench.replies[answer]?.task?["id"]?.string == messages[0].text)
      #expect(bench.replies[answer]?.state == "completed")
    }
    let other = try bench.platform(id, "done", role: "user", caller: own, key: "k-2")
    bench.sync()
    #expect(bench.replies[other]?.task?["id"]?.string == messages[1].text)
    #expect(lastSeq == 2)
  }

  @Test func `a question with a key and without an id is no answer to itself`() throws {
    let ask = { try bench.platform(id, "q", caller: own, hold: .seconds(20), key: "k-1") }
    let first = try ask()
    let again = try ask()
    bench.sync()
    let held = try bench.take(id)
    let third = try ask()
    bench.sync()
    #expect(bench.replies[third] == nil && lastSeq == 1)
    try bench.result(id, held)
    bench.sync()
    for call in [first, again, third] { #expect(bench.replies[call]?.state == "completed") }
    bench.expectNothingHeld()
  }

  @Test func `an answer to what was cancelled is refused each time, and is no new message`() throws
  {
    let message = try bench.queued(id, "question", caller: own)
    _ = try bench.take(id)
    #expect(try bench.cancel(id, message).status == 200)
    for _ in 0..<2 {
      let answer = try bench.platform(id, "late", role: "agent", caller: own)
      bench.sync()
      #expect(bench.replies[answer]?.status == 409 && bench.replies[answer]?.reason == "CLOSED")
    }
    #expect(lastSeq == 1)
  }

  @Test func `who brings the answer has not received it for who has asked`() throws {
    let asked = try bench.platform(id, "q", messageID: "q", caller: own, hold: .seconds(20))
    bench.sync()
    bench.engine.callers.callerGone(asked, now: bench.now)
    _ = try bench.take(id)
    let answer = try bench.platform(id, "a", caller: own)
    bench.sync()
    let told = try #require(bench.replies[answer])
    #expect(told.state == "completed")
    bench.engine.agents.delivered(told.receipt, received: true, now: bench.now)
    bench.wait(.seconds(2))
    let again = try bench.platform(id, "q", messageID: "q", caller: own, hold: .seconds(20))
    bench.sync()
    #expect(bench.replies[again]?.state == "completed" && lastSeq == 1, "it attaches")
  }
}
