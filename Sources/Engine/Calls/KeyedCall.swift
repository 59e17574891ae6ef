import Relay
package import Wire

/// An `Idempotency-Key` together with the caller that has sent it, as one cryptographic hash: no
/// caller finds a key that falls together with another caller's.
package struct KeyedCall: Sendable, Equatable {
  let key: UUIDBytes

  package init(_ key: IdempotencyKey, of request: CallerRequest) {
    let hash = SHA256.hash(Array("\(request.callerText)\n\(key.text)".utf8)).bytes
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.key = UUIDBytes(high: word(hash[0..<8]), low: word(hash[8..<16]))
  }
}
