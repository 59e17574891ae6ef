package import Relay
package import Store
package import Wire

/// A message as lists show it to operators and callers.
package struct MessageFacts: Sendable {
  package var message: StoredMessage
  package var id: MessageID
  package var workspace: WorkspaceID
  package var isHeld: Bool
  /// The message that opened its task; nil if that one is deleted.
  package var task: MessageID?
  package var attempts: Int

  package var standing: MessageStanding { MessageStanding(message, isHeld: isHeld) }
}

/// The standing of a message, with the names that operators filter by.
package enum MessageStanding: String, Sendable, CaseIterable {
  case queued
  case inFlight = "in_flight"
  case answered, dead, expired, cancelled

  init(_ message: StoredMessage, isHeld: Bool) {
    switch message.state {
    case .answered: self = .answered
    case .dead: self = .dead
    case .expired: self = .expired
    case .cancelled: self = .cancelled
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      self = isHeld ? .inFlight : .queued
    }
  }
}

/// The whole history of a message.
package struct TimelineFacts: Sendable {
  package var facts: MessageFacts
  package var handOuts: [StoredHandOut]
  package var notes: [StoredNote]
  /// The number of late results whose body is kept.
  package var lateBodies: Int
  /// The request, if the reader asked for it.
  package var request: (head: [UInt8], body: [UInt8])?
  /// The answer, if the reader asked for it.
  package var answer: [UInt8]?

  /// The approximate size of the response in bytes.
  var bytes: Int {
    let rows = 256 * (handOuts.count + notes.count)
    let late = lateBodies > 0 ? notes.reduce(0) { $0 + $1.detail.count } : 0
    return rows + late + (request.map { $0.head.count + $0.body.count } ?? 0)
      + (answer?.count ?? 0)
  }
}

/// A message as it is delivered to an agent.
package struct Delivery: Sendable {
  package var id: MessageID
  package var seq: Seq
  package var attempt: Int
  package var isRedelivered: Bool
  package var replayOf: UUIDBytes?
  package var enqueuedAt: WallTime
  package var expiresAt: WallTime
  package var caller: String
  package var isCallerWaiting: Bool
  package var dialect: Dialect
  package var method: UInt8
  package var head: [UInt8]
  package var body: [UInt8]
  /// The ranges of the message's texts in the body.
  package var texts: [JSONScanner.Text]
  package var task: MessageID
  package var context: String
  package var fence: Fence
  package var isOffer: Bool
  package var ageSeconds: Int
  package var secondsLeft: Int
}

/// The content and the ages of a workspace's queue.
package struct QueueStatus: Sendable {
  package var workspace: WorkspaceID
  package var isPresent: Bool
  package var isPaused: Bool
  package var refusesSends: Bool
  package var queued: Int
  package var inFlight: Int
  package var counts: QueueCounts
  package var bytes: Int
  package var messagesMax: Int
  package var bytesMax: Int
  package var oldestUnansweredSeconds: Int64?
  package var oldestUnreceivedSeconds: Int64?
  package var parkedPolls: Int
}

/// A workspace with its agent and its queue, as operators see it.
package struct WorkspaceStatus: Sendable {
  package var record: WorkspaceRecord
  /// Whether the agent polls the platform's feed while nobody polls the inbox.
  package var isDeaf: Bool
  /// The content of the queue, or for a closed file its content at the closing; nil if unknown.
  package var counts: QueueCounts?
  package var heldCallers: Int
  package var parkedPolls: Int
  package var isPresent: Bool
  package var isInMemory: Bool
}
