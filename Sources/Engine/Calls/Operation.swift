package import Relay
import Wire

/// A verb of an operator: which call, and who it is.
package struct Operation: Sendable {
  package var call: CallID
  /// As the audit and the timelines name it.
  package var actor: String
  /// Whose share of the memory the answer is.
  package var payer: BodyMemory.Payer

  package init(call: CallID, actor: String, payer: BodyMemory.Payer = .nobody) {
    self.call = call
    self.actor = actor
    self.payer = payer
  }
}

/// An operation on one message whose write is on its way.
struct RunningOperation {
  var operation: Operation
  var workspace: WorkspaceID
  var message: MessageID
  var action: AuditAction

  var target: AuditTarget { .message(workspace, message) }
}
