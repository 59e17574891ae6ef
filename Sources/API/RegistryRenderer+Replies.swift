import Engine
import Wire

extension RegistryRenderer {
  /// Returns the body of a response about the registry.
  func json(_ answer: ReplyContent) -> JSON {
    switch answer {
    case .workspace(let row, let lastSeen): workspace(row, lastSeen: lastSeen)
    case .registered(let row, let secret, let wantsPush):
      registered(row, secret, wantsPush: wantsPush)
    case .cardUpdated: ["status": "updated"]
    case .paused(let isPaused, let refusesSends):
      [
        "status": isPaused ? "paused" : "active", "sends": refusesSends ? "refuse" : "accept",
      ]
    case .removed(let row, let count, let at): removed(row, below: count, at: at)
    case .purged(let row, let count): purged(row, below: count)
    case .tokenMinted(let token, let id, let secret): minted(token, id, secret)
    case .keyMinted(let key, let secret): minted(key, secret)
    case .tokenRevoked(let fingerprint): ["status": "revoked", "id": .string(fingerprint)]
    case .tokensRevoked(let count): ["status": "revoked", "count": .number("\(count)")]
    case .org(let org): self.org(org)
    case .secretSaved(let key): ["status": "saved", "key": .string(key)]
    case .secretDeleted(let key): ["status": "deleted", "key": .string(key)]
    case .secrets(let secrets, let isWrapped): secretValues(secrets, isWrapped: isWrapped)
    case .audit(let entries, let hasMore): audit(entries, hasMore: hasMore)
    default: .null
    }
  }
}
