package import Engine
package import Relay
package import Wire

/// Renders errors: in the relay's own form, and in JSON-RPC's.
extension Renderer {
  /// Returns the response to a request that the relay refuses with an error of the error table.
  package func response(
    _ error: RelayError, _ detail: String? = nil, _ facts: ErrorFacts = .none
  ) -> Rendered {
    response(error, detail, members: members(facts))
  }

  /// Returns an error response with further members.
  ///
  /// - `members`: added to the JSON object of the error.
  package func response(
    _ error: RelayError, _ detail: String?, members: [(String, JSON)]
  ) -> Rendered {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    writer.key("error")
    writer.string(detail.map { "\(error.text): \($0)" } ?? error.text)
    writer.key("code")
    writer.string(error.code)
    if let delivered = error.delivered {
      writer.key("delivered")
      writer.string(delivered)
    }
    for (name, value) in members {
      writer.key(name)
      value.write(into: &writer)
    }
    writer.endObject()
    return Rendered(status: error.status, headers: Self.headers(error), writer.bytes)
  }

  private static func headers(_ error: RelayError) -> [(String, String)] {
    var headers: [(String, String)] = []
    if let seconds = error.retryAfterSeconds { headers.append(("Retry-After", "\(seconds)")) }
    // RFC 9110 §11.6.1: a 401 names a scheme.
    if error == .unauthorized { headers.append(("WWW-Authenticate", "Bearer realm=\"a2a-relay\"")) }
    return headers
  }

  private func members(_ facts: ErrorFacts) -> [(String, JSON)] {
    switch facts {
    case .none, .full: []
    case .ended(let reason):
      [("cancelled", .bool(reason.isCancel)), ("reason", .string(reason.name))]
    case .deleted(let isPurged):
      [("cancelled", .bool(isPurged)), ("reason", isPurged ? "purged" : "deleted")]
    case .removing: [("removing", true)]
    case .agentEnded(let id, let at): registry.agentMembers(id, at)
    case .confirmation(let children, let count): registry.confirmation(children, atMost: count)
    }
  }

  // MARK: JSON-RPC

  /// Returns the response to a JSON-RPC caller. Its status is 200 for errors too, because the SDKs
  /// show their users the details of no other status. At the platform's way in, errors have other
  /// statuses: the platform's clients would take a 200 for a stored message.
  package func response(to addressee: Addressee, _ answer: ReplyContent) -> Rendered {
    switch answer {
    case .error(let error, let detail, let facts):
      var response = response(to: addressee, wire(error, detail, facts))
      if addressee.platformMethod != nil { response.status = error.status }
      return response
    case .rpcError(let error): return response(to: addressee, error)
    case .sent(let view, let platform):
      return result(addressee, view) { writer in
        view.writeSendResult(
          as: addressee.dialect, historyLength: addressee.historyLength, into: &writer)
        if let platform { Self.write(platform, into: &writer) }
      }
    case .task(let view):
      return result(addressee, view) { writer in
        view.write(as: addressee.dialect, historyLength: addressee.historyLength, into: &writer)
      }
    default: return Rendered(body(answer))
    }
  }

  private func result(
    _ addressee: Addressee, _ view: TaskView, _ write: (inout JSONWriter) -> Void
  ) -> Rendered {
    Rendered(JSONRPC.result(id: addressee.id, bytes: view.answerBytes, write: write))
  }

  private func response(to addressee: Addressee, _ error: A2AError) -> Rendered {
    Rendered(
      status: addressee.platformMethod == nil ? 200 : Self.platformStatus(error),
      headers: error.retryAfterSeconds.map { [("Retry-After", "\($0)")] } ?? [],
      JSONRPC.error(error.answering(id: addressee.id, dialect: addressee.dialect)))
  }

  private func wire(_ error: RelayError, _ detail: String?, _ facts: ErrorFacts) -> A2AError {
    var detail = detail
    var metadata: [(String, String)] = []
    if case .full(let refusal) = facts { (detail, metadata) = Self.full(refusal) }
    var wire = A2AError.relay(
      error.reason, detail.map { "\(error.text): \($0)" } ?? error.text,
      delivered: error.delivered.flatMap { A2AError.Delivered(rawValue: $0) },
      retryAfterSeconds: error.retryAfterSeconds, metadata: metadata)
    wire.code = error.rpcCode
    return wire
  }

  /// Writes what fills the queue, or the caller's share of it, and how to make room.
  private static func full(
    _ refusal: QueueRefusal
  ) -> (detail: String, metadata: [(String, String)]) {
    let list = refusal.counts.named.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
    var metadata = refusal.counts.named.map { ($0.name, "\($0.count)") }
    metadata.insert(("depth", "\(refusal.counts.messages)"), at: 0)
    if let bytes = refusal.bytes { metadata.insert(("bytes", "\(bytes)"), at: 1) }
    if let kept = refusal.kept {
      metadata.append(("kept", "\(kept)"))
      return (
        "\(kept) messages that have ended are kept, most of them because nobody has read "
          + "their ends: GetTask, or GET /messages/{id}, and they make room", metadata
      )
    }
    return (
      "\(list); an ended message is received, and its place free, when its caller reads it "
        + "(GetTask, or GET /messages/{id}); a task that waits for input goes on with a message or "
        + "ends with CancelTask", metadata
    )
  }

  /// Returns the HTTP status of a JSON-RPC error at the platform's way in.
  private static func platformStatus(_ error: A2AError) -> Int {
    if error.reason == RelayError.idempotencyConflict.reason { return 409 }
    if error.reason == RelayError.answerGone.reason { return 410 }
    return switch error.code {
    case -32601, -32001: 404
    case -32002: 409
    case -32603: 503
    case -32004: 501
    default: 400
    }
  }

  /// Writes "accepted, not yet answered" in the one form that all of the platform's clients
  /// understand.
  private static func write(_ answer: PlatformAnswer, into writer: inout JSONWriter) {
    guard !answer.isEnd else { return }
    writer.key("status")
    writer.string("queued")
    writer.key("delivery_mode")
    writer.string("poll")
    writer.key("method")
    writer.string(answer.method)
    writer.key("queue_id")
    writer.string(answer.messageID)
  }
}
