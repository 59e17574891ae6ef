import Relay

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

  /// Ends a batch whose caller has gone. Returns what its poll was given, and the replies to the
  /// other parts that were kept for it.
  mutating func end(_ call: CallID) -> (poll: Reply?, parts: [Reply]) {
    let batch = open.removeValue(forKey: call)
    return (batch?.poll, batch.map { Array($0.results.values) } ?? [])
  }

  /// What becomes of a reply.
  enum Outcome {
    /// It belongs to no batch.
    case alone
    /// It waits for the other parts.
    case kept
    /// The caller of its batch has gone.
    case unwanted
    /// It makes the batch whole: the batch's reply, and those that it was made of.
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
