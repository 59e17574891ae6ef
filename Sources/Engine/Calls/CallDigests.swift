import Relay
import Wire

/// Digests that find equal calls again. `digest` is an empty keyed digest, or the unkeyed one of an
/// older file.
extension CallerRequest {
  /// Digests the parts that equal calls of one caller share, byte for byte: method, messageId,
  /// params and key. The JSON-RPC id does not count, because every retry has its own.
  func asRetry(_ digest: some FieldDigest) -> UUIDBytes {
    var digest = digest
    digest.update(callerText)
    digest.update(UInt64(rpc.method.rawValue) << 8 | UInt64(rpc.dialect.rawValue))
    digest.update(rpc.messageID ?? "")
    digest.update(body[rpc.params])
    // With another key the caller means another call.
    addKey(to: &digest)
    return digest.value
  }

  /// Digests the call that an `Idempotency-Key` stands for: the method and the params as the caller
  /// sent them, without white space. Repaired fields may differ between equal calls and are left
  /// out.
  func asKeyed(_ digest: some FieldDigest) -> UUIDBytes {
    var digest = digest
    digest.update(UInt64(rpc.method.rawValue))
    digest.update(JSONCompact.bytes(given?.params ?? body[rpc.params])[...])
    return digest.value
  }

  /// Digests a workspace's answer to its own message. With another key it is another answer.
  func asAnswer(_ digest: some FieldDigest) -> UUIDBytes {
    let call = asKeyed(digest)
    var digest = digest
    digest.update(call.high)
    digest.update(call.low)
    addKey(to: &digest)
    return digest.value
  }

  private func addKey(to digest: inout some FieldDigest) {
    guard let key else { return }
    digest.update(key.key.high)
    digest.update(key.key.low)
  }
}
