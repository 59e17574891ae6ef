package import Relay
import Wire

/// Several calls of an agent, and optionally its next poll, answered together.
struct Batch {
  var parts: [CallID]
  var results: [CallID: Reply] = [:]
  /// The poll's entries, once there are any; `nil` while it waits.
  var poll: Reply?
  var isPolling: Bool

  var isDone: Bool { results.count == parts.count && (!isPolling || poll != nil) }
}

extension Broker {
  /// Applies the calls in order. The reply comes when all of them are durable and the poll, whose
  /// id is the batch's, has its answer.
  package func batch(
    _ call: CallID, _ calls: [(CallID, Result<AgentCall, BatchFault>)], poll: Poll?,
    at id: WorkspaceID, now: Now
  ) {
    if calls.isEmpty, poll == nil {
      return outbox.append(Reply(call: call, body: Array("{\"results\":[]}".utf8)))
    }
    batches[call] = Batch(parts: calls.map(\.0), isPolling: poll != nil)
    for (part, _) in calls { batchOf[part] = call }
    for (part, item) in calls {
      switch item {
      case .success(let agent): agentCall(agent, now: now)
      case .failure(let fault):
        outbox.append(Reply(call: part, error: fault.error, detail: fault.detail))
      }
    }
    if let poll { self.poll(poll, at: id, now: now) }
  }

  /// What can leave now. Replies to parts of a batch stay until the batch is whole.
  package func takeReplies() -> [Reply] {
    let replies = outbox
    outbox = []
    madeInTurn = 0
    for reply in replies {
      if let error = reply.error { metrics.refused(error) }
    }
    // Parts of a batch whose caller has gone still come.
    guard !batches.isEmpty || !batchOf.isEmpty else {
      for reply in replies { release(reply) }
      return replies
    }
    var whole: [Reply] = []
    for reply in replies {
      guard let reply = resolve(reply) else { continue }
      release(reply)
      whole.append(reply)
    }
    return whole
  }

  private func resolve(_ reply: Reply) -> Reply? {
    let call: CallID
    if let batch = batchOf.removeValue(forKey: reply.call) {
      batches[batch]?.results[reply.call] = reply
      call = batch
    } else if batches[reply.call] != nil {
      batches[reply.call]?.poll = reply
      call = reply.call
    } else {
      return reply
    }
    guard let batch = batches[call], batch.isDone else { return nil }
    batches[call] = nil
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
    if let poll = batch.poll { writePoll(poll, into: &writer) }
    writer.endObject()
    if let poll = batch.poll { release(poll) }
    var reply = Reply(call: call, body: writer.bytes)
    reply.receipt = batch.poll?.receipt ?? .none
    return reply
  }

  private func writePoll(_ poll: Reply, into writer: inout JSONWriter) {
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

/// A part of a batch that could not be understood.
package struct BatchFault: Error, Sendable {
  package var error: RelayError
  package var detail: String?

  package init(_ error: RelayError, _ detail: String? = nil) {
    self.error = error
    self.detail = detail
  }
}
