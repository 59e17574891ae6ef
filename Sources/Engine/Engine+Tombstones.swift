package import Relay
import Store
import Wire

/// What is told of messages that have been deleted.
extension Engine {
  /// The tombstone that a message id names, and where it is.
  private func tombstone(_ id: MessageID, now: Now) throws(RelayError) -> (Desk, Tombstone)? {
    for workspace in directory.workspaces(short: id.workspace) {
      let desk = try desk(workspace, now: now)
      if let found = try tombstone(id, desk) { return (desk, found) }
    }
    return nil
  }

  /// Its caller is told that a message is gone; to all others there never was one.
  func missing(_ id: MessageID, for caller: Identity, now: Now) throws(RelayError) -> RelayError {
    guard let (_, tombstone) = try tombstone(id, now: now),
      caller.isCaller(tombstone.caller) || caller == .admin
    else { return .notFound }
    return .answerGone
  }

  /// For operators: when, why and by whom. `nil`: nothing is known of it.
  func tombstoneReply(
    _ call: CallID, _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) throws(RelayError) -> (Reply, Desk)? {
    guard let (desk, tombstone) = try tombstone(id, now: now), desk.id == workspace
    else { return nil }
    let at = JSON.string(Timestamp.rfc3339(nanoseconds: tombstone.at.nanoseconds))
    var event: JSON = ["at": at, "event": "deleted", "cause": .string(tombstone.cause.name)]
    var json: JSON = [
      "id": .string(id.text), "workspace": .string(workspace.text), "state": "deleted",
      "caller": .string(tombstone.caller), "deleted_at": at,
      "cause": .string(tombstone.cause.name),
    ]
    for (name, value) in [("by", tombstone.actor), ("reason", tombstone.reason)]
    where !value.isEmpty {
      json[name] = .string(value)
      event[name] = .string(value)
    }
    json["timeline"] = .array([event])
    return (Reply(call: call, body: json.bytes), desk)
  }

  /// An agent's call about a message that the file no longer has: it has ended, whatever the agent
  /// was told then.
  func isDeleted(_ seq: Seq, _ desk: Desk) throws(RelayError) -> Bool {
    guard seq <= desk.queue.lastSeq, desk.queue.message(seq) == nil else { return false }
    return try storedMessage(seq, desk) == nil
  }
}

extension Tombstone.Cause {
  package var name: String {
    switch self {
    case .age: "retention"
    case .size: "retention_by_size"
    case .purge: "purged"
    }
  }
}
