package import Relay
import Store
import Wire

extension Broker {
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
    do throws(RelayError) {
      guard let (desk, message) = try locate(id, now: now),
        message.caller == caller.text || caller == .admin
      else { throw .notFound }
      let payer = payer(of: caller)
      guard !mustWait(message.task, desk) else {
        return putOff(for: payer) { [unowned self] now in
          callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try checkMemory(payer)
      guard let task = try storedTask(message.task, desk) else { throw .notFound }
      let dialect = Dialect(rawValue: message.dialect) ?? .v03
      let read = try taskView(task, desk)
      var writer = JSONWriter(capacity: 1024)
      writer.beginObject()
      try writeSummary(message, desk, into: &writer)
      writer.key("task")
      read.view.write(as: dialect, historyLength: nil, into: &writer)
      writer.endObject()
      var reply = Reply(call: call, body: writer.bytes)
      reply.payer = payer
      // An operator who looks has not received it in the caller's place.
      if isGiven, message.caller == caller.text, message.state.isEnd {
        reply.receipt = .ends(desk.id, [message.seq] + read.ends)
      }
      self.read(reply, desk)
    } catch {
      if waitsForFile(call, error, now: now, { [unowned self] now in
        callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
      }) { return }
      outbox.append(Reply(call: call, error: error))
    }
  }

  /// Everything that ever happened to a message, for operators.
  package func timeline(
    _ call: CallID, _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) {
    do throws(RelayError) {
      guard let (desk, message) = try locate(id, now: now), desk.id == workspace
      else { throw .notFound }
      let seq = message.seq
      let (handOuts, notes) = try reading(desk) { () throws(StoreError) in
        try desk.file.timeline(seq)
      }
      var writer = JSONWriter(capacity: 2048)
      writer.beginObject()
      try writeSummary(message, desk, into: &writer)
      writer.key("caller")
      writer.string(message.caller)
      writer.key("message_id")
      writer.string(message.messageID)
      writer.key("attempts")
      writer.int(handOuts.filter { $0.last?.kind != .unburnt }.count)
      writer.key("received")
      writer.bool(message.isReceived)
      writer.key("timeline")
      Timeline(message, handOuts: handOuts, notes: notes).write(into: &writer)
      writer.endObject()
      read(Reply(call: call, body: writer.bytes), desk)
    } catch {
      if waitsForFile(call, error, now: now, { [unowned self] now in
        timeline(call, id, at: workspace, now: now)
      }) { return }
      outbox.append(Reply(call: call, error: error))
    }
  }

  private func writeSummary(
    _ message: StoredMessage, _ desk: Desk, into writer: inout JSONWriter
  ) throws(RelayError) {
    writer.key("id")
    writer.string(
      MessageID(workspace: desk.id.short, seq: message.seq, tag: message.tag).text)
    writer.key("workspace")
    writer.string(desk.id.text)
    writer.key("state")
    writer.string(stateName(message, desk))
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
  private func stateName(_ message: StoredMessage, _ desk: Desk) -> String {
    switch message.state {
    case .answered: "answered"
    case .dead: "dead"
    case .expired: "expired"
    case .cancelled: "cancelled"
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing: "stored"
    }
  }
}

/// What happened to one message, in the order in which it did.
private struct Timeline {
  private var events: [(at: WallTime, name: String, members: [(String, JSON)])] = []

  init(_ message: StoredMessage, handOuts: [StoredHandOut], notes: [StoredNote]) {
    add(message.at, "stored", [("caller", .string(message.caller))])
    for handOut in handOuts { add(handOut) }
    for note in notes { add(note.at, note.kind.name, []) }
    if let ended = message.endedAt {
      let lease: [(String, JSON)] =
        message.state == .answered
        ? [("lease", .string(LeaseToken.text(message.answerFence)))] : []
      add(
        ended, message.state == .answered ? "answered" : message.reason?.name ?? "ended", lease)
    }
    // Equal times keep the order in which they were added.
    events = events.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
  }

  private mutating func add(_ at: WallTime, _ name: String, _ members: [(String, JSON)]) {
    events.append((at, name, members))
  }

  private mutating func add(_ handOut: StoredHandOut) {
    let row = handOut.row
    let lease = JSON.string(LeaseToken.text(row.fence))
    let end = JSON.string(Timestamp.rfc3339(nanoseconds: row.leaseEnd.nanoseconds))
    add(
      row.at, row.kind == .offer ? "offered" : "handed_out",
      [
        ("lease", lease), ("attempt", .number(String(row.attempt))),
        ("consumer", .string(row.consumer)), ("lease_end", end),
      ])
    guard let last = handOut.last else { return }
    var members: [(String, JSON)] = [("lease", lease)]
    if !last.reason.isEmpty { members.append(("reason", .string(last.reason))) }
    add(last.at, last.kind.name, members)
  }

  func write(into writer: inout JSONWriter) {
    writer.beginArray()
    for event in events {
      writer.beginObject()
      writer.key("at")
      writer.string(Timestamp.rfc3339(nanoseconds: event.at.nanoseconds))
      writer.key("event")
      writer.string(event.name)
      for (name, value) in event.members {
        writer.key(name)
        value.write(into: &writer)
      }
      writer.endObject()
    }
    writer.endArray()
  }
}

extension HandOutChange.Kind {
  fileprivate var name: String {
    switch self {
    case .claimed: "claimed"
    case .extended: "extended"
    case .released: "released"
    case .lost: "lease_lost"
    case .unburnt: "returned_unburnt"
    case .ended: "ended"
    case .revoked: "revoked"
    }
  }
}

extension NoteKind {
  fileprivate var name: String {
    switch self {
    case .callerAttached: "caller_attached"
    case .callerGone: "caller_gone"
    case .holdEnded: "hold_ended"
    case .resultAfterEnd: "result_after_end"
    case .resultConflict: "result_conflict"
    case .withdrawalRefused: "withdrawal_refused"
    case .leaseTakenOver: "lease_taken_over"
    }
  }
}
