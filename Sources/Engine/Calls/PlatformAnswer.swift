import Relay
import Wire

/// What the platform's clients get beside the Task.
struct PlatformAnswer {
  var method: String
  var messageID: String
  var isEnd: Bool

  /// The one form of "accepted, not yet answered" that all of them understand.
  func writeReceipt(into writer: inout JSONWriter) {
    guard !isEnd else { return }
    writer.key("status")
    writer.string("queued")
    writer.key("delivery_mode")
    writer.string("poll")
    writer.key("method")
    writer.string(method)
    writer.key("queue_id")
    writer.string(messageID)
  }
}

extension A2AError {
  /// HTTP's status of a JSON-RPC error at the platform's way in.
  var platformStatus: Int {
    if reason == RelayError.idempotencyConflict.reason { return 409 }
    if reason == RelayError.answerGone.reason { return 410 }
    return switch code {
    case -32601, -32001: 404
    case -32002: 409
    case -32603: 503
    case -32004: 501
    default: 400
    }
  }
}
