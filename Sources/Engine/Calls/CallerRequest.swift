package import Relay
package import Wire

/// A caller's JSON-RPC request, authenticated and parsed.
package struct CallerRequest: Sendable {
  package var call: CallID
  package var caller: Identity
  /// The caller's name as messages store it.
  let callerText: String
  package var rpc: A2ACall
  package var body: [UInt8]
  /// Method, path and stored headers, as the members of a JSON object.
  package var head: [UInt8]
  /// The instant at which the caller's hold ends.
  package var holdUntil: Instant
  /// The method as the platform's client named it; `nil` for a request at a workspace's URL.
  let platformMethod: String?
  /// The payer whose share of the memory the answer takes.
  let payer: BodyMemory.Payer
  /// The request's `Idempotency-Key`, bound to the caller.
  package var key: KeyedCall?
  /// The request as it was before the relay repaired it.
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
