package import Relay
import Store
import Wire

/// A workspace's answers to what it has asked itself, by the platform's way in.
struct OwnAnswers {
  /// One whose write is on its way, or whose Task is about to be told.
  struct Answer {
    var addressee: Addressee
    var seq: Seq
    var hash: UUIDBytes
  }

  private var open: [CallID: Answer] = [:]
  /// The last ones that were accepted, oldest first.
  private var accepted: [(hash: UUIDBytes, seq: Seq)] = []

  mutating func begin(_ answer: Answer) { open[answer.addressee.call] = answer }

  mutating func take(_ call: CallID) -> Answer? {
    open.isEmpty ? nil : open.removeValue(forKey: call)
  }

  /// The message that an equal answer has answered.
  func answered(by hash: UUIDBytes) -> Seq? { accepted.last { $0.hash == hash }?.seq }

  /// The message that an equal answer on its way is for.
  func isAnswered(by hash: UUIDBytes) -> Seq? { open.values.first { $0.hash == hash }?.seq }

  mutating func accept(_ answer: Answer, atMost count: Int) {
    if accepted.count >= count { accepted.removeFirst() }
    accepted.append((answer.hash, answer.seq))
  }
}

/// What the platform's clients get beside the Task.
struct PlatformAnswer {
  var method: String
  var messageID: String
  var isEnd: Bool

  /// The one form of "accepted, not yet answered" that all of them understand.
  func writeReceipt(into writer: inout JSONWriter) {
    guard !isEnd else { return }
    writer.key("status")
    writer.string("queued")
    writer.key("delivery_mode")
    writer.string("poll")
    writer.key("method")
    writer.string(method)
    writer.key("queue_id")
    writer.string(messageID)
  }
}

extension Broker {
  /// A call at the platform's way in: the same queue. What a workspace posts to itself while an
  /// agent of it holds such a message is the answer to that one, the oldest first.
  package func platformCall(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    if request.caller == .workspace(id), request.rpc.method == .send,
      answerOwn(request, at: id, now: now)
    {
      return
    }
    call(request, at: id, now: now)
  }

  /// Whether a poll of the workspace is parked now.
  package func isPolled(_ id: WorkspaceID) -> Bool { desks[id]?.queue.parkedCount ?? 0 > 0 }

  func platformAnswer(_ addressee: Addressee, _ seq: Seq, _ desk: Desk) -> PlatformAnswer? {
    guard let method = addressee.platformMethod else { return nil }
    // What has left memory has ended.
    guard let message = desk.queue.message(seq) else {
      return PlatformAnswer(method: method, messageID: "", isEnd: true)
    }
    return PlatformAnswer(
      method: method, messageID: desk.messageID(message).text, isEnd: message.state.isEnd)
  }

  // MARK: answers to oneself

  private func answerOwn(_ request: CallerRequest, at id: WorkspaceID, now: Now) -> Bool {
    // What is wrong with the desk is told as for any other call; the question again is no answer.
    guard !isShuttingDown, let desk = try? desk(id, now: now),
      desk.queue.attachable(dedupKey(request)) == nil
    else { return false }
    let body = Array(request.body[request.rpc.message])
    let hash = Digest128.of(body)
    if let seq = desk.ownAnswers.answered(by: hash) {
      tellTask(request.addressee, seq, desk, now: now)
      return true
    }
    let same = desk.ownAnswers.isAnswered(by: hash).flatMap { desk.queue.message($0) }
    guard let message = same ?? desk.queue.oldestHeld(of: request.callerText),
      let fence = message.handOut?.fence, case .success(let result) = AgentResult.parse(body)
    else { return false }
    desk.ownAnswers.begin(
      OwnAnswers.Answer(addressee: request.addressee, seq: message.seq, hash: hash))
    desk.open[request.call] = .outcomeUnknown
    desk.queue.result(
      AgentResultCall(
        call: request.call, fence: fence, hash: hash, body: body, state: TaskState(result.state)),
      message.seq, now: now)
    carryOut(desk, now: now)
    return true
  }

  /// The answer is durable, or was not taken.
  func tell(_ own: OwnAnswers.Answer, _ reply: AgentReply, _ desk: Desk, now: Now) {
    switch reply {
    case .accepted, .duplicate:
      desk.ownAnswers.accept(own, atMost: limits.ownAnswersKept)
      tellTask(own.addressee, own.seq, desk, now: now)
    case .unavailable: outbox.append(own.addressee.reply(.notStored))
    case .closed: outbox.append(own.addressee.reply(.closed))
    case .answeredElsewhere: outbox.append(own.addressee.reply(.answeredElsewhere))
    case .alreadyAnswered: outbox.append(own.addressee.reply(.alreadyAnswered))
    case .ok, .released, .leaseLost: outbox.append(own.addressee.reply(.leaseLost))
    }
  }

