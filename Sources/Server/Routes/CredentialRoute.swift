import Relay

/// Routes about who may do what: orgs, keys, tokens, and the audit of it all.
enum CredentialRoute: Equatable {
  case orgs
  case keys
  case key(String)
  case audit
  case tokens(WorkspaceID)
  /// The same under the name by which the platform's operators know it, to mint only.
  case adminTokens(WorkspaceID)
  case rotation(WorkspaceID)
  case token(WorkspaceID, String)

  /// `/orgs`, `/org/…` and `/admin/…`.
  init?(_ parts: PathSegments) {
    if parts.has(0, "orgs"), parts.count == 1 {
      self = .orgs
    } else if parts.has(0, "org"), parts.has(1, "tokens"), parts.count == 2 {
      self = .keys
    } else if parts.has(0, "org"), parts.has(1, "tokens"), parts.count == 3, !parts.isEmpty(2) {
      self = .key(parts.text(2))
    } else if parts.has(0, "admin"), parts.has(1, "audit"), parts.count == 2 {
      self = .audit
    } else if parts.has(0, "admin"), parts.has(1, "workspaces"), parts.has(3, "tokens"),
      parts.count == 4, let id = parts.workspace(2)
    {
      self = .adminTokens(id)
    } else {
      return nil
    }
  }

  /// `/workspaces/{id}/tokens…`.
  init?(_ parts: PathSegments, of id: WorkspaceID) {
    guard parts.has(2, "tokens") else { return nil }
    if parts.count == 3 {
      self = .tokens(id)
    } else if parts.count == 4, parts.has(3, "rotate") {
      self = .rotation(id)
    } else if parts.count == 4, !parts.isEmpty(3) {
      self = .token(id, parts.text(3))
    } else {
      return nil
    }
  }

  var methods: [String] {
    switch self {
    case .orgs, .keys: ["GET", "HEAD", "POST"]
    case .key, .token: ["DELETE"]
    case .audit: ["GET", "HEAD"]
    case .tokens: ["GET", "HEAD", "POST", "DELETE"]
    case .adminTokens, .rotation: ["POST"]
    }
  }
}
