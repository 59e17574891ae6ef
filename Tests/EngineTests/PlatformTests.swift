import Relay
import Store
import Testing
import Wire

@testable import Engine

/// The platform's way in: the same queue, other answers.
@Suite struct PlatformTests {
  let bench: Bench
  let id: WorkspaceID

  init() throws {
    bench = try Bench()
    id = try bench.create()
  }

  @Test func `what is stored and not answered has one form, in this order`() throws {
    let call = try bench.platform(id, "hello")
    bench.turn()
    #expect(bench.replies[call] == nil, "not before its barrier")
    bench.sync()
    let reply = try #require(bench.replies[call])
    let message = try #require(reply.messageID)
    #expect(reply.status == 200)
    #expect(
      reply.json.object?.map(\.key) == [
        "jsonrpc", "id", "result", "status", "delivery_mode", "method", "queue_id",
      ])
    #expect(reply.state == "submitted" && reply.json["id"]?.int == 1)
    #expect(
      reply.text.hasSuffix(
        ",\"status\":\"queued\",\"delivery_mode\":\"poll\",\"method\":\"message/send\","
          + "\"queue_id\":\"\(message.text)\"}"))
    #expect(reply.text == String(decoding: reply.json.bytes, as: UTF8.self), "compact")
    #expect(reply.json["queued"] == nil, "that would mean another mode of delivery")
    bench.expectNothingHeld()
  }

  @Test func `a held caller gets the Task with its text at the top`() throws {
    let call = try bench.platform(id, "hello", hold: .seconds(20))
    bench.sync()
    try bench.result(id, try bench.take(id), "hi")
    bench.turn()
    #expect(bench.replies[call] == nil)
    bench.sync()
    let reply = try #require(bench.replies[call])
    #expect(reply.json.object?.map(\.key) == ["jsonrpc", "id", "result"])
    #expect(reply.json["result"]?["parts"]?.array?.first?["text"]?.string == "hi")
    #expect(reply.state == "completed")
    bench.expectNothingHeld()
  }

  @Test func `at a workspace's URL nothing is added`() throws {
    let call = try bench.send(id) { $0.isCurrent = false }
    bench.sync()
    try bench.result(id, try bench.take(id), "hi")
    bench.sync()
    #expect(bench.replies[call]?.json["result"]?["parts"] == nil)
    #expect(bench.replies[call]?.json.object?.count == 3)
  }

  @Test func `when the hold ends the message is queued, whatever the workspace says of absence`()
    throws
  {
    for id in [id, try bench.create(whenOffline: .error)] {
      let call = try bench.platform(id, "hello", hold: .seconds(20))
      bench.sync()
      bench.wait(.seconds(19))
      #expect(bench.replies[call] == nil)
      bench.wait(.seconds(1))
      #expect(bench.replies[call]?.json["status"]?.string == "queued")
      #expect(bench.engine.pool[id]?.queue.unanswered == 1)
    }
    bench.expectNothingHeld()
  }

  @Test func `an end without an answer is a Task that says why`() throws {
    var limits = Limits()
    limits.timeToLive = .seconds(10)
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    let call = try bench.platform(id, "hello", hold: .seconds(20))
    bench.sync()
    bench.wait(.seconds(11))
    #expect(bench.replies[call]?.state == "failed")
    let text = bench.replies[call]?.json["result"]?["parts"]?.array?.first?["text"]?.string
    #expect(text?.hasPrefix("expired") == true)
    #expect(bench.replies[call]?.json["status"] == nil)
  }

  @Test func `a refusal has HTTP's own status, and a caller's errors too`() throws {
    var limits = Limits()
    limits.queueMessagesMax = 1
    limits.callerSharePercent = 100
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    try bench.stored(id)
    let full = try bench.platform(id, "more")
    let nobody = try bench.platform(
      id, body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"id\":\"x\"}}")
    let stream = try bench.platform(
      id,
      body: Bench.platformBody("x").replacing("message/send", with: "message/stream")
        .replacing(
          "{\"content\":\"x\"}",
          with: "{\"messageId\":\"m\",\"role\":\"user\",\"parts\":"
            + "[{\"kind\":\"text\",\"text\":\"x\"}]}"))
    bench.sync()
    #expect(bench.replies[full]?.status == 503 && bench.replies[full]?.reason == "QUEUE_FULL")
    #expect(bench.replies[full]?.header("Retry-After") != nil)
    #expect(bench.replies[nobody]?.status == 404 && bench.replies[nobody]?.rpcCode == -32001)
    #expect(bench.replies[stream]?.status == 501 && bench.replies[stream]?.rpcCode == -32004)
    bench.expectNothingHeld()
  }

  // MARK: queue items

  @Test func `a queue item tells its caller what has become of the message`() throws {
    let message = try bench.queued(id, "hello")
    #expect(try item(message).json["status"]?.string == "queued")
    let held = try bench.take(id)
    let taken = try item(message).json
    #expect(taken["status"]?.string == "dispatched" && taken["attempts"]?.int == 1)
    #expect(taken["dispatched_at"] != nil && taken["response_body"] == nil)
    try bench.result(id, held, "hi")
    bench.sync()
    let done = try item(message).json
    #expect(done["status"]?.string == "completed" && done["completed_at"] != nil)
    #expect(done["queue_id"]?.string == message.text && done["workspace_id"]?.string == id.text)
    #expect(
      done["response_body"]?["result"]?["parts"]?.array?.first?["text"]?.string == "hi")
    #expect(done["response_body"]?["id"]?.int == 1)
    // Also after a restart, from the file.
    try bench.restart()
    #expect(try item(message).json["status"]?.string == "completed")
    bench.expectNothingHeld()
  }

  @Test func `ends without an answer are failed and expired`() throws {
    var limits = Limits()
    limits.attempts = 1
    limits.timeToLive = .seconds(60)
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    let dead = try bench.queued(id, "a")
    let held = try bench.take(id)
    bench.agent(id, held, .release(delay: nil, reason: "no"))
    bench.sync()
    let late = try bench.queued(id, "b")
    bench.wait(.seconds(61))
    for (message, status) in [(dead, "failed"), (late, "expired")] {
      let call = bench.engine.nextCall()
      bench.engine.callers.queueItem(
        call, message, at: id, caller: .org("callers"), isGiven: true, now: bench.now)
      bench.sync()
      #expect(bench.replies[call]?.json["status"]?.string == status)
      #expect(bench.replies[call]?.json["last_error"]?.string != nil)
      #expect(bench.replies[call]?.json["response_body"]?["result"]?["status"] != nil)
    }
  }

  @Test func `a queue item is not there for others, and the same as one that does not exist`()
    throws
  {
    let message = try bench.queued(id, "hello")
    let other = try bench.create()
    let absent = MessageID(workspace: id.short, seq: 99, tag: 1)
    let refusals = [
      try item(message, caller: .org("strangers")), try item(message, caller: .workspace(id)),
      try item(absent), try item(message, at: other), try item(absent, caller: .anonymous),
    ]
    for refusal in refusals {
      #expect(
        refusal.text
          == "{\"error\":\"queue item not found\",\"code\":\"not_found\",\"retryable\":true}")
      #expect(refusal.status == 404)
    }
    #expect(try item(message, caller: .admin).json["status"]?.string == "queued")
  }

  private func item(
    _ message: MessageID, at place: WorkspaceID? = nil, caller: Identity = .org("callers")
  ) throws -> Shown {
    let call = bench.engine.nextCall()
    bench.engine.callers.queueItem(
      call, message, at: place ?? id, caller: caller, isGiven: true, now: bench.now)
    bench.sync()
    return try #require(bench.replies[call])
  }
}