  private func tellTask(_ addressee: Addressee, _ seq: Seq, _ desk: Desk, now: Now) {
    let waiter = Waiter(addressee: addressee, deadline: now.instant, isImmediate: true)
    answerTask(waiter, seq, desk, now: now)
  }

  // MARK: queue items

  /// A caller's message, as the platform shows what waits for an agent.
  package func queueItem(
    _ call: CallID, _ id: MessageID, at workspace: WorkspaceID, caller: Identity, isGiven: Bool,
    now: Now
  ) {
    do throws(RelayError) {
      guard let (desk, message) = try locate(id, now: now), desk.id == workspace,
        message.caller == caller.text || caller == .admin
      else { return outbox.append(Self.noItem(call)) }
      let payer = payer(of: caller)
      guard !mustWait(message.task, desk) else {
        return putOff(for: payer) { [unowned self] now in
          queueItem(call, id, at: workspace, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try checkMemory(payer)
      var item = QueueItem(message, workspace)
      item.current = desk.queue.message(message.seq)
      item.handOuts = try reading(desk) { () throws(StoreError) in
        try desk.file.timeline(message.seq).handOuts.map(\.row)
      }
      var ends: [Seq] = []
      if message.state.isEnd, let task = try storedTask(message.task, desk) {
        var read = try taskView(task, desk)
        read.view.hasTopLevelParts = true
        let dialect = Dialect(rawValue: message.dialect) ?? .v03
        item.response = JSONRPC.result(
          id: message.rpcID, result: read.view.sendResult(as: dialect, historyLength: nil))
        ends = read.ends
      }
      var reply = Reply(call: call, body: item.json(id))
      reply.payer = payer
      if isGiven, message.caller == caller.text, message.state.isEnd {
        reply.receipt = .ends(desk.id, [message.seq] + ends)
      }
      self.read(reply, desk)
    } catch {
      outbox.append(Reply(call: call, error: error))
    }
  }

  /// The same for what there is not and for what is another's.
  private static func noItem(_ call: CallID) -> Reply {
    let json: JSON = [
      "error": "queue item not found", "code": .string(RelayError.notFound.code),
      "retryable": true,
    ]
    return Reply(call: call, status: RelayError.notFound.status, body: json.bytes)
  }
}

/// A message in the platform's words.
private struct QueueItem {
  let message: StoredMessage
  let workspace: WorkspaceID
  /// As the queue holds it, if it does.
  var current: Message?
  var handOuts: [HandOutRow] = []
  var response: [UInt8]?

  init(_ message: StoredMessage, _ workspace: WorkspaceID) {
    self.message = message
    self.workspace = workspace
  }

  private var status: String {
    switch current?.state ?? message.state {
    case .storing, .queued, .withdrawing, .closing: "queued"
    case .offered, .leased, .answering: "dispatched"
    case .answered: "completed"
    case .dead: "failed"
    case .expired: "expired"
    case .cancelled: "dropped"
    }
  }

  func json(_ id: MessageID) -> [UInt8] {
    var writer = JSONWriter(capacity: 512 + (response?.count ?? 0))
    writer.beginObject()
    writer.key("queue_id")
    writer.string(id.text)
    writer.key("workspace_id")
    writer.string(workspace.text)
    writer.key("status")
    writer.string(status)
    writer.key("priority")
    writer.int(50)
    writer.key("attempts")
    writer.int(max(message.attempt, handOuts.last?.attempt ?? 0))
    if let reason = message.reason {
      writer.key("last_error")
      writer.string(reason.name)
    }
    write("enqueued_at", message.at, &writer)
    if let first = handOuts.first { write("dispatched_at", first.at, &writer) }
    if let ended = message.endedAt { write("completed_at", ended, &writer) }
    write("expires_at", message.expires, &writer)
    if let response {
      writer.key("response_body")
      writer.raw(response)
    }
    writer.endObject()
    return writer.bytes
  }

  private func write(_ name: StaticString, _ time: WallTime, _ writer: inout JSONWriter) {
    writer.key(name)
    writer.string(Timestamp.rfc3339(nanoseconds: time.nanoseconds))
  }
}

extension A2AError {
  /// HTTP's status of a JSON-RPC error at the platform's way in.
  var platformStatus: Int {
    switch code {
    case -32601, -32001: 404
    case -32002: 409
    case -32603: 503
    case -32004: 501
    default: 400
    }
  }
}
