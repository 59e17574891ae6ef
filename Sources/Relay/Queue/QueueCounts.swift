/// The numbers that a queue's limits bound, of the whole queue or of one caller.
package struct QueueCounts: Sendable, Equatable {
  package var unanswered = 0
  /// Messages that have ended, and nobody has received how: with an answer, expired or cancelled.
  package var unreceived = 0
  package var dead = 0
  /// Open tasks that wait for input or authorization.
  package var interrupted = 0

  /// All the messages.
  package var messages: Int { unanswered + unreceived + dead }
}

/// The ended messages in a workspace's file that nobody waits for.
package struct Kept: Sendable, Equatable {
  package var bytes: Int
  package var messages: Int

  package init(bytes: Int = 0, messages: Int = 0) {
    self.bytes = bytes
    self.messages = messages
  }

  /// More is kept than may stay: messages whose end was received are deleted.
  package func isOver(_ limits: Limits) -> Bool {
    bytes > limits.keptBytesMax || messages > limits.keptMessagesMax
  }

  /// No more can be kept: messages whose end was not received are not deleted, and there are too
  /// many of them.
  package func isFull(_ limits: Limits) -> Bool {
    bytes - limits.keptBytesMax > limits.unreadBytesMax
      || messages - limits.keptMessagesMax > limits.unreadMessagesMax
  }
}

/// Why a message is refused. Nothing has been created.
package struct QueueRefusal: Sendable, Equatable {
  /// `queueFull` or `callerShare`.
  package var error: RelayError
  /// The counts of the queue, or of the caller.
  package var counts: QueueCounts
  /// Bytes of the queue's requests, if they are the reason.
  package var bytes: Int?
  /// Messages that the file keeps beside the queue, if they are the reason.
  package var kept: Int?

  package init(error: RelayError, counts: QueueCounts, bytes: Int? = nil, kept: Int? = nil) {
    self.error = error
    self.counts = counts
    self.bytes = bytes
    self.kept = kept
  }
}
