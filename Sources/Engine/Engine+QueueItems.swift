package import Relay
import Store
import Wire

/// What has become of a message, in the platform's words.
extension Engine {
  /// A caller's message, as the platform shows what waits for an agent.
  package func queueItem(
    _ call: CallID, _ id: MessageID, at workspace: WorkspaceID, caller: Identity, isGiven: Bool,
    now: Now
  ) {
    do throws(RelayError) {
      guard let (desk, message) = try locate(id, now: now) else {
        let error = try missing(id, for: caller, now: now)
        guard error == .answerGone, directory.workspaces(short: id.workspace).contains(workspace)
        else { return replies.send(Self.noItem(call)) }
        return replies.send(Self.goneItem(call))
      }
      guard desk.id == workspace,
        caller.isCaller(message.caller) || caller == .admin
      else { return replies.send(Self.noItem(call)) }
      let payer = payer(of: caller)
      if waitForRedrive(
        ofTask: message.task, desk,
        { [unowned self] now in
          queueItem(call, id, at: workspace, caller: caller, isGiven: isGiven, now: now)
        })
      {
        return
      }
      guard !mustWait(message.task, desk) else {
        return replies.later(for: payer) { [unowned self] now in
          queueItem(call, id, at: workspace, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try replies.checkMemory(payer)
      var item = QueueItem(message, workspace)
      item.current = desk.queue.message(message.seq)
      item.handOuts = try reading(desk) { () throws(StoreError) in
        try desk.file.timeline(message.seq).handOuts.map(\.row)
      }
      var ends: [Seq] = []
      var dead: [StoredMessage] = []
      if message.state.isEnd, let task = try storedTask(message.task, desk) {
        var read = try taskView(task, desk)
        try replies.checkMemory(payer, for: read.view)
        read.view.hasTopLevelParts = true
        let dialect = Dialect(rawValue: message.dialect) ?? .v03
        item.response = JSONRPC.result(id: message.rpcID, bytes: read.view.answerBytes) { writer in
          read.view.writeSendResult(as: dialect, historyLength: nil, into: &writer)
        }
        ends = read.ends
        dead = read.dead
      }
      var reply = Reply(call: call, body: item.json(id))
      reply.payer = payer
      if isGiven, caller.isCaller(message.caller), message.state.isEnd {
        reply.receipt = .ends(desk.id, [message.seq] + ends)
      } else {
        dead = []
      }
      tell(reply, of: dead, desk, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
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

  /// For its caller: it was deleted, and asking again changes nothing.
  private static func goneItem(_ call: CallID) -> Reply {
    let error = RelayError.answerGone
    let json: JSON = [
      "error": .string(error.text), "code": .string(error.code), "retryable": false,
    ]
    return Reply(call: call, status: error.status, body: json.bytes)
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
    case .storing, .queued, .withdrawing, .closing, .redriving: "queued"
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
