/// The events of a task.
package enum TaskEvent: UInt8, Sendable, CaseIterable {
  /// A message of the task was given to an agent.
  case handedOut
  /// A further message of the task has been stored.
  case continued
  case needsInput
  case needsAuth
  case completed
  case failed
  case rejected
  case cancelled
  /// A message of the task ended dead or expired, or nobody sent the input that the task waited
  /// for.
  case lost
}

/// The table of a task: state × event → new state, and `nil` where the event changes nothing. A
/// task never leaves its end.
package enum TaskTable {
  package static func next(_ state: TaskState, _ event: TaskEvent) -> TaskState? {
    switch state {
    case .submitted, .working, .inputRequired, .authRequired: open(state, event)
    // A2A 1.0 §4.1.3: a terminal state is never left.
    case .completed, .canceled, .failed, .rejected: nil
    }
  }

  private static func open(_ state: TaskState, _ event: TaskEvent) -> TaskState? {
    switch event {
    case .handedOut, .continued: state == .working ? nil : continued(state, event)
    case .needsInput: state == .inputRequired ? nil : .inputRequired
    case .needsAuth: state == .authRequired ? nil : .authRequired
    case .completed: .completed
    case .failed, .lost: .failed
    case .rejected: .rejected
    case .cancelled: .canceled
    }
  }

  /// `submitted` becomes `working` by a delivery only; an interrupted task goes on by a message.
  private static func continued(_ state: TaskState, _ event: TaskEvent) -> TaskState? {
    switch state {
    case .submitted: event == .handedOut ? .working : nil
    case .inputRequired, .authRequired: .working
    case .working, .completed, .canceled, .failed, .rejected: nil
    }
  }

  /// Returns the event that a result with this state is; `nil` where a result may not carry the
  /// state.
  package static func event(ofResult state: TaskState) -> TaskEvent? {
    switch state {
    case .submitted, .working: nil
    case .inputRequired: .needsInput
    case .authRequired: .needsAuth
    case .completed: .completed
    case .failed: .failed
    case .rejected: .rejected
    case .canceled: .cancelled
    }
  }
}
