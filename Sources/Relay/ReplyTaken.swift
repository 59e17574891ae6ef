/// What a caller has learned from a reply whose delivery was seen. What was sent decides, whatever
/// has become of the message by the time at which the receipt comes.
package enum ReplyTaken: Sendable {
  /// Nothing: the message is a replay, and nobody waits for a reply.
  case unawaited
  /// The Task while it was at work.
  case task
  /// How the message ended.
  case end

  // In a file `received_at` is 0 as long as no caller has taken the end, and later than `ended_at`
  // from then on, even if the clock was set back or both times are the same. Earlier versions wrote
  // the time of any reply there: one that is not later than the end may have been the Task. They
  // wrote it for replays too, which have a `task_received_at` when this version wrote it.

  /// Whether the columns of a message say that its end was taken.
  package static func isEndTaken(
    receivedAt: WallTime?, taskReceivedAt: WallTime?, endedAt: WallTime?, isReplay: Bool
  ) -> Bool {
    guard let receivedAt, let endedAt, !isReplay || taskReceivedAt != nil else { return false }
    return receivedAt > endedAt
  }
}
