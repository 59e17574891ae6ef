import Relay
import Wire

/// The digests by which calls are found again. `digest` is a keyed one without any field yet, or
/// the unkeyed one of an older file.
extension CallerRequest {
  /// Digests what equal calls of one caller share: method, messageId, params and key, byte for
  /// byte. The JSON-RPC id does not count: every retry has its own.
  func asRetry(_ digest: some FieldDigest) -> UUIDBytes {
    var digest = digest
    digest.update(callerText)
    digest.update(UInt64(rpc.method.rawValue) << 8 | UInt64(rpc.dialect.rawValue))
    digest.update(rpc.messageID ?? "")
    digest.update(body[rpc.params])
    // Another key is another call on purpose.
    addKey(to: &digest)
    return digest.value
  }

  /// Digests what an `Idempotency-Key` stands for: the method and the params as the caller sent
  /// them, without white space. What was mended may differ in two equal calls.
  func asKeyed(_ digest: some FieldDigest) -> UUIDBytes {
    var digest = digest
    digest.update(UInt64(rpc.method.rawValue))
    digest.update(JSONCompact.bytes(given?.params ?? body[rpc.params])[...])
    return digest.value
  }

  /// Digests an answer to oneself. With another key it is another one on purpose.
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
