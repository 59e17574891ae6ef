package import Relay
package import Wire

/// A JSON-RPC call of a caller, recognised and parsed.
package struct CallerRequest: Sendable {
  package var call: CallID
  package var caller: Identity
  /// The caller as messages name it.
  let callerText: String
  package var rpc: A2ACall
  package var body: [UInt8]
  /// Method, path and stored headers, as the members of a JSON object.
  package var head: [UInt8]
  /// When the caller is not held any longer.
  package var holdUntil: Instant
  /// Of a call at the platform's way in.
  let platformMethod: String?
  /// Whose share of the memory the answer is.
  let payer: BodyMemory.Payer
  /// It came with an `Idempotency-Key`.
  package var key: KeyedCall?
  /// What it was before it was mended.
  package var given: PlatformCall.Given?

  package init(
    call: CallID, caller: Identity, rpc: A2ACall, body: [UInt8], head: [UInt8], holdUntil: Instant,
    platformMethod: String? = nil, payer: BodyMemory.Payer = .nobody
  ) {
    self.call = call
    self.caller = caller
    callerText = caller.text
    self.rpc = rpc
    self.body = body
    self.head = head
    self.holdUntil = holdUntil
    self.platformMethod = platformMethod
    self.payer = payer
  }

  package var addressee: Addressee {
    Addressee(
      call: call, id: rpc.id, dialect: rpc.dialect, historyLength: rpc.historyLength,
      platformMethod: platformMethod, payer: payer)
  }
}
