import Relay
import Store

/// Finds messages by their ids, and the tombstones of deleted ones.
extension WorkspacePool {
  /// Returns the message of this id and its workspace. Several workspaces may share the id's short
  /// hash; the id's tag decides between them.
  func locate(_ id: MessageID, now: Now) throws(RelayError) -> (Workspace, StoredMessage)? {
    for candidate in directory.workspaces(short: id.workspace) {
      let workspace = try workspace(candidate, now: now)
      if let message = workspace.queue.message(id.seq), message.state == .storing { continue }
      if let stored = try workspace.storedMessage(id.seq), stored.tag == id.tag {
        return (workspace, stored)
      }
    }
    return nil
  }

  /// Returns the workspace's message of this id. Throws `answerGone` if it was deleted.
  func operand(
    _ id: MessageID, at owner: WorkspaceID, now: Now
  ) throws(RelayError) -> (Workspace, StoredMessage) {
    if let (workspace, message) = try locate(id, now: now), workspace.id == owner {
      return (workspace, message)
    }
    let workspace = try workspace(owner, now: now)
    throw try workspace.tombstone(id) == nil ? .notFound : .answerGone
  }

  /// Returns the tombstone of the message id, and its workspace.
  func tombstone(_ id: MessageID, now: Now) throws(RelayError) -> (Workspace, Tombstone)? {
    for candidate in directory.workspaces(short: id.workspace) {
      let workspace = try workspace(candidate, now: now)
      if let found = try workspace.tombstone(id) { return (workspace, found) }
    }
    return nil
  }

  /// Returns the error for a message that does not exist. Only the deleted message's own caller
  /// learns that it existed.
  func missing(
    _ id: MessageID, for caller: Identity, now: Now
  ) throws(RelayError) -> RelayError {
    guard let (_, tombstone) = try tombstone(id, now: now),
      caller.isCaller(tombstone.caller) || caller == .admin
    else { return .notFound }
    return .answerGone
  }
}
