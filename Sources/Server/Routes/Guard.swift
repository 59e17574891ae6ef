import Engine
import HTTPServer
import Relay
import Wire

/// Who asks, and whether it may: decided from the head alone, before a body is read.
extension RelayServer {
  /// The credential of the relay's own routes.
  func bearer(_ head: HTTPRequestHead) -> ArraySlice<UInt8>? {
    guard let value = head.headers.firstBytes("authorization"), value.count > 7 else { return nil }
    // RFC 9110 §11.1: the scheme is case-insensitive.
    let scheme = zip(value, "bearer".utf8).allSatisfy { $0 | 0x20 == $1 }
    guard scheme, value[value.startIndex + 6] == UInt8(ascii: " ") else { return nil }
    return value.dropFirst(7)
  }

  /// The caller at `/w/{id}/`. Without or with an unknown credential the answer is the same for
  /// ids that exist and ids that do not; known, but not allowed, is "no such thing".
  func caller(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity {
    let record = engine.directory.workspace(id)
    let key = head.headers.firstBytes("x-relay-key")
    // Another Authorization than ours is the agent's business.
    let known = identity(key ?? bearer(head), ticket, now: now)
    // Strangers wait until an agent has registered: a stored message would end the time in which
    // the workspace can be claimed. Whoever has the right to call may queue before that.
    let isOpen = record?.settings.callers == .agent && record?.isClaimed == true
    guard let known else {
      if isOpen, key == nil { return .anonymous }
      throw .unauthorized
    }
    guard let record else { throw .notFound }
    // Where strangers may call, nobody is worse off for being known: a key that only reads is one.
    if isOpen { return known.maySend ? known : .anonymous }
    guard known.maySend else { throw .notFound }
    switch known {
    case .admin: return known
    case .workspace(let own):
      guard engine.directory.workspace(own)?.row.org == record.row.org,
        engine.registry.workspaces.hierarchy.relation(of: id, to: own) != nil
      else { throw .notFound }
    case .org(let org, _): guard org == record.row.org else { throw .notFound }
    case .anonymous: throw .unauthorized
    }
    return known
  }

  /// Who asks for a message that it has sent: a credential says so, or the receipt of one that was
  /// sent without. Whether a receipt is good is told by it and the id alone.
  func sender(
    of message: MessageID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity {
    if let receipt = head.headers.firstBytes("x-relay-receipt"),
      engine.isReceipt(receipt, of: message)
    {
      return .anonymous
    }
    return try known(head, ticket, now: now)
  }

  /// The agent of the workspace itself.
  func agent(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    guard let known = identity(bearer(head), ticket, now: now) else { throw .unauthorized }
    guard known == .workspace(id) else { throw .notFound }
  }

  /// An operator: the admin token, or a key of the workspace's org with the scope. Without a
  /// workspace it is the relay as a whole that is asked for, which is the admin token's alone.
  @discardableResult
  func operate(
    on id: WorkspaceID?, _ scope: RegisteredToken.Scopes, evenRemoved: Bool = false,
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity {
    guard let known = identity(bearer(head), ticket, now: now) else { throw .unauthorized }
    let removed = id.flatMap { engine.directory.removed[$0]?.row }
    if known != .admin {
      guard case .org(let org, let scopes) = known, let id,
        (engine.directory.workspace(id)?.row ?? removed)?.org == org,
        !scopes.isDisjoint(with: scope.union(.admin))
      else { throw .notFound }
    }
    if let removed, !evenRemoved {
      throw removed.state == .removed ? .workspaceRemoved : .notFound
    }
    return known
  }

  /// Who it was, for the audit: what the credential stands for, and which one it is.
  /// The check of the relay's own routes has accepted it: a caller's key beside it means nothing.
  func actor(_ head: HTTPRequestHead, _ ticket: Ticket, now: Now) -> String {
    guard let secret = bearer(head), let known = identity(secret, ticket, now: now)
    else { return "nobody" }
    if known == .admin { return known.text }
    return "\(known.text) \(SHA256.hash(Array(secret)).hex.prefix(8))"
  }

  /// What must be true of a request before its body is read; the caller at a workspace's URL.
  func check(
    _ route: Route, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> Identity? {
    let isForeign = try checkDoors(route, head, ticket, now: now)
    try checkLife(route)
    shown = nil
    var found: Identity?
    switch route {
    case .call(let id):
      if head.method != "OPTIONS" { found = try caller(id, head, ticket, now: now) }
    case .rest(let id):
      _ = try caller(id, head, ticket, now: now)
      throw .unsupported
    case .nothing(let id):
      _ = try caller(id, head, ticket, now: now)
      throw .noRoute
    case .inbox(let id), .verb(let id, _, _), .batch(let id):
      try agent(id, head, ticket, now: now)
    case .archive: try operate(on: nil, .admin, head, ticket, now: now)
    case .workspaces:
      _ = try `operator`(Self.isRead(head) ? .read : .admin, head, ticket, now: now)
    case .workspace(let id) where head.method == "DELETE", .restore(let id):
      try operate(on: id, .admin, evenRemoved: true, head, ticket, now: now)
    case .workspace(let id):
      try operate(on: id, Self.isRead(head) ? .read : .admin, head, ticket, now: now)
    case .timeline(let id, _): try operate(on: id, .read, head, ticket, now: now)
    case .credentials(let route): try check(route, head, ticket, now: now)
    case .queue(let id, let route):
      try operate(on: id, route.scope(head.method), head, ticket, now: now)
    case .callerMessage(let message): found = try sender(of: message, head, ticket, now: now)
    case .register:
      // Whether no bearer will do depends on mode and body; a wrong one never does.
      let secret = bearer(head)
      if secret == nil ? registration == .closed : identity(secret, ticket, now: now) == nil {
        throw .unauthorized
      }
    case .heartbeat: if identity(bearer(head), ticket, now: now) == nil { throw .unauthorized }
    case .status(let route): try check(route, head, ticket, now: now)
    case .metrics: found = try metricsReader(head, ticket, now: now)
    case .platform(let route): found = try check(route, head, ticket, now: now)
    case .card, .health, .ready: break
    case .unsupported: throw .unsupported
    case .badID: throw .notFound
    case .none: throw .noRoute
    }
    // What was shown may be no credential of the relay: then a stranger's page has sent it.
    if isForeign, shown == nil { throw .foreignOrigin }
    let methods = route.methods
    if !methods.isEmpty, !methods.contains(head.method) { throw .methodNotAllowed }
    return found
  }

  /// After a final error nothing is applied any more: what comes now was certainly not stored.
  func checkLife(_ route: Route) throws(RelayError) {
    guard engine.fatal != nil else { return }
    switch route {
    // A caller is answered in its own form once its body has been read.
    case .call, .health, .ready, .metrics: break
    default: throw .stopping
    }
  }

  /// Registration's body is a card and little else; who shows no credential gets less room.
  func bodyMax(_ route: Route, _ head: HTTPRequestHead, _ payer: BodyMemory.Payer) -> Int {
    let most =
      payer == .anonymous
      ? min(limits.bodyBytesMax, limits.anonymousBodyBytesMax) : limits.bodyBytesMax
    return switch route {
    case .card, .health, .ready, .metrics, .status: 0
    case .call where head.method == "OPTIONS": 0
    case .platform(let route): min(most, route.bodyMax(limits))
    case .register, .heartbeat, .workspaces, .workspace, .credentials, .archive, .queue:
      min(most, 2 * limits.cardBytesMax)
    default: most
    }
  }

  /// Whose share of the memory the request's body and its answer are.
  func payer(_ route: Route, _ head: HTTPRequestHead, _ caller: Identity?) -> BodyMemory.Payer {
    switch route {
    case .health, .ready: .nobody
    case .card: .readers
    // Asked for most when memory is full.
    case .metrics where caller == .admin: .nobody
    case .call where head.method == "OPTIONS": .nobody
    default: caller == .anonymous ? .anonymous : shown?.payer ?? .anonymous
    }
  }

  func secret(_ head: HTTPRequestHead) -> ArraySlice<UInt8>? {
    head.headers.firstBytes("x-relay-key") ?? bearer(head)
  }

  func refusal(
    _ error: RelayError, _ route: Route, _ head: HTTPRequestHead, body: [UInt8] = []
  ) -> HTTPResponse {
    if let ended = ended(error, route, head) { return refusal(of: ended, route) }
    engine.metrics.refused(error)
    var detail: String?
    var members: [(String, JSON)] = []
    var headers = Reply.headers(error)
    switch error {
    case .methodNotAllowed:
      headers.append(("Allow", route.methods.joined(separator: ", ")))
      detail = "allowed are \(route.methods.joined(separator: ", "))"
    case .noRoute:
      detail = "there are " + Route.nearest(head.path)
    case .badJSON: detail = JSONUnreadable.first(in: body.span).map { "\($0)" }
    // RFC 9110 §15.5.16.
    case .contentEncoding: headers.append(("Accept-Encoding", "identity"))
    case .wrongHost: detail = "got \"\(head.requestedHost?.prefix(Limits.shownHostMax) ?? "")\""
    case .workspaceRemoved:
      if let id = route.operated {
        members = engine.registry.json.removedMembers(engine.directory.removed[id])
      }
    case .unsupported:
      if case .platform(.activity(let id)) = route {
        (detail, members) = engine.registry.json.insteadOfFeed(id)
      }
    default: break
    }
    if case .call = route { headers += CrossOrigin.headers }
    var response = HTTPResponse.json(error.status, Reply.body(error, detail, members))
    response.headers += headers
    return response
  }

  /// The request has a body that is not what it holds: compressed, say (RFC 9110 §8.4).
  func isEncoded(_ head: HTTPRequestHead) -> Bool {
    guard head.framing != HTTPFraming.none else { return false }
    return head.headers.all("content-encoding").contains { value in
      value.split(separator: ",").contains { coding in
        let coding = coding.filter { $0 != " " && $0 != "\t" }.lowercased()
        return !coding.isEmpty && coding != "identity"
      }
    }
  }
}
