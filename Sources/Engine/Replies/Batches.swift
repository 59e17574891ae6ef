import Relay
import Wire

/// Batches whose parts are not all answered: several calls of an agent, and optionally its next
/// poll, that get one answer together.
struct Batches {
  private struct Batch {
    var parts: [CallID]
    var results: [CallID: Reply] = [:]
    /// The poll's entries, once there are any; `nil` while it waits.
    var poll: Reply?
    var isPolling: Bool

    var isDone: Bool { results.count == parts.count && (!isPolling || poll != nil) }
  }

  private var open: [CallID: Batch] = [:]
  /// The batch that a call is a part of. Parts of a batch whose caller has gone stay here until
  /// they come.
  private var batchOf: [CallID: CallID] = [:]

  var isEmpty: Bool { open.isEmpty && batchOf.isEmpty }

  mutating func begin(_ call: CallID, _ parts: [CallID], isPolling: Bool) {
    open[call] = Batch(parts: parts, isPolling: isPolling)
    for part in parts { batchOf[part] = call }
  }

  /// Returns what the poll was given, if that was kept back for the other parts.
  mutating func end(_ call: CallID) -> Reply? { open.removeValue(forKey: call)?.poll }

  /// Returns the reply if it belongs to no batch, or the batch's reply if this makes it whole, with
  /// the reply to the poll that is part of it; `nil`: it waits for the others.
  mutating func resolve(_ reply: Reply) -> (reply: Reply, poll: Reply?)? {
    let call: CallID
    if let batch = batchOf.removeValue(forKey: reply.call) {
      open[batch]?.results[reply.call] = reply
      call = batch
    } else if open[reply.call] != nil {
      open[reply.call]?.poll = reply
      call = reply.call
    } else {
      return (reply, nil)
    }
    guard let batch = open[call], batch.isDone else { return nil }
    open[call] = nil
    var whole = Reply(call: call, body: Self.body(batch))
    whole.receipt = batch.poll?.receipt ?? .none
    return (whole, batch.poll)
  }

  private static func body(_ batch: Batch) -> [UInt8] {
    var writer = JSONWriter(capacity: 256 + (batch.poll?.body.count ?? 0))
    writer.beginObject()
    writer.key("results")
    writer.beginArray()
    for part in batch.parts {
      guard let reply = batch.results[part] else { continue }
      writer.beginObject()
      writer.key("status")
      writer.int(reply.status)
      writer.key("body")
      writer.raw(reply.body.isEmpty ? Array("null".utf8) : reply.body)
      writer.endObject()
    }
    writer.endArray()
    if let poll = batch.poll { write(poll, into: &writer) }
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ poll: Reply, into writer: inout JSONWriter) {
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
}
