import Engine
import HTTPServer
import Relay
import Wire

/// Decides from the head of a request, before its body is read, who asks and whether that one may.
///
/// The order is fixed: the host and the page that the request comes from, whether the relay is
/// stopping, the credential and what it may do, and last the method. Strangers learn neither which
/// workspaces exist nor what can be done with them.
final class Gate {
  private let engine: Engine
  private let credentials: Credentials
  private let registration: RegistrationMode
  private let metricsAccess: MetricsAccess
  /// The workspace that is also served at the host's root.
  private let root: WorkspaceID?
  private var doors: Doors

  init(
    _ engine: Engine, registration: RegistrationMode, metrics: MetricsAccess, root: WorkspaceID?,
    hosts: Set<String>
  ) {
    self.engine = engine
    credentials = Credentials(engine: engine)
    self.registration = registration
    metricsAccess = metrics
    self.root = root
    doors = Doors(publicURL: engine.registry.urls.base, names: hosts)
  }

  func request(_ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now) -> Request {
    Request(head, ticket, loop, now: now, root: root)
  }

  /// Finds out who has sent the request; throws if it may not go on.
  func check(_ request: inout Request) throws(RelayError) {
    let isForeign = try checkDoors(request)
    try checkLife(request.route)
    try checkAccess(&request)
    if let refusal = request.route.refusal { throw refusal }
    // What was shown may be no credential of the relay: then a stranger's page has sent it.
    if isForeign, request.shown == nil { throw .foreignOrigin }
    if !request.isAllowed { throw .methodNotAllowed }
  }

  /// After a final error nothing is applied any more: what comes now was certainly not stored.
  func checkLife(_ route: Route) throws(RelayError) {
    guard engine.fatal != nil, !route.traits.contains(.outlivesFailure) else { return }
    throw .stopping
  }

  /// Refuses a request for another host, unless it shows a credential of this relay, which a page
  /// that has its name point here cannot have. Says whether the request changes something and comes
  /// from a page of another origin, which has to show a credential for that.
  private func checkDoors(_ request: Request) throws(RelayError) -> Bool {
    if !doors.isKnownHost(request.head) {
      guard let secret = request.head.keyOrBearer, let shown = find(secret, request) else {
        throw .wrongHost
      }
      credentials.noteUse(of: shown, now: request.now)
    }
    guard request.changesState, doors.isForeign(request.head) else { return false }
    guard request.head.keyOrBearer != nil else { throw .foreignOrigin }
    return true
  }

  // MARK: admission

  /// Lets the body of a request that has passed come.
  func admission(of request: Request) -> Admission {
    let payer = payer(of: request)
    return .accept(bodyMax: bodyMax(of: request.route, payer), payer: payer)
  }

  private func bodyMax(of route: Route, _ payer: BodyMemory.Payer) -> Int {
    let limits = engine.limits
    let most =
      payer == .anonymous
      ? min(limits.bodyBytesMax, limits.anonymousBodyBytesMax) : limits.bodyBytesMax
    return switch route.bodyBound {
    case .none: 0
    case .card: min(most, 2 * limits.cardBytesMax)
    case .secret: min(most, max(2 * limits.cardBytesMax, 6 * limits.secretBytesMax))
    case .message: most
    }
  }

  private func payer(of request: Request) -> BodyMemory.Payer {
    switch request.route.payer {
    case .nobody: return .nobody
    case .readers: return .readers
    case .sender: break
    }
    // Metrics are asked for most when memory is full.
    if request.route.access == .metrics, request.sender == .admin { return .nobody }
    guard request.sender != .anonymous else { return .anonymous }
    return request.shown?.payer ?? .anonymous
  }

  // MARK: credentials

  private func find(_ secret: ArraySlice<UInt8>, _ request: Request) -> ShownCredential? {
    request.find(secret, in: credentials)
  }

  /// Finds out, once, who has sent the request, and notes that the credential was used.
  private func recognise(_ request: inout Request, _ secret: ArraySlice<UInt8>?) {
    guard let secret, let shown = find(secret, request) else { return }
    request.recognised(shown)
    credentials.noteUse(of: shown, now: request.now)
  }

  private func require(
    _ request: inout Request, _ secret: ArraySlice<UInt8>?
  ) throws(RelayError) {
    recognise(&request, secret)
    guard request.shown != nil else { throw .unauthorized }
  }

  // MARK: access

  private func checkAccess(_ request: inout Request) throws(RelayError) {
    switch request.route.access {
    case .everybody: return
    case .caller, .platformCaller, .platformCallerOfBody, .sender:
      return try checkCaller(&request)
    case .anybody:
      if request.isAllowed { recognise(&request, request.head.bearer) }
      return noteFeed(request)
    case .registrant:
      // Whether no bearer will do depends on mode and body; a wrong one never does.
      if request.head.bearer == nil, registration != .closed { return }
    case .metrics:
      if request.head.bearer == nil, metricsAccess == .open { return }
    default: break
    }
    try require(&request, request.head.bearer)
    try checkHolder(request)
  }

