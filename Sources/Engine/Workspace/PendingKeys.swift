import Relay

/// Idempotency keys of messages that are being stored: no read of the file finds them yet.
struct PendingKeys {
  private var byKey: [UUIDBytes: (seq: Seq, call: UUIDBytes)] = [:]
  private var bySeq: [Seq: UUIDBytes] = [:]

  var isEmpty: Bool { byKey.isEmpty && bySeq.isEmpty }

  /// Returns the message that the key came with, and the digest of its call.
  subscript(key: UUIDBytes) -> (seq: Seq, call: UUIDBytes)? { byKey[key] }

  mutating func add(_ key: UUIDBytes, of seq: Seq, call: UUIDBytes) {
    byKey[key] = (seq, call)
    bySeq[seq] = key
  }

  /// The message is stored, or refused.
  mutating func remove(of seq: Seq) {
    if let key = bySeq.removeValue(forKey: seq) { byKey[key] = nil }
  }
}
