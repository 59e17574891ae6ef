import Engine
import HTTPServer
import Relay
import Wire

/// Who may do what at the platform's routes, decided from the head.
extension RelayServer {
  /// The caller, of a call whose target the head names.
  func check(
    _ route: PlatformRoute, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity? {
    switch route {
    case .a2a(.some(let target)):
      let known = try caller(target, head, ticket, now: now)
      try checkCallerID(head, known)
      return known
    case .a2a(nil): try checkCallerID(head, try known(head, ticket, now: now))
    case .queueItem(_, let message): return try sender(of: message, head, ticket, now: now)
    case .updateCard: _ = try ownWorkspace(head, ticket, now: now)
    case .secrets(nil), .secretValues(nil): _ = try ownWorkspace(head, ticket, now: now)
    case .secretValues(.some(let id)): try agent(id, head, ticket, now: now)
    case .secrets(.some(let id)):
      let isRead = head.method == "GET" || head.method == "HEAD"
      try agentOrOperator(id, isRead ? .read : .admin, isRead, head, ticket, now: now)
    case .secret(let id, _): try operate(on: id, .admin, head, ticket, now: now)
    case .state(let id): try agentOrOperator(id, .read, true, head, ticket, now: now)
    case .activity(let id):
      if head.method == "GET", identity(bearer(head), ticket, now: now) == .workspace(id) {
        engine.registry.polledFeed(id, now: now)
      }
      throw .unsupported
    }
    return nil
  }

  /// Whoever shows a credential that counts.
  @discardableResult
  func known(
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity {
    guard let known = identity(secret(head), ticket, now: now) else { throw .unauthorized }
    return known
  }

  /// The platform's clients name themselves in a header. It decides nothing; one that contradicts
  /// the credential is a mistake that somebody must hear of.
  private func checkCallerID(_ head: HTTPRequestHead, _ known: Identity) throws(RelayError) {
    guard let named = head.headers.first("x-workspace-id") else { return }
    // Names that the platform keeps for itself.
    if ["webhook:", "system:", "test:", "channel:"].contains(where: { named.hasPrefix($0) }) {
      throw .invalidCaller
    }
    guard case .workspace(let own) = known else { return }
    if WorkspaceID(named) != own { throw .unauthorized }
  }

  /// Whose token it is; only an agent has a workspace of its own.
  func ownWorkspace(
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> WorkspaceID {
    guard let known = identity(bearer(head), ticket, now: now) else { throw .unauthorized }
    guard case .workspace(let own) = known else { throw .notFound }
    return own
  }

  private func agentOrOperator(
    _ id: WorkspaceID, _ scope: RegisteredToken.Scopes, _ mayAgent: Bool,
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    if mayAgent, identity(bearer(head), ticket, now: now) == .workspace(id) { return }
    try operate(on: id, scope, head, ticket, now: now)
  }
}
