package import Relay

/// Whose share of the memory answers are, and which of them wait for a later turn.
extension Engine {
  /// Returns whose share of the memory the answers for this caller are.
  package func payer(of identity: Identity) -> BodyMemory.Payer {
    replies.payer(of: identity) { org(of: identity) }
  }

  private func org(of identity: Identity) -> String? {
    switch identity {
    case .org(let org, _): org
    case .workspace(let id): directory.workspace(id)?.row.org
    case .admin, .anonymous: nil
    }
  }

  /// Whether the Task of a message is too large to be made in this turn.
  func mustWait(_ seq: Seq, _ desk: Desk) -> Bool {
    guard replies.mustDefer else { return false }
    guard let cached = desk.cache[seq], desk.cache.isAlone(seq) else { return true }
    return cached.bytes > Limits.smallAnswerBytesMax
  }
}
