package import Relay
package import Wire

/// The reply to a call, which the server turns into an HTTP response.
package struct Reply: Sendable {
  /// The replies whose acknowledgement by the peer the engine needs to know.
  package enum Receipt: Sendable {
    case none
    /// The caller's reply to this message. `ends`: the messages whose end the reply shows, which
    /// may include this one.
    case message(WorkspaceID, Seq, ends: [Seq])
    /// The ends of these messages, for which their caller has asked.
    case ends(WorkspaceID, [Seq])
    /// The deliveries of this poll.
    case handOut(WorkspaceID, PollID, [Seq])
  }

  package var call: CallID
  package var content: ReplyContent
  /// The form of the replies to a JSON-RPC caller; `nil` for the relay's own routes.
  package private(set) var addressee: Addressee?
  package var receipt = Receipt.none
  /// The message of a send, for `X-Relay-Message-Id`.
  package var messageID: MessageID?
  /// The error of the reply if the write that it waits for is refused.
  var refusal = RelayError.notStored
  var payer = BodyMemory.Payer.nobody
  /// The reply's bytes in the account of the memory, until the server takes it.
  var counted = 0

  package init(call: CallID, _ content: ReplyContent) {
    self.call = call
    self.content = content
  }

  /// Makes an error reply for the relay's own routes, with an error of the error table.
  package init(
    call: CallID, error: RelayError, detail: String? = nil, facts: ErrorFacts = .none
  ) {
    self.init(call: call, .error(error, detail: detail, facts: facts))
  }

  fileprivate init(to addressee: Addressee, _ content: ReplyContent) {
    self.init(call: addressee.call, content)
    self.addressee = addressee
  }

  /// The error of the reply, if it is one; counted when the reply leaves.
  package var error: RelayError? {
    if case .error(let error, _, _) = content { error } else { nil }
  }

  /// Returns the error reply that replaces this reply when it must not leave.
  func failing(_ error: RelayError) -> Reply {
    addressee?.reply(error) ?? Reply(call: call, error: error)
  }
}

/// The JSON-RPC id and dialect in which a caller is answered.
package struct Addressee: Sendable {
  package var call: CallID
  package var id: [UInt8]
  package var dialect: Dialect
  package var historyLength: Int?
  /// The method of a request at the platform's way in, repeated in the response. The platform's
  /// clients evaluate the HTTP status, and read a task's text from members of their own.
  package var platformMethod: String?
  /// The payer whose share of the memory the reply takes.
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

  package func reply(_ error: A2AError) -> Reply { reply(.rpcError(error)) }

  package func reply(
    _ error: RelayError, detail: String? = nil, facts: ErrorFacts = .none
  ) -> Reply {
    reply(.error(error, detail: detail, facts: facts))
  }

  func reply(_ content: ReplyContent) -> Reply { Reply(to: self, content) }
}
