package import Relay
package import Wire

/// A message as the platform shows what waits for an agent.
package struct QueueItem: Sendable {
  package var id: MessageID
  package var workspace: WorkspaceID
  package var message: StoredMessage
  /// The state as the queue holds it, if it does.
  package var current: MessageState?
  package var attempts: Int
  /// When it was handed out first.
  package var dispatchedAt: WallTime?
  /// The Task of a message that has ended.
  package var response: TaskView?
}

/// What the platform's clients get beside the Task.
package struct PlatformAnswer: Sendable {
  package var method: String
  package var messageID: String
  package var isEnd: Bool
}
