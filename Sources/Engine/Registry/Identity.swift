package import Relay

/// The sender of a request, as the credential proves it; headers and body are never believed.
package enum Identity: Hashable, Sendable {
  case admin
  /// A key of an org, and its scopes.
  case org(String, RegisteredToken.Scopes = .send)
  case workspace(WorkspaceID)
  case anonymous

  /// The name of the caller in messages, which decides whose a task is.
  package var text: String {
    switch self {
    case .admin: "admin"
    case .org(let org, _): "org:\(org)"
    case .workspace(let id): "workspace:\(id.text)"
    case .anonymous: "anonymous"
    }
  }

  /// Whether the identity may send where a credential is required: an org's read-only key may not.
  package var maySend: Bool {
    switch self {
    case .admin, .workspace: true
    case .org(_, let scopes): !scopes.isDisjoint(with: [.send, .admin])
    case .anonymous: false
    }
  }

  /// Returns whether this identity owns what a caller of this name has sent, and may read and
  /// receive the answer. All keys of an org are one caller, except those that may not send.
  func isCaller(_ name: String) -> Bool {
    if case .org = self, !maySend { return false }
    return text == name
  }
}
