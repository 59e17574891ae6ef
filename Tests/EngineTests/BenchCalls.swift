import Relay
import Store
import Testing
import Wire

@testable import Engine

/// An entry that an agent holds.
struct Held {
  var message: MessageID
  var fence: Fence
  var json: JSON

  init(_ json: JSON) throws {
    self.json = json
    message = try #require(json["id"]?.string.flatMap { MessageID($0) })
    fence = try #require(json["lease"]?["token"]?.string.flatMap(LeaseToken.read))
  }
}

/// What callers, agents and operators do.
extension Bench {
  /// `high` is the first half of the new workspace's id; two benches of one test make different
  /// ones.
  @discardableResult
  func create(
    _ settings: Settings = Settings(), high: UInt64 = .random(in: 0 ... .max)
  ) throws -> WorkspaceID {
    let id = WorkspaceID(UUIDBytes(high: high, low: 7))
    let call = engine.nextCall()
    engine.registry.workspaces.create(call, id: id, name: "n", settings: settings, now: now)
    sync()
    #expect(replies[call]?.status == 201)
    return id
  }

  func create(whenOffline: Settings.WhenOffline) throws -> WorkspaceID {
    var settings = Settings()
    settings.whenOffline = whenOffline
    return try create(settings)
  }

  /// Params of a send.
  struct Send {
    var text = "hello"
    var messageID = "m-1"
    var id = "1"
    var task: String?
    var context: String?
    var isBlocking = true
    var hold = Duration.seconds(100)
    var caller = Identity.org("callers")
    var isCurrent = true
    /// Its `Idempotency-Key`.
    var key: String?
    /// White space in its params.
    var space = ""
  }

  @discardableResult
  func send(_ id: WorkspaceID, _ change: (inout Send) -> Void = { _ in }) throws -> CallID {
    let request = try request(change)
    engine.callers.call(request, at: id, now: now)
    return request.call
  }

  func request(_ change: (inout Send) -> Void = { _ in }) throws -> CallerRequest {
    var send = Send()
    change(&send)
    var message = "\"messageId\":\"\(send.messageID)\""
    message += ",\"role\":\"\(send.isCurrent ? "ROLE_USER" : "user")\""
    message +=
      ",\"parts\":[{\(send.isCurrent ? "" : "\"kind\":\"text\",")\"text\":\"\(send.text)\"}]"
    if let task = send.task { message += ",\"taskId\":\"\(task)\"" }
    if let context = send.context { message += ",\"contextId\":\"\(context)\"" }
    let flag =
      send.isCurrent
      ? "\"returnImmediately\":\(!send.isBlocking)" : "\"blocking\":\(send.isBlocking)"
    let method = send.isCurrent ? "SendMessage" : "message/send"
    return try request(
      method, "{\(send.space)\"message\":{\(message)},\(send.space)\"configuration\":{\(flag)}}",
      rpcID: send.id, caller: send.caller, hold: send.hold, key: send.key)
  }

  @discardableResult
  func rpc(
    _ id: WorkspaceID, _ method: String, _ params: String, rpcID: String = "1",
    caller: Identity = .org("callers")
  ) throws -> CallID {
    let request = try request(
      method, params, rpcID: rpcID, caller: caller, hold: .seconds(100), key: nil)
    engine.callers.call(request, at: id, now: now)
    return request.call
  }

  private func request(
    _ method: String, _ params: String, rpcID: String, caller: Identity, hold: Duration,
    key: String?
  ) throws -> CallerRequest {
    let body = Array(
      "{\"jsonrpc\":\"2.0\",\"id\":\(rpcID),\"method\":\"\(method)\",\"params\":\(params)}".utf8)
    let version = method.contains("/") ? nil : "1.0"
    let call = try A2ACall.parse(body, version: version).get()
    let number = engine.nextCall()
    var request = CallerRequest(
      call: number, caller: caller, rpc: call, body: body,
      head: Array("{\"method\":\"POST\"}".utf8), holdUntil: now.instant + hold,
      payer: engine.payer(of: caller))
    request.key = try key.map {
      KeyedCall(try IdempotencyKey($0, bytesMax: 255), of: request)
    }
    return request
  }

  func getTask(_ id: WorkspaceID, _ task: String, caller: Identity = .org("callers")) throws
    -> CallID
  {
    try rpc(id, "GetTask", "{\"id\":\"\(task)\"}", caller: caller)
  }

  func cancelTask(_ id: WorkspaceID, _ task: String, caller: Identity = .org("callers")) throws
    -> CallID
  {
    try rpc(id, "CancelTask", "{\"id\":\"\(task)\"}", caller: caller)
  }

  @discardableResult
  func poll(
    _ id: WorkspaceID, max: Int = 1, wait: Duration = .seconds(25), confirm: Bool = false,
    lease: Duration = .seconds(300), consumer: String? = nil
  ) -> PollID {
    let call = engine.nextCall()
    engine.agents.poll(
      Poll(
        id: call, max: max, bytesMax: limits.pollBytesMax, lease: lease, confirm: confirm,
        consumer: consumer ?? "peer", isNamed: consumer != nil, deadline: now.instant + wait),
      at: id, now: now)
    return call
  }

  /// Takes the next entry, which is there.
  func take(_ id: WorkspaceID, confirm: Bool = false) throws -> Held {
    let call = poll(id, wait: .zero, confirm: confirm)
    sync()
    return try Held(try #require(replies[call]?.entries.first))
  }

  @discardableResult
  func agent(_ id: WorkspaceID, _ held: Held, _ verb: AgentVerb) -> CallID {
    let call = engine.nextCall()
    engine.agents.call(
      AgentCall(
        call: call, workspace: id, message: held.message, fence: held.fence, verb: verb), now: now)
    return call
  }

  @discardableResult
  func result(
    _ id: WorkspaceID, _ held: Held, _ text: String = "done", state: String = "completed"
  ) throws -> CallID {
    let body = Array("{\"text\":\"\(text)\",\"state\":\"\(state)\"}".utf8)
    let parsed = try AgentResult.parse(body).get()
    return agent(id, held, .result(body: body, state: parsed.state))
  }

  /// A message that is stored, and its id.
  @discardableResult
  func stored(_ id: WorkspaceID, _ messageID: String = "m-1") throws -> MessageID {
    let call = try send(id) {
      $0.messageID = messageID
      $0.isBlocking = false
    }
    sync()
    return try #require(replies[call]?.messageID)
  }

  /// A message that has been answered; its caller has received that.
  func answered(
    _ id: WorkspaceID, _ name: String, text: String = "hello", isReceived: Bool = true,
    key: String? = nil
  ) throws -> Shown {
    let call = try send(id) {
      $0.messageID = name
      $0.text = text
      $0.key = key
    }
    sync()
    try result(id, try take(id))
    sync()
    let reply = try #require(replies[call])
    if isReceived { engine.agents.delivered(reply.receipt, received: true, now: now) }
    sync()
    return reply
  }

  /// What the file holds.
  func kept(_ id: WorkspaceID) throws -> [Seq] {
    let workspace = try #require(engine.pool[id])
    return try workspace.file.page(.all, after: 0, limit: 500).map(\.seq)
  }

  func timeline(_ id: WorkspaceID, _ message: MessageID) throws -> JSON {
    let call = engine.nextCall()
    engine.operators.timeline(call, message, at: id, now: now)
    sync()
    return try #require(replies[call]?.json)
  }
}
