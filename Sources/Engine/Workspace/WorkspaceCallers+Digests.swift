import Relay
import Wire

extension Workspace {
  var digest: KeyedDigest { KeyedDigest(digestKey) }

  /// Returns the unkeyed digest of a message that is older than the file's key; `nil` for any
  /// other.
  func unkeyedDigest(of seq: Seq) -> Digest128? {
    seq <= digestKey.unkeyedUpTo ? Digest128() : nil
  }
}

/// Finds equal calls, in files of every age.
extension WorkspaceCallers {
  /// Returns the message to which an equal call of the same caller attaches.
  func attachable(_ request: CallerRequest, _ dedup: UUIDBytes) -> Message? {
    if let message = queue.attachable(dedup, of: request.callerText) { return message }
    guard workspace.digestKey.unkeyedUpTo > 0, request.caller != .anonymous,
      let message = queue.attachable(request.asRetry(Digest128()), of: request.callerText),
      message.seq <= workspace.digestKey.unkeyedUpTo
    else { return nil }
    return message
  }

  /// Returns whether the key of message `seq` was sent with an equal call.
  func isCall(_ request: CallerRequest, of seq: Seq, _ stored: UUIDBytes) -> Bool {
    if request.asKeyed(workspace.digest) == stored { return true }
    return workspace.unkeyedDigest(of: seq).map { request.asKeyed($0) == stored } ?? false
  }

  /// Returns the message that an equal answer of the workspace to itself has answered.
  func answered(by request: CallerRequest, _ hash: UUIDBytes) -> Seq? {
    if let seq = workspace.waiting.ownAnswers.answered(by: hash) { return seq }
    guard workspace.digestKey.unkeyedUpTo > 0 else { return nil }
    return workspace.waiting.ownAnswers.answered(by: request.asAnswer(Digest128()))
  }
}
