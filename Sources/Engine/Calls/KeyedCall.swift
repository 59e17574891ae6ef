import Relay
package import Wire

/// An `Idempotency-Key` together with its caller, as one cryptographic hash, so that no caller can
/// produce another caller's key.
package struct KeyedCall: Sendable, Equatable {
  let key: UUIDBytes

  package init(_ key: IdempotencyKey, of request: CallerRequest) {
    let hash = SHA256.hash(Array("\(request.callerText)\n\(key.text)".utf8)).bytes
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.key = UUIDBytes(high: word(hash[0..<8]), low: word(hash[8..<16]))
  }
}
