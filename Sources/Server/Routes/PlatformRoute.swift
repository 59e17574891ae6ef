import Relay

/// The routes that the platform's own clients call, beside registration and heartbeat.
enum PlatformRoute: Equatable {
  /// Of the workspace whose token is shown.
  case a2a(WorkspaceID?)
  case queueItem(WorkspaceID, MessageID)
  case secrets(WorkspaceID?)
  case secretValues(WorkspaceID?)
  case secret(WorkspaceID, String)
  case state(WorkspaceID)
  case updateCard
  /// The platform's feed, which is not served yet.
  case activity(WorkspaceID)

  static func find(_ parts: PathSegments) -> Route? {
    if parts.has(0, "workspaces") { return parts.count >= 3 ? workspace(parts) : nil }
    if parts.has(0, "registry") { return registry(parts) }
    if parts.has(0, "a2a"), parts.count == 1 { return .platform(.a2a(nil)) }
    guard parts.has(0, "secrets") else { return nil }
    if parts.count == 1 { return .platform(.secrets(nil)) }
    return parts.count == 2 && parts.has(1, "values") ? .platform(.secretValues(nil)) : nil
  }

  /// `nil`: it is none of these.
  private static func workspace(_ parts: PathSegments) -> Route? {
    // What agents ask for most is none of these.
    guard !parts.has(2, "inbox"), let id = parts.workspace(1) else { return nil }
    if parts.has(2, "activity"), parts.count == 3 { return .platform(.activity(id)) }
    if unserved.contains(where: { parts.has(2, $0) }) { return .unsupported }
    if parts.has(2, "chat"), parts.has(3, "uploads") { return .unsupported }
    if parts.has(2, "state"), parts.count == 3 { return .platform(.state(id)) }
    if parts.has(2, "a2a") {
      if parts.count == 3 { return .platform(.a2a(id)) }
      guard parts.count == 5, parts.has(3, "queue") else { return nil }
      return parts.message(4).map { .platform(.queueItem(id, $0)) } ?? .badID
    }
    guard parts.has(2, "secrets") else { return nil }
    if parts.count == 3 { return .platform(.secrets(id)) }
    guard parts.count == 4 else { return nil }
    return parts.has(3, "values")
      ? .platform(.secretValues(id)) : .platform(.secret(id, parts.text(3)))
  }

  private static func registry(_ parts: PathSegments) -> Route? {
    if parts.count == 2, parts.has(1, "update-card") { return .platform(.updateCard) }
    if parts.count == 2, parts.has(1, "check-access") { return .unsupported }
    if parts.count == 3, parts.has(1, "discover") || parts.has(2, "peers") { return .unsupported }
    return nil
  }

  /// Of the platform, and not of this relay.
  private static let unserved = [
    "memories", "broadcast", "plugins", "restart", "activity", "notify", "delegate",
    "delegations",
  ]

  var methods: [String] {
    switch self {
    case .a2a, .updateCard: ["POST"]
    case .secrets(.some): ["GET", "HEAD", "POST", "PUT"]
    case .queueItem, .secrets, .secretValues, .state: ["GET", "HEAD"]
    case .secret: ["DELETE"]
    case .activity: []
    }
  }

  func bodyMax(_ limits: Limits) -> Int {
    switch self {
    case .a2a: limits.bodyBytesMax
    // A card, or a value with every byte escaped; what no route reads may come all the same.
    default: max(2 * limits.cardBytesMax, 6 * limits.secretBytesMax)
    }
  }
}
