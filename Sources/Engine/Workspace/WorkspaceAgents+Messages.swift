import Relay
import Store
import System
import Wire

/// Messages as they are handed to an agent.
extension WorkspaceAgents {
  func answerEmpty(_ poll: PollID) {
    var reply = Reply(call: poll, status: 204)
    if process.isShuttingDown {
      // Jittered, so that thousands of agents do not come back in one moment.
      reply.headers.append(("Retry-After", "\(1 + random.next() % 5)"))
    }
    afterCommit(reply)
  }

  /// Leaves once this turn's transaction is committed: the hand-out's row is in it.
  func send(_ entries: [HandOut], to poll: PollID, now: Now) {
    workspace.openCalls[poll] = nil
    let payer = services.payer(of: .workspace(workspace.id))
    do throws(RelayError) {
      try replies.checkMemory(payer)
      var writer = JSONWriter(capacity: 2048 * entries.count)
      writer.beginObject()
      writer.key("messages")
      writer.beginArray()
      for entry in entries { try write(entry, now: now, into: &writer) }
      writer.endArray()
      writer.endObject()
      var reply = Reply(call: poll, body: writer.bytes)
      reply.receipt = .handOut(workspace.id, poll, entries.map(\.seq))
      replies.count(&reply, for: payer)
      afterCommit(reply)
    } catch  where error == .memoryFull || error == .tooManyOpen {
      replies.send(Reply(call: poll, error: error))
      // Nothing was sent: the entries go back, and nothing counts.
      replies.later(for: payer) { now in
        withheld(entries, from: poll, now: now)
      }
    } catch {
      replies.send(Reply(call: poll, error: error))
    }
  }

  private func afterCommit(_ reply: Reply) {
    workspace.touch()
    workspace.transaction.replyAfterCommit(reply)
  }

  private func write(
    _ entry: HandOut, now: Now, into writer: inout JSONWriter
  ) throws(RelayError) {
    guard let message = queue.message(entry.seq) else { return }
    let content = try content(message)
    writer.beginObject()
    writer.key("id")
    writer.string(workspace.messageID(message).text)
    writer.key("seq")
    writer.int(Int(message.seq))
    writer.key("attempt")
    writer.int(entry.attempt)
    writer.key("redelivered")
    writer.bool(entry.isRedelivered)
    writer.key("replay")
    writer.bool(message.replayOf != nil)
    if let original = message.replayOf {
      writer.key("replay_of")
      writer.string(original.text)
    }
    writer.key("enqueued_at")
    writer.string(Timestamp.rfc3339(nanoseconds: message.at.nanoseconds))
    writer.key("age_seconds")
    writer.int(Int(max(0, (now.wall - message.at).nanoseconds / 1_000_000_000)))
    writer.key("deadline")
    writer.string(Timestamp.rfc3339(nanoseconds: message.expiresAt.nanoseconds))
    writer.key("caller")
    writer.string(message.caller)
    writer.key("caller_waiting")
    writer.bool(message.callers > 0)
    try writeRouting(message, content, into: &writer)
    writer.key("request")
    writeRequest(head: content.head, body: content.body, into: &writer)
    writer.key("lease")
    writer.beginObject()
    writer.key("token")
    writer.string(LeaseToken.text(entry.fence))
    writer.key("kind")
    writer.string(entry.isOffer ? "offer" : "lease")
    writer.key("expires_in")
    writer.int(Int(max(0, (entry.end - now.instant).nanoseconds / 1_000_000_000)))
    writer.endObject()
    writer.endObject()
  }

  private func writeRouting(
    _ message: Message, _ content: MessageCache.Entry, into writer: inout JSONWriter
  ) throws(RelayError) {
    let dialect = Dialect(rawValue: message.dialect) ?? .v03
    writer.key("dialect")
    writer.string(dialect == .v03 ? "0.3" : "1.0")
    writer.key("method")
    writer.string(A2AMethod(rawValue: message.method)?.name(in: dialect) ?? "")
    writer.key("text")
    writer.string(joining: content.texts, in: content.body)
    writer.key("task_id")
    writer.string(try taskID(message))
    writer.key("context_id")
    writer.string(message.context)
  }

  func writeRequest(head: [UInt8], body: [UInt8], into writer: inout JSONWriter) {
    writer.beginObject()
    // The head is a whole JSON object; its members go first.
    let members = head.dropFirst().dropLast()
    if !members.isEmpty { writer.raw(members) }
    writer.key("body")
    writer.string(utf8: body[...])
    writer.endObject()
  }

  /// The id of the message's task: of the message that opened it.
  func taskID(_ message: Message) throws(RelayError) -> String {
    if message.task == message.seq { return workspace.messageID(message).text }
    if let first = queue.message(message.task) { return workspace.messageID(first).text }
    guard let first = try workspace.storedMessage(message.task) else { throw .workspaceUnavailable }
    return MessageID(workspace: workspace.id.short, seq: first.seq, tag: first.tag).text
  }

  private func content(_ message: Message) throws(RelayError) -> MessageCache.Entry {
    if let cached = workspace.cache[message.seq] { return cached }
    let stored = try workspace.reading { () throws(StoreError) in
      try workspace.file.body(message.seq)
    }
    let version = Dialect(rawValue: message.dialect)?.protocolVersion
    guard let (head, body) = stored,
      case .success(let call) = A2ACall.peek(body, version: version)
    else { throw .workspaceUnavailable }
    return MessageCache.Entry(head: head, body: body, message: call.message, texts: call.texts)
  }
}
