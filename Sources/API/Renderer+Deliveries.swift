import Engine
import Relay
import Wire

/// Renders deliveries to agents, and the responses to batches.
extension Renderer {
  func write(_ deliveries: [Delivery], into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("messages")
    writer.beginArray()
    for delivery in deliveries { write(delivery, into: &writer) }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ delivery: Delivery, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("id")
    writer.string(delivery.id.text)
    writer.key("seq")
    writer.int(Int(delivery.seq))
    writer.key("attempt")
    writer.int(delivery.attempt)
    writer.key("redelivered")
    writer.bool(delivery.isRedelivered)
    writer.key("replay")
    writer.bool(delivery.replayOf != nil)
    if let original = delivery.replayOf {
      writer.key("replay_of")
      writer.string(original.text)
    }
    writer.key("enqueued_at")
    writer.string(Timestamp.rfc3339(nanoseconds: delivery.enqueuedAt.nanoseconds))
    writer.key("age_seconds")
    writer.int(delivery.ageSeconds)
    writer.key("deadline")
    writer.string(Timestamp.rfc3339(nanoseconds: delivery.expiresAt.nanoseconds))
    writer.key("caller")
    writer.string(delivery.caller)
    writer.key("caller_waiting")
    writer.bool(delivery.isCallerWaiting)
    writeRouting(delivery, into: &writer)
    writer.key("request")
    Self.writeRequest(head: delivery.head, body: delivery.body, into: &writer)
    writer.key("lease")
    writer.beginObject()
    writer.key("token")
    writer.string(LeaseToken.text(delivery.fence))
    writer.key("kind")
    writer.string(delivery.isOffer ? "offer" : "lease")
    writer.key("expires_in")
    writer.int(delivery.secondsLeft)
    writer.endObject()
    writer.endObject()
  }

  private func writeRouting(_ delivery: Delivery, into writer: inout JSONWriter) {
    writer.key("dialect")
    writer.string(delivery.dialect == .v03 ? "0.3" : "1.0")
    writer.key("method")
    writer.string(A2AMethod(rawValue: delivery.method)?.name(in: delivery.dialect) ?? "")
    writer.key("text")
    writer.string(joining: delivery.texts, in: delivery.body)
    writer.key("task_id")
    writer.string(delivery.task.text)
    writer.key("context_id")
    writer.string(delivery.context)
  }

  /// Writes a stored request as a JSON object: the stored members of its head, and its body.
  static func writeRequest(head: [UInt8], body: [UInt8], into writer: inout JSONWriter) {
    writer.beginObject()
    // The head is a whole JSON object; its members go first.
    let members = head.dropFirst().dropLast()
    if !members.isEmpty { writer.raw(members) }
    writer.key("body")
    writer.string(utf8: body[...])
    writer.endObject()
  }

  // MARK: batches

  func batch(_ results: [Reply], _ poll: Reply?) -> [UInt8] {
    let poll = poll.map(response)
    var writer = JSONWriter(capacity: 256 + (poll?.body.count ?? 0))
    writer.beginObject()
    writer.key("results")
    writer.beginArray()
    for result in results.map(response) {
      writer.beginObject()
      writer.key("status")
      writer.int(result.status)
      writer.key("body")
      writer.raw(result.body.isEmpty ? Array("null".utf8) : result.body)
      writer.endObject()
    }
    writer.endArray()
    if let poll {
      writer.key("poll")
      writer.beginObject()
      writer.key("status")
      writer.int(poll.status)
      if !poll.body.isEmpty {
        writer.key("body")
        writer.raw(poll.body)
      }
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes
  }
}
