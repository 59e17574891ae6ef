package import Relay
import Store
import System
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

/// One whose write is on its way.
struct RunningOperation {
  var operation: Operation
  var workspace: WorkspaceID
  var message: MessageID
  var action: AuditAction

  var target: AuditTarget { .message(workspace, message) }
}

extension Engine {
  /// The message of that id in this workspace; if it was deleted, that is said.
  func operand(
    _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) throws(RelayError) -> (Desk, StoredMessage) {
    if let (desk, message) = try locate(id, now: now), desk.id == workspace {
      return (desk, message)
    }
    let desk = try desk(workspace, now: now)
    throw try tombstone(id, desk) == nil ? .notFound : .answerGone
  }

  func tombstone(_ id: MessageID, _ desk: Desk) throws(RelayError) -> Tombstone? {
    let found = try reading(desk) { () throws(StoreError) in try desk.file.tombstone(id.seq) }
    return found.flatMap { $0.tag == id.tag ? $0 : nil }
  }

  /// The operator's answer; the audit has the verb already.
  func done(_ running: RunningOperation, _ verb: String, _ body: JSON) {
    log.info(
      "message_verb",
      [
        "verb": .text(verb), "workspace": .text(running.workspace.text),
        "message": .text(running.message.text),
        "actor": .text(running.operation.actor),
      ])
    desks[running.workspace]?.open[running.operation.call] = nil
    replies.send(Reply(call: running.operation.call, body: body.bytes))
  }

  func fail(_ running: RunningOperation, _ error: RelayError, now: Now) {
    desks[running.workspace]?.open[running.operation.call] = nil
    auditRefusal(running.operation.actor, running.action, running.target, error, now: now)
    replies.send(Reply(call: running.operation.call, error: error))
  }

  /// Who did it, as timelines keep it.
  static func note(_ actor: String, _ members: [(String, JSON)] = []) -> [UInt8] {
    var json: JSON = ["actor": .string(actor)]
    for (name, value) in members { json[name] = value }
    return json.bytes
  }
}
