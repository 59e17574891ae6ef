import Relay
import Wire

extension Workspace {
  var digest: KeyedDigest { KeyedDigest(digestKey) }

  /// The digest that may stand with a message which is older than the file's key; else `nil`.
  func unkeyedDigest(of seq: Seq) -> Digest128? {
    seq <= digestKey.unkeyedUpTo ? Digest128() : nil
  }
}

/// How equal calls are found, in files of every age.
extension WorkspaceCallers {
  /// Finds the message to which an equal call of the same caller attaches.
  func attachable(_ request: CallerRequest, _ dedup: UUIDBytes) -> Message? {
    if let message = queue.attachable(dedup, of: request.callerText) { return message }
    guard workspace.digestKey.unkeyedUpTo > 0, request.caller != .anonymous,
      let message = queue.attachable(request.asRetry(Digest128()), of: request.callerText),
      message.seq <= workspace.digestKey.unkeyedUpTo
    else { return nil }
    return message
  }

  /// Whether a key that came with message `seq` stands for this call.
  func isCall(_ request: CallerRequest, of seq: Seq, _ stored: UUIDBytes) -> Bool {
    if request.asKeyed(workspace.digest) == stored { return true }
    return workspace.unkeyedDigest(of: seq).map { request.asKeyed($0) == stored } ?? false
  }

  /// Finds the message that an equal answer of the workspace to itself has answered.
  func answered(by request: CallerRequest, _ hash: UUIDBytes) -> Seq? {
    if let seq = workspace.waiting.ownAnswers.answered(by: hash) { return seq }
    guard workspace.digestKey.unkeyedUpTo > 0 else { return nil }
    return workspace.waiting.ownAnswers.answered(by: request.asAnswer(Digest128()))
  }
}
