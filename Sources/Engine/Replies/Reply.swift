package import Relay
package import Wire

/// What goes back for a call; the server puts it into HTTP.
package struct Reply: Sendable {
  /// Whose delivery the engine wants to hear of.
  package enum Receipt: Sendable {
    case none
    /// The caller's reply to this message, and the messages whose ends it tells: this one too, if
    /// it tells of that.
    case message(WorkspaceID, Seq, ends: [Seq])
    /// What has become of these messages, which their caller has asked for.
    case ends(WorkspaceID, [Seq])
    /// The entries of this poll.
    case handOut(WorkspaceID, PollID, [Seq])
  }

  package var call: CallID
  /// Its body is in the account of the memory, until the server takes it.
  var isCounted = false
  var payer = BodyMemory.Payer.nobody
  package var status: Int
  package var body: [UInt8]
  package var headers: [(String, String)] = []
  package var receipt = Receipt.none
  /// What the call gets when the write that the reply waits for is refused.
  var refusal = RelayError.notStored
  /// Of a send: `X-Relay-Message-Id`.
  package var messageID: MessageID?
  /// What the relay refuses with, if it does: counted when the reply leaves.
  package internal(set) var error: RelayError?
  /// Of a JSON-RPC caller: its errors have a form of their own.
  var addressee: Addressee?

  package init(call: CallID, status: Int = 200, body: [UInt8] = []) {
    self.call = call
    self.status = status
    self.body = body
  }

  /// An error of the one table, for the relay's own routes.
  package init(
    call: CallID, error: RelayError, detail: String? = nil, members: [(String, JSON)] = []
  ) {
    self.init(call: call, status: error.status, body: Self.body(error, detail, members))
    headers = Self.headers(error)
    self.error = error
  }

  /// What the call gets instead, when this reply must not leave.
  func failing(_ error: RelayError) -> Reply {
    addressee?.reply(error) ?? Reply(call: call, error: error)
  }

  package static func body(
    _ error: RelayError, _ detail: String? = nil, _ members: [(String, JSON)] = []
  ) -> [UInt8] {
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
    return writer.bytes
  }

  package static func headers(_ error: RelayError) -> [(String, String)] {
    var headers: [(String, String)] = []
    if let seconds = error.retryAfterSeconds { headers.append(("Retry-After", "\(seconds)")) }
    // RFC 9110 §11.6.1: a 401 names a scheme.
    if error == .unauthorized { headers.append(("WWW-Authenticate", "Bearer realm=\"a2a-relay\"")) }
    return headers
  }
}

/// How a JSON-RPC caller is to be answered: its id, in its dialect.
package struct Addressee: Sendable {
  package var call: CallID
  package var id: [UInt8]
  package var dialect: Dialect
  package var historyLength: Int?
  /// Of a call at the platform's way in: its method, as its clients want to hear it again. They
  /// go by HTTP's status, and read a task's text from members of their own.
  package var platformMethod: String?
  /// Whose share of the memory its answer is.
  var payer = BodyMemory.Payer.nobody

  package init(
    call: CallID, id: [UInt8], dialect: Dialect, historyLength: Int?,
    platformMethod: String? = nil, payer: BodyMemory.Payer = .nobody
  ) {
    self.call = call
    self.platformMethod = platformMethod
    self.payer = payer
    self.id = id
    self.dialect = dialect
    self.historyLength = historyLength
  }

  /// JSON-RPC answers are 200, errors too: the only form whose details reach users of the SDKs.
  /// The platform's clients would take a 200 for a message that was stored.
  package func reply(_ error: A2AError) -> Reply {
    var reply = Reply(
      call: call, status: platformMethod == nil ? 200 : error.platformStatus,
      body: JSONRPC.error(error.answering(id: id, dialect: dialect)))
    if let seconds = error.retryAfterSeconds {
      reply.headers.append(("Retry-After", "\(seconds)"))
    }
    reply.addressee = self
    return reply
  }

  /// Its answer with the result that `write` appends, of about so many `bytes`.
  func reply(bytes: Int, write: (inout JSONWriter) -> Void) -> Reply {
    var reply = Reply(call: call, body: JSONRPC.result(id: id, bytes: bytes, write: write))
    reply.addressee = self
    return reply
  }

  package func reply(
    _ error: RelayError, detail: String? = nil, metadata: [(String, String)] = []
  ) -> Reply {
    var wire = A2AError.relay(
      error.reason, detail.map { "\(error.text): \($0)" } ?? error.text,
      delivered: error.delivered.flatMap { A2AError.Delivered(rawValue: $0) },
      retryAfterSeconds: error.retryAfterSeconds, metadata: metadata)
    wire.code = error.rpcCode
    var reply = reply(wire)
    reply.error = error
    if platformMethod != nil { reply.status = error.status }
    return reply
  }
}