extension Bench {
  static func platformBody(
    _ text: String, role: String? = nil, messageID: String? = nil
  ) -> String {
    var message = "\"content\":\"\(text)\""
    if let role { message += ",\"role\":\"\(role)\"" }
    if let messageID { message += ",\"messageId\":\"\(messageID)\"" }
    return "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\",\"params\":{\"message\":"
      + "{\(message)}}}"
  }

  /// A call at the platform's way in; without a hold it asks for no answer.
  @discardableResult
  func platform(
    _ id: WorkspaceID, _ text: String = "", body: String? = nil, role: String? = nil,
    messageID: String? = nil, caller: Identity = .org("callers"), hold: Duration = .zero,
    key: String? = nil
  ) throws -> CallID {
    let body = body ?? Bench.platformBody(text, role: role, messageID: messageID)
    let parsed = try PlatformCall.parse(
      Array(body.utf8), version: nil, newID: engine.callers.newUUID
    ).get()
    var rpc = parsed.rpc
    rpc.isBlocking = hold > .zero
    let call = engine.nextCall()
    var request = CallerRequest(
      call: call, caller: caller, rpc: rpc, body: parsed.body,
      head: Array("{\"method\":\"POST\"}".utf8), holdUntil: now.instant + hold,
      platformMethod: rpc.methodName, payer: engine.payer(of: caller))
    request.given = parsed.given
    request.key = try key.map { KeyedCall(try IdempotencyKey($0, bytesMax: 255), of: request) }
    engine.callers.platformCall(request, at: id, now: now)
    return call
  }

  /// A message that was taken there, and its id.
  func queued(_ id: WorkspaceID, _ text: String, caller: Identity = .org("callers")) throws
    -> MessageID
  {
    let call = try platform(id, text, caller: caller)
    sync()
    return try #require(replies[call]?.json["queue_id"]?.string.flatMap { MessageID($0) })
  }
}
