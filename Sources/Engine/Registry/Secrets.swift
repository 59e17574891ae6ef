package import Relay

/// What operators have given to agents, in memory: by workspace, then by key.
package struct Secrets {
  private var byWorkspace: [WorkspaceID: [String: RegisteredSecret]] = [:]
  /// Of all values.
  package private(set) var bytes = 0

  package subscript(_ id: WorkspaceID) -> [String: RegisteredSecret] { byWorkspace[id] ?? [:] }

  package mutating func put(_ secret: RegisteredSecret) {
    var secret = secret
    let old = byWorkspace[secret.workspace]?[secret.key]
    if let old { secret.createdAt = old.createdAt }
    bytes += secret.value.utf8.count - (old?.value.utf8.count ?? 0)
    byWorkspace[secret.workspace, default: [:]][secret.key] = secret
  }

  package mutating func remove(_ key: String, of id: WorkspaceID) {
    guard let old = byWorkspace[id]?.removeValue(forKey: key) else { return }
    bytes -= old.value.utf8.count
    if byWorkspace[id]?.isEmpty == true { byWorkspace[id] = nil }
  }

  /// The workspace has gone.
  package mutating func removeAll(of id: WorkspaceID) {
    for secret in (byWorkspace.removeValue(forKey: id) ?? [:]).values {
      bytes -= secret.value.utf8.count
    }
  }
}
