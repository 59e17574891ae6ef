/// Why a message ended without an answer. The raw values are on disk.
package enum EndReason: UInt8, Sendable, CaseIterable {
  case attemptsUsedUp = 1
  case expired
  case cancelledByCaller
  case cancelledByOperator
  case withdrawn
  case taskEnded
  case purged
  case workspaceRemoved

  /// The state of a message that ended for this reason.
  var finalState: MessageState {
    switch self {
    case .attemptsUsedUp: .dead
    case .expired: .expired
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .taskEnded, .purged,
      .workspaceRemoved:
      .cancelled
    }
  }

  /// The event of the task that the end of its message is; nil if the task has ended first.
  var taskEvent: TaskEvent? {
    switch self {
    case .attemptsUsedUp, .expired: .lost
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .purged, .workspaceRemoved:
      .cancelled
    case .taskEnded: nil
    }
  }

  /// The event by which an operator ends a message for this reason.
  var operatorEvent: MessageEvent {
    switch self {
    case .cancelledByOperator: .cancel
    case .purged: .purge
    case .workspaceRemoved: .workspaceRemoved
    case .attemptsUsedUp, .expired, .cancelledByCaller, .withdrawn, .taskEnded:
      preconditionFailure("an operator does not end a message by \(self)")
    }
  }
}
