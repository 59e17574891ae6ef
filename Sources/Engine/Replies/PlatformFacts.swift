package import Relay
package import Wire

/// A message in the platform's form of a queue item.
package struct QueueItem: Sendable {
  package var id: MessageID
  package var workspace: WorkspaceID
  package var message: StoredMessage
  /// The message's state in the queue; `nil` if it has left the queue.
  package var current: MessageState?
  package var attempts: Int
  /// The time of its first delivery.
  package var dispatchedAt: WallTime?
  /// The Task of a message that has ended.
  package var response: TaskView?
}

/// The facts that the platform's clients get beside the Task.
package struct PlatformAnswer: Sendable {
  package var method: String
  package var messageID: String
  package var isEnd: Bool
}
