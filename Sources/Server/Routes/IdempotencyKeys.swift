import Engine
import Relay
import Wire

extension RelayServer {
  /// The key of a send. `nil`: there is something wrong with it, and the caller is told so.
  func key(_ head: HTTPRequestHead, _ request: CallerRequest) -> KeyedCall? {
    do throws(IdempotencyKey.Refusal) {
      // All who show no credential are one caller: one could take another's key, or its answer.
      guard request.caller != .anonymous else {
        throw IdempotencyKey.Refusal(
          text: "Idempotency-Key needs a credential of the relay: callers without one are not told "
            + "apart")
      }
      guard let key = try IdempotencyKey.of(head.headers, bytesMax: limits.idempotencyKeyBytesMax)
      else { return nil }
      return KeyedCall(key, of: request)
    } catch {
      engine.refuse(request, .badParameter, detail: error.text)
      return nil
    }
  }
}
