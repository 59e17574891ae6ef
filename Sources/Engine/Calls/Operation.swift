package import Relay
import Wire

/// A request of an operator: its call, and who made it.
package struct Operation: Sendable {
  package var call: CallID
  /// The operator's name in the audit and in timelines.
  package var actor: String
  /// The payer whose share of the memory the answer takes.
  package var payer: BodyMemory.Payer

  package init(call: CallID, actor: String, payer: BodyMemory.Payer = .nobody) {
    self.call = call
    self.actor = actor
    self.payer = payer
  }
}

/// An operator's operation on one message, while its write is not durable.
struct RunningOperation {
  var operation: Operation
  var workspace: WorkspaceID
  var message: MessageID
  var action: AuditAction

  var target: AuditTarget { .message(workspace, message) }
}
