import Relay
import Wire

/// What a request is for, read from its path; nothing of it is checked again.
enum Route: Equatable {
  enum Verb: String, CaseIterable { case claim, extend, release, result }

  /// `/w/{id}/…`: what is behind the workspace's URL.
  case call(WorkspaceID)
  case card(WorkspaceID)
  case rest(WorkspaceID)
  case callerMessage(MessageID)
  case inbox(WorkspaceID)
  case verb(WorkspaceID, MessageID, Verb)
  case batch(WorkspaceID)
  case register
  case heartbeat
  case workspaces
  case workspace(WorkspaceID)
  case timeline(WorkspaceID, MessageID)
  case health
  case ready
  /// Well-formed, of the platform's or a later surface, and not served.
  case unsupported
  /// An id in the path is none.
  case badID
  case none

  init(path: String) {
    // Empty segments count: `//health` is not `/health`.
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .dropFirst().map { Substring($0) }
    switch parts.first {
    case "w": self = Route.caller(parts)
    case "workspaces": self = Route.workspace(parts)
    case "registry": self = Route.registry(parts)
    case "messages" where parts.count == 2:
      self = MessageID(String(parts[1])).map(Route.callerMessage) ?? .badID
    case "health" where parts.count == 1: self = .health
    case "ready" where parts.count == 1: self = .ready
    case "a2a", "secrets", "org", "orgs", "admin", "metrics": self = .unsupported
    default: self = .none
    }
  }

  private static func caller(_ parts: [Substring]) -> Route {
    guard parts.count >= 2 else { return .none }
    guard let id = WorkspaceID(String(parts[1])) else { return .badID }
    let rest = parts.dropFirst(2)
    // Published with a trailing slash, served without: never a redirect.
    if rest.isEmpty || rest == [""] { return .call(id) }
    if rest == [".well-known", "agent-card.json"] || rest == [".well-known", "agent.json"] {
      return .card(id)
    }
    return .rest(id)
  }

  private static func workspace(_ parts: [Substring]) -> Route {
    if parts.count == 1 || parts == ["workspaces", ""] { return .workspaces }
    guard let id = WorkspaceID(String(parts[1])) else { return .badID }
    switch parts.dropFirst(2).first {
    case nil: return .workspace(id)
    case "inbox": return inbox(id, parts.dropFirst(3))
    case "messages" where parts.count == 4:
      return MessageID(String(parts[3])).map { .timeline(id, $0) } ?? .badID
    default: return .unsupported
    }
  }

  private static func inbox(_ id: WorkspaceID, _ parts: ArraySlice<Substring>) -> Route {
    if parts.isEmpty { return .inbox(id) }
    if parts == ["batch"] { return .batch(id) }
    guard parts.count == 2, let last = parts.last, let verb = Verb(rawValue: String(last))
    else { return parts.last == "events" ? .unsupported : .none }
    return MessageID(String(parts[parts.startIndex])).map { .verb(id, $0, verb) } ?? .badID
  }

  private static func registry(_ parts: [Substring]) -> Route {
    switch parts.dropFirst().first {
    case "register" where parts.count == 2: .register
    case "heartbeat" where parts.count == 2: .heartbeat
    default: .unsupported
    }
  }

  /// The methods that the route takes, for `Allow` (RFC 9110 §10.2.1).
  var methods: [String] {
    switch self {
    case .call: ["POST", "OPTIONS"]
    case .card: ["GET", "HEAD", "OPTIONS"]
    case .callerMessage, .timeline, .workspace, .health, .ready: ["GET", "HEAD"]
    case .inbox: ["GET"]
    case .verb, .batch, .register, .heartbeat: ["POST"]
    case .workspaces: ["GET", "HEAD", "POST"]
    case .rest, .unsupported, .badID, .none: []
    }
  }
}
