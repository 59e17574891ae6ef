/// The states of a task (A2A 1.0 §4.1.3). `unknown` and unspecified are not states for a relay:
/// it made the task and knows.
package enum A2AState: UInt8, CaseIterable, Sendable {
  case submitted, working, inputRequired, authRequired, completed, canceled, failed, rejected

  package func name(in dialect: Dialect) -> String {
    switch dialect {
    case .v03: shortName
    case .v10: protoName
    }
  }

  /// Whether the task has ended: no message can change it.
  package var isTerminal: Bool {
    switch self {
    case .completed, .canceled, .failed, .rejected: true
    case .submitted, .working, .inputRequired, .authRequired: false
    }
  }

  /// The task waits for its caller; a blocking call ends here too (A2A 1.0 §3.2.2).
  package var isInterrupted: Bool { self == .inputRequired || self == .authRequired }

  /// Reads the spelling of either dialect, and the number that 1.0 has for it.
  package init?(name: String) {
    let number = ProtoJSON.integer(name)
    let state = Self.allCases.first {
      $0.shortName == name || $0.protoName == name || $0.protoNumber == number
    }
    guard let state else { return nil }
    self = state
  }

  private var protoNumber: Int {
    switch self {
    case .submitted: 1
    case .working: 2
    case .completed: 3
    case .failed: 4
    case .canceled: 5
    case .inputRequired: 6
    case .rejected: 7
    case .authRequired: 8
    }
  }

  private var shortName: String {
    switch self {
    case .submitted: "submitted"
    case .working: "working"
    case .inputRequired: "input-required"
    case .authRequired: "auth-required"
    case .completed: "completed"
    case .canceled: "canceled"
    case .failed: "failed"
    case .rejected: "rejected"
    }
  }

  private var protoName: String {
    switch self {
    case .submitted: "TASK_STATE_SUBMITTED"
    case .working: "TASK_STATE_WORKING"
    case .inputRequired: "TASK_STATE_INPUT_REQUIRED"
    case .authRequired: "TASK_STATE_AUTH_REQUIRED"
    case .completed: "TASK_STATE_COMPLETED"
    case .canceled: "TASK_STATE_CANCELED"
    case .failed: "TASK_STATE_FAILED"
    case .rejected: "TASK_STATE_REJECTED"
    }
  }
}
