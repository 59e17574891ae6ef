/// The content of a reply that a caller has acknowledged. The reply as it was sent counts, even if
/// the message has moved on before the acknowledgement.
package enum ReplyTaken: Sendable {
  /// No reply: the message is a replay, and nobody waits for it.
  case unawaited
  /// The Task, while the message was unanswered.
  case task
  /// The end of the message.
  case end

  // In a file `received_at` is 0 until a caller has taken the end, and later than `ended_at` from
  // then on, even if the clock was set back or both times are the same. Earlier versions wrote the
  // time of any reply there, so a time that is not later than the end may be that of the Task. They
  // wrote it for replays too; a replay that this version wrote has a `task_received_at`.

  /// Whether the columns of a message say that its end was taken.
  package static func isEndTaken(
    receivedAt: WallTime?, taskReceivedAt: WallTime?, endedAt: WallTime?, isReplay: Bool
  ) -> Bool {
    guard let receivedAt, let endedAt, !isReplay || taskReceivedAt != nil else { return false }
    return receivedAt > endedAt
  }
}
