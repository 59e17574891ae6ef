import Relay

/// The batches whose parts are not all answered. A batch is several calls of an agent, and
/// optionally its next poll, with one response.
struct Batches {
  private struct Batch {
    var parts: [CallID]
    var results: [CallID: Reply] = [:]
    /// The poll's reply; `nil` while the poll waits.
    var poll: Reply?
    var isPolling: Bool

    var isDone: Bool { results.count == parts.count && (!isPolling || poll != nil) }
  }

  private var open: [CallID: Batch] = [:]
  /// The batch of each call. Parts whose caller has gone stay here until they are answered.
  private var batchOf: [CallID: CallID] = [:]

  var isEmpty: Bool { open.isEmpty && batchOf.isEmpty }

  mutating func begin(_ call: CallID, _ parts: [CallID], isPolling: Bool) {
    open[call] = Batch(parts: parts, isPolling: isPolling)
    for part in parts { batchOf[part] = call }
  }

  /// Ends a batch whose caller has gone. Returns the reply to its poll, and the replies to its
  /// other parts that were kept.
  mutating func end(_ call: CallID) -> (poll: Reply?, parts: [Reply]) {
    let batch = open.removeValue(forKey: call)
    return (batch?.poll, batch.map { Array($0.results.values) } ?? [])
  }

  /// The effect of a reply on its batch.
  enum Outcome {
    /// The reply belongs to no batch.
    case alone
    /// The reply waits for the other parts.
    case kept
    /// The caller of the batch has gone, so that the reply is dropped.
    case unwanted
    /// The reply completes the batch: the batch's own reply, and the parts in it.
    case whole(Reply, parts: [Reply])
  }

  mutating func resolve(_ reply: Reply) -> Outcome {
    let call: CallID
    if let batch = batchOf.removeValue(forKey: reply.call) {
      guard open[batch] != nil else { return .unwanted }
      open[batch]?.results[reply.call] = reply
      call = batch
    } else if open[reply.call] != nil {
      open[reply.call]?.poll = reply
      call = reply.call
    } else {
      return .alone
    }
    guard let batch = open[call], batch.isDone else { return .kept }
    open[call] = nil
    var whole = Reply(
      call: call, .batch(results: batch.parts.compactMap { batch.results[$0] }, poll: batch.poll))
    whole.receipt = batch.poll?.receipt ?? .none
    return .whole(whole, parts: Array(batch.results.values) + (batch.poll.map { [$0] } ?? []))
  }
}
