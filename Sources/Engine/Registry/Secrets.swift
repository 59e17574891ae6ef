package import Relay

/// The secrets that operators have set for agents, in memory, by workspace and then by key.
package struct Secrets {
  private var byWorkspace: [WorkspaceID: [String: RegisteredSecret]] = [:]
  /// The size of all values together.
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

  /// Removes the secrets of a workspace that is removed.
  package mutating func removeAll(of id: WorkspaceID) {
    for secret in (byWorkspace.removeValue(forKey: id) ?? [:]).values {
      bytes -= secret.value.utf8.count
    }
  }
}
