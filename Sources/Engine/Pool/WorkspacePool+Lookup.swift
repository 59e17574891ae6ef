import Relay
import Store

/// Finds messages by their ids, and what there is left of those that were deleted.
extension WorkspacePool {
  /// The workspace that a message id is of. Several may share its short hash: the tag decides.
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

  /// The message of that id in this workspace. Throws `answerGone` if it was deleted.
  func operand(
    _ id: MessageID, at owner: WorkspaceID, now: Now
  ) throws(RelayError) -> (Workspace, StoredMessage) {
    if let (workspace, message) = try locate(id, now: now), workspace.id == owner {
      return (workspace, message)
    }
    let workspace = try workspace(owner, now: now)
    throw try workspace.tombstone(id) == nil ? .notFound : .answerGone
  }

  /// The tombstone that a message id names, and where it is.
  func tombstone(_ id: MessageID, now: Now) throws(RelayError) -> (Workspace, Tombstone)? {
    for candidate in directory.workspaces(short: id.workspace) {
      let workspace = try workspace(candidate, now: now)
      if let found = try workspace.tombstone(id) { return (workspace, found) }
    }
    return nil
  }

  /// The error for a message that is not there. Its caller is told that it is gone; to all others
  /// there never was one.
  func missing(
    _ id: MessageID, for caller: Identity, now: Now
  ) throws(RelayError) -> RelayError {
    guard let (_, tombstone) = try tombstone(id, now: now),
      caller.isCaller(tombstone.caller) || caller == .admin
    else { return .notFound }
    return .answerGone
  }
}
