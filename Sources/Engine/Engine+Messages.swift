package import Relay
import Store
import Wire

extension Engine {
  /// The workspace that a message id is of. Several may share its short hash: the tag decides.
  func locate(
    _ id: MessageID, now: Now
  ) throws(RelayError) -> (Desk, StoredMessage)? {
    for workspace in directory.workspaces(short: id.workspace) {
      let desk = try desk(workspace, now: now)
      if let message = desk.queue.message(id.seq), message.state == .storing { continue }
      if let stored = try storedMessage(id.seq, desk), stored.tag == id.tag {
        return (desk, stored)
      }
    }
    return nil
  }

  /// A caller's own message and its Task, also later and after a restart.
  /// `isGiven`: the body goes out, too; a HEAD gives nobody an answer.
  package func callerMessage(
    _ call: CallID, _ id: MessageID, caller: Identity, isGiven: Bool = true, now: Now
  ) {
    withFile(call, now: now) { [unowned self] now throws(RelayError) in
      guard let (desk, message) = try locate(id, now: now) else {
        throw try missing(id, for: caller, now: now)
      }
      let isOwn = caller.isCaller(message.caller)
      guard isOwn || caller == .admin else { throw .notFound }
      let payer = payer(of: caller)
      if waitForRedrive(
        ofTask: message.task, desk,
        { [unowned self] now in
          callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
        })
      {
        return
      }
      guard !mustWait(message.task, desk) else {
        return replies.later(for: payer) { [unowned self] now in
          callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try replies.checkMemory(payer)
      // What opened its task is deleted first.
      guard let task = try storedTask(message.task, desk) else { throw .answerGone }
      let dialect = Dialect(rawValue: message.dialect) ?? .v03
      let read = try taskView(task, desk)
      try replies.checkMemory(payer, for: read.view)
      var writer = JSONWriter(capacity: 1024)
      writer.beginObject()
      try writeSummary(message, desk, state: stateName(message), into: &writer)
      writer.key("task")
      read.view.write(as: dialect, historyLength: nil, into: &writer)
      writer.endObject()
      var reply = Reply(call: call, body: writer.bytes)
      reply.payer = payer
      // An operator who looks has not received it in the caller's place.
      if isGiven, isOwn, message.state.isEnd {
        reply.receipt = .ends(desk.id, [message.seq] + read.ends)
      }
      tell(reply, of: isOwn && isGiven ? read.dead : [], desk, now: now)
    }
  }

  /// What a caller without a credential gets with its message, and shows to read that later. It is
  /// kept nowhere: the relay can make it again.
  package func receipt(of id: MessageID) -> String {
    Base64.encodeURL(
      HMACSHA256.authenticate(Array(id.text.utf8), key: receiptKey).bytes)
  }

  package func isReceipt(_ shown: ArraySlice<UInt8>, of id: MessageID) -> Bool {
    ConstantTime.equal(Array(receipt(of: id).utf8)[...], shown)
  }

  func writeSummary(
    _ message: StoredMessage, _ desk: Desk, state: String, into writer: inout JSONWriter
  ) throws(RelayError) {
    writer.key("id")
    writer.string(
      MessageID(workspace: desk.id.short, seq: message.seq, tag: message.tag).text)
    writer.key("workspace")
    writer.string(desk.id.text)
    writer.key("state")
    writer.string(state)
    if let reason = message.reason {
      writer.key("reason")
      writer.string(reason.name)
    }
    let first = message.task == message.seq ? message : try storedMessage(message.task, desk)
    if let first {
      writer.key("task_id")
      writer.string(MessageID(workspace: desk.id.short, seq: first.seq, tag: first.tag).text)
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
  private func stateName(_ message: StoredMessage) -> String {
    message.state.isEnd ? Self.name(message, isHeld: false) : "stored"
  }
}
