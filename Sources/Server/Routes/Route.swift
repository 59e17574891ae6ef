import Relay
import Wire

/// What a request is for, read from its path; nothing of it is checked again.
enum Route: Equatable {
  enum Verb: String, CaseIterable { case claim, extend, release, result }

  /// `/w/{id}/…`: what is behind the workspace's URL.
  case call(WorkspaceID)
  case card(WorkspaceID)
  case rest(WorkspaceID)
  /// Nothing, below a workspace's URL: who shows no credential hears of that first.
  case nothing(WorkspaceID)
  case callerMessage(MessageID)
  case inbox(WorkspaceID)
  case verb(WorkspaceID, MessageID, Verb)
  case batch(WorkspaceID)
  case register
  case heartbeat
  case workspaces
  case workspace(WorkspaceID)
  case restore(WorkspaceID)
  case timeline(WorkspaceID, MessageID)
  case archive(ArchiveRoute)
  case credentials(CredentialRoute)
  case queue(WorkspaceID, QueueRoute)
  case platform(PlatformRoute)
  case health
  case ready
  case metrics
  case status(StatusRoute)
  /// Planned, and not served yet: nothing else is `unsupported`.
  case unsupported
  /// An id in the path is none.
  case badID
  case none

  init(path: String) {
    let parts = PathSegments(path)
    if parts.has(0, "w") {
      self = Route.caller(parts)
    } else if let platform = PlatformRoute.find(parts) {
      self = platform
    } else if parts.has(0, "workspaces") {
      self = Route.workspace(parts)
    } else if parts.has(0, "registry") {
      self = Route.registry(parts)
    } else if parts.has(0, "messages"), parts.count == 2 {
      self = parts.message(1).map(Route.callerMessage) ?? .badID
    } else if parts.has(0, "health"), parts.count == 1 {
      self = .health
    } else if parts.has(0, "ready"), parts.count == 1 {
      self = .ready
    } else if parts.has(0, "admin"), let route = ArchiveRoute(parts) {
      self = .archive(route)
    } else if parts.has(0, "metrics"), parts.count == 1 {
      self = .metrics
    } else if let route = StatusRoute(parts) {
      self = .status(route)
    } else if let route = CredentialRoute(parts) {
      self = .credentials(route)
    } else {
      self = .none
    }
  }

  /// Some clients look for the card only at the host's root: there one workspace may stand too.
  /// A page at `/` is for browsers, so that only calls are for the workspace.
  init(_ head: HTTPRequestHead, root: WorkspaceID?) {
    self = Route(path: head.path)
    guard self == .none, let root else { return }
    switch head.path {
    case "/" where head.method == "POST" || head.method == "OPTIONS": self = .call(root)
    case "/.well-known/agent-card.json", "/.well-known/agent.json": self = .card(root)
    default: break
    }
  }

  private static func caller(_ parts: PathSegments) -> Route {
    guard parts.count >= 2 else { return .none }
    guard let id = parts.workspace(1) else { return .badID }
    // Published with a trailing slash, served without: never a redirect.
    if parts.count == 2 || parts.count == 3 && parts.isEmpty(2) { return .call(id) }
    if parts.count == 4, parts.has(2, ".well-known"),
      parts.has(3, "agent-card.json") || parts.has(3, "agent.json")
    {
      return .card(id)
    }
    // HTTP+JSON (A2A 1.0 §11.3, and 0.3 below v1), which is planned.
    let first = parts.has(2, "v1") ? 3 : 2
    return restWords.contains(where: { parts.has(first, $0) }) ? .rest(id) : .nothing(id)
  }

  private static let restWords = [
    "message:send", "message:stream", "tasks", "card", "extendedAgentCard",
  ]

  private static func workspace(_ parts: PathSegments) -> Route {
    if parts.count == 1 || parts.count == 2 && parts.isEmpty(1) { return .workspaces }
    guard let id = parts.workspace(1) else { return .badID }
    if parts.count == 2 || parts.count == 3 && parts.isEmpty(2) { return .workspace(id) }
    if parts.count == 3, parts.has(2, "restore") { return .restore(id) }
    if parts.has(2, "inbox") { return inbox(id, parts) }
    if let route = CredentialRoute(parts, of: id) { return .credentials(route) }
    if let route = QueueRoute(parts) { return route.isBadID ? .badID : .queue(id, route) }
    if parts.has(2, "messages"), parts.count == 4 {
      return parts.message(3).map { .timeline(id, $0) } ?? .badID
    }
    return .none
  }

  private static func inbox(_ id: WorkspaceID, _ parts: PathSegments) -> Route {
    if parts.count == 3 { return .inbox(id) }
    if parts.count == 4, parts.has(3, "batch") { return .batch(id) }
    guard parts.count == 5, let verb = Verb.allCases.first(where: { parts.has(4, $0.rawValue) })
    else { return .none }
    return parts.message(3).map { .verb(id, $0, verb) } ?? .badID
  }

  private static func registry(_ parts: PathSegments) -> Route {
    if parts.count == 2, parts.has(1, "register") { return .register }
    if parts.count == 2, parts.has(1, "heartbeat") { return .heartbeat }
    return .none
  }

  /// The methods that the route takes, for `Allow` (RFC 9110 §10.2.1).
  var methods: [String] {
    switch self {
    case .call: ["POST", "OPTIONS"]
    case .card: ["GET", "HEAD", "OPTIONS"]
    case .workspace: ["GET", "HEAD", "PATCH", "DELETE"]
    case .restore: ["POST"]
    case .credentials(let route): route.methods
    case .callerMessage, .timeline, .health, .ready, .metrics, .status: ["GET", "HEAD"]
    case .inbox: ["GET"]
    case .verb, .batch, .register, .heartbeat: ["POST"]
    case .workspaces: ["GET", "HEAD", "POST"]
    case .archive(let route): route.methods
    case .queue(_, let route): route.methods
    case .platform(let route): route.methods
    case .rest, .nothing, .unsupported, .badID, .none: []
    }
  }
}
