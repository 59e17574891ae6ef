import Relay

/// The idempotency keys of messages that are being stored and cannot be found in the file yet.
struct PendingKeys {
  private var byKey: [UUIDBytes: (seq: Seq, call: UUIDBytes)] = [:]
  private var bySeq: [Seq: UUIDBytes] = [:]

  var isEmpty: Bool { byKey.isEmpty && bySeq.isEmpty }

  /// Returns the message that came with the key, and the digest of its call.
  subscript(key: UUIDBytes) -> (seq: Seq, call: UUIDBytes)? { byKey[key] }

  mutating func add(_ key: UUIDBytes, of seq: Seq, call: UUIDBytes) {
    byKey[key] = (seq, call)
    bySeq[seq] = key
  }

  /// Removes the keys of a message that is stored or refused.
  mutating func remove(of seq: Seq) {
    if let key = bySeq.removeValue(forKey: seq) { byKey[key] = nil }
  }
}
