package import Relay

/// Who a request comes from, as its credential says; never what a header or body claims.
package enum Identity: Hashable, Sendable {
  case admin
  /// A key of an org, and what it may do.
  case org(String, RegisteredToken.Scopes = .send)
  case workspace(WorkspaceID)
  case anonymous

  /// How messages name their caller; stored, and compared to decide whose a task is.
  package var text: String {
    switch self {
    case .admin: "admin"
    case .org(let org, _): "org:\(org)"
    case .workspace(let id): "workspace:\(id.text)"
    case .anonymous: "anonymous"
    }
  }

  /// It may send where a credential is asked for: an org's key that only reads may not.
  package var maySend: Bool {
    switch self {
    case .admin, .workspace: true
    case .org(_, let scopes): !scopes.isDisjoint(with: [.send, .admin])
    case .anonymous: false
    }
  }

  /// Whether what was sent by a caller of this name is its own, to be taken and to be received. The
  /// keys of an org are one caller, but for those that may not send.
  func isCaller(_ name: String) -> Bool {
    if case .org = self, !maySend { return false }
    return text == name
  }
}
