/// The states of a task as both dialects spell them (A2A 1.0 §4.1.3). `unknown` and unspecified are
/// not among them: the relay made the task and knows its state.
///
/// The rules of the states are in `TaskState` of the module `Relay`, which this module cannot see;
/// the engine maps one to the other by exhaustive switches.
package enum A2AState: UInt8, CaseIterable, Sendable {
  case submitted, working, inputRequired, authRequired, completed, canceled, failed, rejected

  package func name(in dialect: Dialect) -> String {
    switch dialect {
    case .v03: shortName
    case .v10: protoName
    }
  }

  /// Whether an agent may post a result with this state: the task has ended, or it waits for its
  /// caller (A2A 1.0 §3.2.2).
  package var isOfResult: Bool {
    switch self {
    case .inputRequired, .authRequired, .completed, .canceled, .failed, .rejected: true
    case .submitted, .working: false
    }
  }

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
