/// The state of a message. The raw values are on disk: never change one.
package enum MessageState: UInt8, Sendable, CaseIterable {
  /// The message is being written; nobody sees it yet.
  case storing = 1
  /// The message is on disk and waits for an agent.
  case queued = 2
  /// The message was given to a poll that asked to confirm.
  case offered = 3
  /// An agent works on the message.
  case leased = 4
  /// The result of the message is being written.
  case answering = 5
  /// The message has its one answer.
  case answered = 6
  /// The message's attempts are used up; it is kept for people to look at and redrive.
  case dead = 7
  /// The message was not answered within its time to live.
  case expired = 8
  /// A caller or an operator ended the message.
  case cancelled = 9
  /// The withdrawal of the message (never delivered, `when_offline: error`) is being written.
  case withdrawing = 10
  /// Another end without an answer is being written.
  case closing = 11
  /// The return of the message from `dead` into the queue is being written.
  case redriving = 12

  /// The message stays in this state for good.
  package var isEnd: Bool {
    switch self {
    case .answered, .dead, .expired, .cancelled: true
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      false
    }
  }

  /// The message is being written: no timer acts and no other transition starts until the report.
  package var isPending: Bool {
    switch self {
    case .storing, .answering, .withdrawing, .closing, .redriving: true
    case .queued, .offered, .leased, .answered, .dead, .expired, .cancelled: false
    }
  }
}

/// The state of a task (A2A 1.0 `TaskState`). The raw values are on disk: never change one.
package enum TaskState: UInt8, Sendable, CaseIterable {
  case submitted = 1
  case working = 2
  case inputRequired = 3
  case authRequired = 4
  case completed = 5
  case canceled = 6
  case failed = 7
  case rejected = 8

  /// The task has ended. A2A 1.0 §4.1.3: a terminal state is never left.
  package var isTerminal: Bool {
    switch self {
    case .completed, .canceled, .failed, .rejected: true
    case .submitted, .working, .inputRequired, .authRequired: false
    }
  }

  /// Whether the task waits for its caller. A blocking call ends here too (A2A 1.0 §3.2.2).
  package var isInterrupted: Bool { self == .inputRequired || self == .authRequired }
}
