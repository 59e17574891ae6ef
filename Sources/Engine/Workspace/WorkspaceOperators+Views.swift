import Relay
import Store
import Wire

/// A message as operators and callers see it.
extension WorkspaceOperators {
  /// Answers with everything that ever happened to a message.
  ///
  /// - `bodies`: the request and the answer as they came, too; a request's credentials are nowhere
  ///   to be shown from.
  func timeline(
    _ call: CallID, of message: StoredMessage, bodies: Bool, payer: BodyMemory.Payer
  ) throws(RelayError) {
    let (handOuts, notes) = try workspace.reading { () throws(StoreError) in
      try workspace.file.timeline(message.seq)
    }
    var writer = JSONWriter(capacity: 2048)
    writer.beginObject()
    try writeMembers(message, into: &writer)
    write(replaysIn: notes, into: &writer)
    if bodies { try writeBodies(message, into: &writer) }
    writer.key("timeline")
    Timeline(
      message, handOuts: handOuts, notes: notes, lateBodies: bodies ? limits.lateResultsMax : 0
    ).write(into: &writer)
    writer.endObject()
    var reply = Reply(call: call, body: writer.bytes)
    reply.payer = payer
    workspace.read(reply)
  }

  private func write(replaysIn notes: [StoredNote], into writer: inout JSONWriter) {
    let copies = notes.filter { $0.kind == .replayed }.compactMap { note in
      note.members.first { $0.0 == "replayed_as" }?.1
    }
    guard !copies.isEmpty else { return }
    writer.key("replayed_as")
    JSON.array(copies).write(into: &writer)
  }

  private func writeBodies(
    _ message: StoredMessage, into writer: inout JSONWriter
  ) throws(RelayError) {
    let (request, answer) = try workspace.reading { () throws(StoreError) in
      (try workspace.file.body(message.seq), try workspace.file.answer(message.seq))
    }
    if let request {
      writer.key("request")
      workspace.agents.writeRequest(head: request.head, body: request.body, into: &writer)
    }
    if let answer {
      writer.key("answer")
      // It was read as JSON before it was accepted.
      writer.raw(answer)
    }
  }

  func writeSummary(
    _ message: StoredMessage, state: String, into writer: inout JSONWriter
  ) throws(RelayError) {
    writer.key("id")
    writer.string(
      workspace.messageID(message).text)
    writer.key("workspace")
    writer.string(workspace.id.text)
    writer.key("state")
    writer.string(state)
    if let reason = message.reason {
      writer.key("reason")
      writer.string(reason.name)
    }
    let first = message.task == message.seq ? message : try workspace.storedMessage(message.task)
    if let first {
      writer.key("task_id")
      writer.string(MessageID(workspace: workspace.id.short, seq: first.seq, tag: first.tag).text)
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

  /// `stored` until the end: what is offered or leased is an agent's business and the timeline's.
  static func callerState(_ message: StoredMessage) -> String {
    message.state.isEnd ? name(message, isHeld: false) : "stored"
  }

  /// What the queue holds, and how long it has done so.
  func queueStatus(now: Now) -> JSON {
    func age(_ time: WallTime?) -> JSON {
      time.map { .number("\(max(0, (now.wall - $0).nanoseconds / 1_000_000_000))") } ?? .null
    }
    let depth = queue.depth
    let settings = directory.workspace(workspace.id)?.settings ?? Settings()
    var counts: JSON = [
      "queued": .number("\(max(0, queue.unanswered - queue.heldCount))"),
      "in_flight": .number("\(queue.heldCount)"),
    ]
    for (name, count) in depth.counts.named { counts[name] = .number("\(count)") }
    return [
      "workspace": .string(workspace.id.text),
      "agent": queue.isPresent(now: now) ? "present" : "away",
      "paused": .bool(settings.isPaused),
      "sends": settings.refusesSends ? "refuse" : "accept",
      "counts": counts,
      "bytes": .number("\(queue.bytes)"),
      "limits": [
        "messages": .number("\(limits.queueMessagesMax)"),
        "bytes": .number("\(limits.queueBytesMax)"),
      ],
      "oldest_unanswered_age_seconds": age(depth.oldestUnanswered),
      "oldest_unreceived_age_seconds": age(depth.oldestUnreceived),
      "parked_polls": .number("\(queue.parkedCount)"),
    ]
  }
}
