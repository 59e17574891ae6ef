import Engine
import Relay
import Store
import Wire

/// Renders messages for callers and operators.
extension Renderer {
  /// Writes a caller's own message, with its Task.
  func write(_ facts: MessageFacts, _ task: TaskView, into writer: inout JSONWriter) {
    // Offers and leases are for agents and the timeline: callers see the message as stored.
    let state = facts.message.state.isEnd ? facts.standing.rawValue : "stored"
    writer.beginObject()
    writeSummary(facts, state: state, into: &writer)
    writer.key("task")
    task.write(
      as: Dialect(rawValue: facts.message.dialect) ?? .v03, historyLength: nil, into: &writer)
    writer.endObject()
  }

  /// Writes a page of messages. A page with `next` is not the last one.
  func write(_ rows: [MessageFacts], next: Seq?, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("messages")
    writer.beginArray()
    for row in rows {
      writer.beginObject()
      writeMembers(row, into: &writer)
      writer.endObject()
    }
    writer.endArray()
    if let next {
      writer.key("next")
      writer.string(String(next))
    }
    writer.endObject()
  }

  private func writeSummary(
    _ facts: MessageFacts, state: String, into writer: inout JSONWriter
  ) {
    let message = facts.message
    writer.key("id")
    writer.string(facts.id.text)
    writer.key("workspace")
    writer.string(facts.workspace.text)
    writer.key("state")
    writer.string(state)
    if let reason = message.reason {
      writer.key("reason")
      writer.string(reason.name)
    }
    if let task = facts.task {
      writer.key("task_id")
      writer.string(task.text)
    }
    writer.key("context_id")
    writer.string(message.context)
    writer.key("enqueued_at")
    writer.string(Timestamp.rfc3339(nanoseconds: message.at.nanoseconds))
    writer.key("deadline")
    writer.string(Timestamp.rfc3339(nanoseconds: message.expires.nanoseconds))
    if let ended = message.endedAt {
      writer.key("ended_at")
      writer.string(Timestamp.rfc3339(nanoseconds: ended.nanoseconds))
    }
  }

  /// Writes the members that both the list and the view of one message show.
  private func writeMembers(_ facts: MessageFacts, into writer: inout JSONWriter) {
    let message = facts.message
    let dialect = Dialect(rawValue: message.dialect) ?? .v03
    writeSummary(facts, state: facts.standing.rawValue, into: &writer)
    writer.key("seq")
    writer.int(Int(message.seq))
    writer.key("caller")
    writer.string(message.caller)
    writer.key("method")
    writer.string(A2AMethod(rawValue: message.method)?.name(in: dialect) ?? "")
    writer.key("dialect")
    writer.string(dialect == .v03 ? "0.3" : "1.0")
    writer.key("message_id")
    writer.string(message.messageID)
    writer.key("attempts")
    writer.int(facts.attempts)
    writer.key("bytes")
    writer.int(message.bytes)
    writer.key("received")
    writer.bool(message.isReceived)
    guard let original = message.replayOf else { return }
    writer.key("replay_of")
    writer.string(original.text)
  }

  // MARK: one message

  /// Writes the whole timeline of a message.
  func write(_ timeline: TimelineFacts, into writer: inout JSONWriter) {
    writer.beginObject()
    writeMembers(timeline.facts, into: &writer)
    let copies = timeline.notes.filter { $0.kind == .replayed }.compactMap { note in
      note.members.first { $0.0 == "replayed_as" }?.1
    }
    if !copies.isEmpty {
      writer.key("replayed_as")
      JSON.array(copies).write(into: &writer)
    }
    if let request = timeline.request {
      writer.key("request")
      Self.writeRequest(head: request.head, body: request.body, into: &writer)
    }
    if let answer = timeline.answer {
      writer.key("answer")
      // The answer was parsed as JSON before it was accepted.
      writer.raw(answer)
    }
    writer.key("timeline")
    Timeline(timeline).write(into: &writer)
    writer.endObject()
  }

  /// Returns what the relay still knows of a deleted message: when, why and by whom it was deleted.
  func deleted(_ id: MessageID, _ workspace: WorkspaceID, _ tombstone: Tombstone) -> JSON {
    let at = JSON.time(tombstone.at)
    let cause = JSON.string(tombstone.cause.name)
    var event: JSON = ["at": at, "event": "deleted", "cause": cause]
    var json: JSON = [
      "id": .string(id.text), "workspace": .string(workspace.text), "state": "deleted",
      "caller": .string(tombstone.caller), "deleted_at": at, "cause": cause,
    ]
    for (name, value) in [("by", tombstone.actor), ("reason", tombstone.reason)]
    where !value.isEmpty {
      json[name] = .string(value)
      event[name] = .string(value)
    }
    json["timeline"] = .array([event])
    return json
  }

  // MARK: the platform's words

  func write(_ item: QueueItem, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("queue_id")
    writer.string(item.id.text)
    writer.key("workspace_id")
    writer.string(item.workspace.text)
    writer.key("status")
    writer.string(Self.status(item.current ?? item.message.state))
    writer.key("priority")
    writer.int(50)
    writer.key("attempts")
    writer.int(item.attempts)
    if let reason = item.message.reason {
      writer.key("last_error")
      writer.string(reason.name)
    }
    write("enqueued_at", item.message.at, &writer)
    if let at = item.dispatchedAt { write("dispatched_at", at, &writer) }
    if let at = item.message.endedAt { write("completed_at", at, &writer) }
    write("expires_at", item.message.expires, &writer)
    if let view = item.response {
      let dialect = Dialect(rawValue: item.message.dialect) ?? .v03
      writer.key("response_body")
      writer.raw(
        JSONRPC.result(id: item.message.rpcID, bytes: view.answerBytes) { writer in
          view.writeSendResult(as: dialect, historyLength: nil, into: &writer)
        })
    }
    writer.endObject()
  }

  private func write(_ name: StaticString, _ time: WallTime, _ writer: inout JSONWriter) {
    writer.key(name)
    writer.string(Timestamp.rfc3339(nanoseconds: time.nanoseconds))
  }

  private static func status(_ state: MessageState) -> String {
    switch state {
    case .storing, .queued, .withdrawing, .closing, .redriving: "queued"
    case .offered, .leased, .answering: "dispatched"
    case .answered: "completed"
    case .dead: "failed"
    case .expired: "expired"
    case .cancelled: "dropped"
    }
  }

  /// The response for a message that does not exist or belongs to another caller.
  var noQueueItem: JSON {
    [
      "error": "queue item not found", "code": .string(RelayError.notFound.code),
      "retryable": true,
    ]
  }

  /// The response to the caller of a deleted message, which tells it not to ask again.
  var queueItemGone: JSON {
    let error = RelayError.answerGone
    return ["error": .string(error.text), "code": .string(error.code), "retryable": false]
  }
}
