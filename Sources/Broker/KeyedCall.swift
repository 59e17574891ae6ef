import Relay
package import Wire

/// A call that came with an `Idempotency-Key`, as hashes: which key of which caller, and what for.
package struct KeyedCall: Sendable, Equatable {
  /// A cryptographic hash: no caller finds a key that falls together with another caller's.
  let key: UUIDBytes
  /// Whoever makes two calls fall together here confuses only its own.
  let call: UUIDBytes

  /// A JSON-RPC call: the same if method and params are, whatever its id and white space.
  package init(_ key: IdempotencyKey, of request: CallerRequest) {
    self.init(key, request.caller, request.digest)
  }

  /// Any other call: the same if its body is, byte for byte.
  package init(_ key: IdempotencyKey, of caller: Identity, body: [UInt8]) {
    self.init(key, caller, Digest128.of(body))
  }

  private init(_ key: IdempotencyKey, _ caller: Identity, _ call: UUIDBytes) {
    let hash = SHA256.hash(Array("\(caller.text)\n\(key.text)".utf8)).bytes
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.key = UUIDBytes(high: word(hash[0..<8]), low: word(hash[8..<16]))
    self.call = call
  }
}

extension CallerRequest {
  /// Of the method and the params as the caller sent them, without white space: what was mended
  /// may differ in two equal calls.
  var digest: UUIDBytes {
    var digest = Digest128()
    digest.update(UInt64(rpc.method.rawValue))
    digest.update(JSONCompact.bytes(given?.params ?? body[rpc.params])[...])
    return digest.value
  }
}