  /// What the holder of a bearer may. Known and not allowed is "no such thing".
  private func checkHolder(_ request: Request) throws(RelayError) {
    switch request.route.access {
    case .agent:
      guard request.sender == .workspace(request.workspace) else { throw .notFound }
    case .anyAgent:
      guard request.ownWorkspace != nil else { throw .notFound }
    case .operators(let scope): try checkOperator(of: request.workspace, scope, request.sender)
    case .operatorsEvenIfRemoved:
      try checkOperator(of: request.workspace, .admin, evenIfRemoved: true, request.sender)
    case .agentOrOperators(let scope):
      if request.sender == .workspace(request.workspace) { return }
      try checkOperator(of: request.workspace, scope, request.sender)
    case .anyOperator(let scope): try checkOperator(scope, request.sender)
    case .metrics: try checkOperator(.read, request.sender)
    case .operatorsOfMessage:
      if workspaces(of: request.message, for: request.sender).isEmpty { throw .notFound }
    case .admin:
      guard request.sender == .admin else { throw .notFound }
    case .everybody, .anybody, .caller, .platformCaller, .platformCallerOfBody, .sender, .bearer,
      .registrant:
      break
    }
  }

  /// The admin token, or a key of any org with the scope.
  private func checkOperator(
    _ scope: RegisteredToken.Scopes, _ sender: Identity
  ) throws(RelayError) {
    switch sender {
    case .admin: break
    case .org(_, let scopes) where !scopes.isDisjoint(with: scope.union(.admin)): break
    case .org, .workspace, .anonymous: throw .notFound
    }
  }

  /// The admin token, or a key of the workspace's org with the scope.
  private func checkOperator(
    of id: WorkspaceID, _ scope: RegisteredToken.Scopes, evenIfRemoved: Bool = false,
    _ sender: Identity
  ) throws(RelayError) {
    let removed = engine.directory.removed[id]?.row
    if sender != .admin {
      guard case .org(let org, let scopes) = sender,
        (engine.directory.workspace(id)?.row ?? removed)?.org == org,
        !scopes.isDisjoint(with: scope.union(.admin))
      else { throw .notFound }
    }
    if let removed, !evenIfRemoved {
      throw removed.state == .removed ? .workspaceRemoved : .notFound
    }
  }

  /// Returns the workspaces that a message may belong to, as far as this operator may read them.
  /// The id alone tells, without a look into a file: two of 100,000 workspaces may share the part
  /// of it that stands in message ids.
  func workspaces(of message: MessageID, for sender: Identity) -> [WorkspaceID] {
    engine.directory.workspaces(short: message.workspace).filter { id in
      do throws(RelayError) {
        try checkOperator(of: id, .read, sender)
        return true
      } catch {
        return false
      }
    }
  }

  /// An agent that polls the platform's feed is told elsewhere what to use instead.
  private func noteFeed(_ request: Request) {
    guard request.route.traits.contains(.feed), let own = request.ownWorkspace,
      own == request.workspace
    else { return }
    engine.registry.polledFeed(own, now: request.now)
  }

  // MARK: callers

  private func checkCaller(_ request: inout Request) throws(RelayError) {
    if request.route.access == .sender, hasReceipt(request) { return }
    recognise(&request, request.head.keyOrBearer)
    switch request.route.access {
    case .caller, .platformCaller:
      let caller = try caller(of: request.workspace, request)
      if caller == .anonymous { request.countAsStranger() }
    default:
      guard request.shown != nil else { throw .unauthorized }
    }
    switch request.route.access {
    case .platformCaller, .platformCallerOfBody: try checkCallerID(request)
    default: break
    }
  }

  /// Whoever sent a message without a credential shows its receipt, which the message's id alone
  /// tells to be good.
  private func hasReceipt(_ request: Request) -> Bool {
    request.head.headers.firstBytes("x-relay-receipt")
      .map { engine.isReceipt($0, of: request.message) } ?? false
  }

  /// Returns who calls the workspace. Without or with an unknown credential the answer is the same
  /// for ids that exist and ids that do not; known and not allowed is "no such thing".
  func caller(of id: WorkspaceID, _ request: Request) throws(RelayError) -> Identity {
    let record = engine.directory.workspace(id)
    // Strangers wait until an agent has registered: a stored message would end the time in which
    // the workspace can be claimed. Whoever has the right to call may queue before that.
    let isOpen = record?.settings.callers == .agent && record?.isClaimed == true
    guard let known = request.shown?.identity else {
      // Another Authorization than ours is the agent's business; a wrong key is the relay's.
      if isOpen, request.head.relayKey == nil { return .anonymous }
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

  /// The platform's clients name themselves in a header. It decides nothing; one that contradicts
  /// the credential is a mistake that somebody must hear of.
  private func checkCallerID(_ request: Request) throws(RelayError) {
    guard let named = request.head.headers.first("x-workspace-id") else { return }
    // Names that the platform keeps for itself.
    if ["webhook:", "system:", "test:", "channel:"].contains(where: { named.hasPrefix($0) }) {
      throw .invalidCaller
    }
    guard let own = request.ownWorkspace else { return }
    if WorkspaceID(named) != own { throw .unauthorized }
  }
}
