import Engine
import Relay
import Wire

/// Reads the `Idempotency-Key` of a send.
enum IdempotencyKeys {
  /// Returns false after answering that there is something wrong with the key.
  static func read(
    from head: HTTPRequestHead, into request: inout CallerRequest, _ engine: Engine
  ) -> Bool {
    guard request.rpc.method == .send, head.headers.contains("idempotency-key") else { return true }
    do throws(IdempotencyKey.Refusal) {
      // All who show no credential are one caller: one could take another's key, or its answer.
      guard request.caller != .anonymous else {
        throw IdempotencyKey.Refusal(
          text: "Idempotency-Key needs a credential of the relay: callers without one are not told "
            + "apart")
      }
      let key = try IdempotencyKey.of(
        head.headers, bytesMax: engine.limits.idempotencyKeyBytesMax)
      guard let key else { return true }
      request.key = KeyedCall(key, of: request)
      return true
    } catch {
      engine.callers.refuse(request, .badParameter, detail: error.text)
      return false
    }
  }
}
