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
  package var content: ReplyContent
  /// Of a JSON-RPC caller: its answers have a form of their own.
  package private(set) var addressee: Addressee?
  package var receipt = Receipt.none
  /// Of a send: `X-Relay-Message-Id`.
  package var messageID: MessageID?
  /// What the call gets when the write that the reply waits for is refused.
  var refusal = RelayError.notStored
  var payer = BodyMemory.Payer.nobody
  /// Bytes in the account of the memory, until the server takes the reply.
  var counted = 0

  package init(call: CallID, _ content: ReplyContent) {
    self.call = call
    self.content = content
  }

  /// An error of the one table, for the relay's own routes.
  package init(
    call: CallID, error: RelayError, detail: String? = nil, facts: ErrorFacts = .none
  ) {
    self.init(call: call, .error(error, detail: detail, facts: facts))
  }

  fileprivate init(to addressee: Addressee, _ content: ReplyContent) {
    self.init(call: addressee.call, content)
    self.addressee = addressee
  }

  /// What the relay refuses with, if it does: counted when the reply leaves.
  package var error: RelayError? {
    if case .error(let error, _, _) = content { error } else { nil }
  }

  /// What the call gets instead, when this reply must not leave.
  func failing(_ error: RelayError) -> Reply {
    addressee?.reply(error) ?? Reply(call: call, error: error)
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

  package func reply(_ error: A2AError) -> Reply { reply(.rpcError(error)) }

  package func reply(
    _ error: RelayError, detail: String? = nil, facts: ErrorFacts = .none
  ) -> Reply {
    reply(.error(error, detail: detail, facts: facts))
  }

  func reply(_ content: ReplyContent) -> Reply { Reply(to: self, content) }
}
