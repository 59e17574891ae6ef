package import Relay
package import Wire

/// An agent's operation on a message.
package enum AgentVerb: Sendable {
  case claim
  case extend(Duration?)
  case release(delay: Duration?, reason: String)
  /// The posted body, and the state that it gives the task.
  case result(body: [UInt8], state: A2AState)
}

/// One request of an agent about one message.
package struct AgentCall: Sendable {
  package var call: CallID
  package var workspace: WorkspaceID
  package var message: MessageID
  package var fence: Fence
  package var verb: AgentVerb

  package init(
    call: CallID, workspace: WorkspaceID, message: MessageID, fence: Fence, verb: AgentVerb
  ) {
    self.call = call
    self.workspace = workspace
    self.message = message
    self.fence = fence
    self.verb = verb
  }
}

/// The text form of a fence, as agents carry it.
package enum LeaseToken {
  package static func text(_ fence: Fence) -> String { "L" + String(fence.number, radix: 16) }

  package static func read(_ text: String) -> Fence? {
    guard text.hasPrefix("L"), let number = Int64(text.dropFirst(), radix: 16), number > 0
    else { return nil }
    return Fence(number: number)
  }
}

extension EndReason {
  /// Whether an agent that holds the message has to stop because somebody ended the message on
  /// purpose.
  package var isCancel: Bool {
    switch self {
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .taskEnded, .purged,
      .workspaceRemoved:
      true
    case .attemptsUsedUp, .expired: false
    }
  }

  package var name: String {
    switch self {
    case .attemptsUsedUp: "dead"
    case .expired: "expired"
    case .cancelledByCaller: "cancelled"
    case .cancelledByOperator: "cancelled_by_operator"
    case .withdrawn: "withdrawn"
    case .taskEnded: "task_ended"
    case .purged: "purged"
    case .workspaceRemoved: "workspace_removed"
    }
  }
}
