package import Relay
import Store
import Wire

extension Engine {
  /// Everything that ever happened to a message, for operators. `bodies`: the request and the answer
  /// as they came; a request's credentials are nowhere to be shown from.
  package func timeline(
    _ call: CallID, _ id: MessageID, at workspace: WorkspaceID, bodies: Bool = false,
    payer: BodyMemory.Payer = .nobody, now: Now
  ) {
    withFile(call, now: now) { [unowned self] now throws(RelayError) in
      try replies.checkMemory(payer)
      guard let (desk, message) = try locate(id, now: now), desk.id == workspace else {
        guard let (reply, desk) = try tombstoneReply(call, id, at: workspace, now: now)
        else { throw .notFound }
        return read(reply, desk)
      }
      let (handOuts, notes) = try reading(desk) { () throws(StoreError) in
        try desk.file.timeline(message.seq)
      }
      var writer = JSONWriter(capacity: 2048)
      writer.beginObject()
      try writeMembers(message, desk, into: &writer)
      write(replaysIn: notes, into: &writer)
      if bodies { try writeBodies(message, desk, into: &writer) }
      writer.key("timeline")
      Timeline(
        message, handOuts: handOuts, notes: notes,
        lateBodies: bodies ? limits.lateResultsMax : 0
      ).write(into: &writer)
      writer.endObject()
      var reply = Reply(call: call, body: writer.bytes)
      reply.payer = payer
      read(reply, desk)
    }
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
    _ message: StoredMessage, _ desk: Desk, into writer: inout JSONWriter
  ) throws(RelayError) {
    let (request, answer) = try reading(desk) { () throws(StoreError) in
      (try desk.file.body(message.seq), try desk.file.answer(message.seq))
    }
    if let request {
      writer.key("request")
      writeRequest(head: request.head, body: request.body, into: &writer)
    }
    if let answer {
      writer.key("answer")
      // It was read as JSON before it was accepted.
      writer.raw(answer)
    }
  }
}
