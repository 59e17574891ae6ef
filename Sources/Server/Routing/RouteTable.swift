import Relay

/// Every route that is served: the one place that knows them.
///
/// A line says which methods and path it is for (`RouteTree` says how patterns are read), who may
/// use it, how long a body may be, and what is done. Checks, bounds, `Allow` and the suggestions for
/// mistyped paths follow from it. Of the lines of one path the last says who hears that a method is
/// not allowed. What is asked for most comes first.
enum RouteTable {
  static let routes: [Route] =
    callers + inbox + agents + platform + workspaces + queues + messages + credentials
    + relay + unserved

  private static let tree = RouteTree(routes)

  /// - `root`: the workspace that is also served at the host's root.
  static func find(_ path: String, _ method: HTTPMethods, root: WorkspaceID? = nil) -> RouteMatch {
    let found = tree.find(PathSegments(path), method)
    guard found.route === Route.none, let root else { return found }
    return atRoot(path, method, root) ?? found
  }

  /// Some clients look for the card only at the host's root: one workspace may be served there too.
  /// A page at `/` is for browsers, so that only calls are for the workspace.
  private static func atRoot(
    _ path: String, _ method: HTTPMethods, _ root: WorkspaceID
  ) -> RouteMatch? {
    let below: String
    switch path {
    case "/" where method == .post || method == .options: below = ""
    case "/.well-known/agent-card.json", "/.well-known/agent.json": below = String(path.dropFirst())
    default: return nil
    }
    return find("/w/\(root.text)/\(below)", method)
  }

  /// The methods that the path of this route takes.
  static func methods(besides route: Route) -> HTTPMethods {
    routes.filter { $0.patterns == route.patterns }
      .reduce(into: []) { $0.formUnion($1.methods) }
  }

  // MARK: the lines

  private static let callers = [
    Route(
      .options, "/w/{id}/", also: "/w/{id}", .everybody, body: .none, payer: .nobody,
      [.callers, .outlivesFailure]
    ) { $0.callers.preflight($1) },
    // Published with a trailing slash, served without: never a redirect.
    Route(.post, "/w/{id}/", also: "/w/{id}", .caller, [.callers, .outlivesFailure]) {
      all, request throws(RelayError) in try all.callers.call(request)
    },
    Route(
      .options, "/w/{id}/.well-known/agent-card.json", also: "/w/{id}/.well-known/agent.json",
      .everybody, body: .none, payer: .readers
    ) { $0.callers.preflight($1) },
    Route(
      .read, "/w/{id}/.well-known/agent-card.json", also: "/w/{id}/.well-known/agent.json",
      .everybody, body: .none, payer: .readers
    ) {
      all, request throws(RelayError) in try all.callers.card(request)
    },
    Route(.read, "/messages/{message}", .sender) { $0.callers.ownMessage($1) },
  ]

  private static let inbox = [
    Route(.get, "/workspaces/{id}/inbox", .agent, .changesState) { $0.inbox.poll($1) },
    Route(.post, "/workspaces/{id}/inbox/batch", .agent) { $0.inbox.batch($1) },
    Route(.post, "/workspaces/{id}/inbox/{message}/claim", .agent) { $0.inbox.act(.claim, $1) },
    Route(.post, "/workspaces/{id}/inbox/{message}/extend", .agent) { $0.inbox.act(.extend, $1) },
    Route(.post, "/workspaces/{id}/inbox/{message}/release", .agent) {
      $0.inbox.act(.release, $1)
    },
    Route(.post, "/workspaces/{id}/inbox/{message}/result", .agent) { $0.inbox.act(.result, $1) },
  ]

  private static let agents = [
    Route(.post, "/registry/register", .registrant, body: .card) {
      all, request throws(RelayError) in try all.agents.register(request)
    },
    Route(.post, "/registry/heartbeat", .bearer, body: .card) {
      all, request throws(RelayError) in try all.agents.heartbeat(request)
    },
    Route(.post, "/registry/update-card", .anyAgent, body: .secret) {
      all, request throws(RelayError) in try all.agents.updateCard(request)
    },
  ]

  private static let platform = [
    Route(.post, "/a2a", .platformCallerOfBody) { $0.platformCalls.call($1, at: nil) },
    Route(.post, "/workspaces/{id}/a2a", .platformCaller) {
      $0.platformCalls.call($1, at: $1.workspace)
    },
    Route(.read, "/workspaces/{id}/a2a/queue/{message}", .sender, body: .secret) {
      $0.platformCalls.queueItem($1)
    },
    Route(.read, "/secrets", .anyAgent, body: .secret) { $0.secrets.list($1) },
    Route(.read, "/secrets/values", .anyAgent, body: .secret) {
      all, request throws(RelayError) in try all.secrets.values(request)
    },
    Route(.read, "/workspaces/{id}/secrets", .agentOrOperators(.read), body: .secret) {
      $0.secrets.list($1)
    },
    Route([.post, .put], "/workspaces/{id}/secrets", .operators(.admin), body: .secret) {
      all, request throws(RelayError) in try all.secrets.set(request)
    },
    Route(.read, "/workspaces/{id}/secrets/values", .agent, body: .secret) {
      all, request throws(RelayError) in try all.secrets.values(request)
    },
    Route(.delete, "/workspaces/{id}/secrets/{key}", .operators(.admin), body: .secret) {
      $0.secrets.delete($1)
    },
    Route(
      .read, "/workspaces/{id}/state", .agentOrOperators(.read), body: .secret, .endsByNotFound
    ) {
      all, request throws(RelayError) in try all.agents.state(request)
    },
  ]

  private static let workspaces = [
    Route(.read, "/workspaces", also: "/workspaces/", .anyOperator(.read), body: .card) {
      all, request throws(RelayError) in try all.workspaces.list(request)
    },
    Route(.post, "/workspaces", also: "/workspaces/", .anyOperator(.admin), body: .card) {
      all, request throws(RelayError) in try all.workspaces.create(request)
    },
    Route(
      .read, "/workspaces/{id}", also: "/workspaces/{id}/", .operators(.read), body: .card,
      .explainsRemoval
    ) {
      all, request throws(RelayError) in try all.workspaces.show(request)
    },
    Route(
      .delete, "/workspaces/{id}", also: "/workspaces/{id}/", .operatorsEvenIfRemoved, body: .card,
      .explainsRemoval
    ) {
      all, request throws(RelayError) in try all.workspaces.remove(request)
    },
    Route(
      .patch, "/workspaces/{id}", also: "/workspaces/{id}/", .operators(.admin), body: .card,
      .explainsRemoval
    ) {
      all, request throws(RelayError) in try all.workspaces.change(request)
    },
    Route(.post, "/workspaces/{id}/restore", .operatorsEvenIfRemoved, .explainsRemoval) {
      $0.workspaces.restore($1)
    },
  ]

  private static let queues = [
    Route(.read, "/workspaces/{id}/queue", .operators(.read), body: .card) { $0.queues.status($1) },
    Route(.post, "/workspaces/{id}/pause", .operators(.admin), body: .card) { $0.queues.pause($1) },
    Route(.post, "/workspaces/{id}/resume", .operators(.admin), body: .card) {
      $0.queues.resume($1)
    },
    Route(.post, "/workspaces/{id}/redrive", .operators(.admin), body: .card) {
      $0.queues.start(.redrive, $1)
    },
    Route(.post, "/workspaces/{id}/replay", .operators(.admin), body: .card) {
      $0.queues.start(.replay, $1)
    },
    Route(.post, "/workspaces/{id}/purge", .operators(.admin), body: .card) {
      $0.queues.start(.purge, $1)
    },
    Route(.read, "/workspaces/{id}/jobs", .operators(.read), body: .card) { $0.queues.jobs($1) },
    Route(.delete, "/workspaces/{id}/jobs/{job}", .operators(.admin), body: .card) {
      $0.queues.stopJob($1)
    },
    Route(.read, "/workspaces/{id}/jobs/{job}", .operators(.read), body: .card) {
      $0.queues.job($1)
    },
  ]

  private static let messages = [
    Route(.read, "/workspaces/{id}/messages", .operators(.read), body: .card) {
      $0.queues.messages($1)
    },
    Route(.read, "/workspaces/{id}/messages/{message}", .operators(.read), .explainsRemoval) {
      $0.queues.timeline($1)
    },
    Route(
      .post, "/workspaces/{id}/messages/{message}/cancel", .operators(.admin), body: .card
    ) { $0.queues.cancel($1) },
    Route(
      .post, "/workspaces/{id}/messages/{message}/redrive", .operators(.admin), body: .card
    ) { $0.queues.redrive($1) },
    Route(
      .post, "/workspaces/{id}/messages/{message}/replay", .operators(.admin), body: .card
    ) { $0.queues.replay($1) },
  ]

  private static let credentials = [
    Route(.read, "/workspaces/{id}/tokens", .operators(.read), body: .card) {
      $0.tokens.list($1)
    },
    Route(.delete, "/workspaces/{id}/tokens", .operators(.admin), body: .card) {
      $0.tokens.revokeAll($1)
    },
    Route(.post, "/workspaces/{id}/tokens", .operators(.admin), body: .card) {
      all, request throws(RelayError) in try all.tokens.mint(request)
    },
    Route(.post, "/workspaces/{id}/tokens/rotate", .agentOrOperators(.admin), body: .card) {
      all, request throws(RelayError) in try all.tokens.rotate(request)
    },
    Route(.delete, "/workspaces/{id}/tokens/{name}", .operators(.admin), body: .card) {
      $0.tokens.revoke($1)
    },
    // The name by which the platform's operators know it.
    Route(.post, "/admin/workspaces/{?id}/tokens", .operators(.admin), body: .card) {
      all, request throws(RelayError) in try all.tokens.mint(request)
    },
    Route(.read, "/orgs", .admin, body: .card) { $0.orgs.list($1) },
    Route(.post, "/orgs", .admin, body: .card) {
      all, request throws(RelayError) in try all.orgs.create(request)
    },
    Route(.read, "/org/tokens", .anyOperator(.admin), body: .card) {
      all, request throws(RelayError) in try all.orgs.keys(request)
    },
    Route(.post, "/org/tokens", .anyOperator(.admin), body: .card) {
      all, request throws(RelayError) in try all.orgs.mintKey(request)
    },
    Route(.delete, "/org/tokens/{name}", .anyOperator(.admin), body: .card) {
      $0.orgs.revokeKey($1)
    },
  ]

  private static let relay = [
    Route(.read, "/health", .everybody, body: .none, payer: .nobody, .outlivesFailure) {
      $0.status.health($1)
    },
    Route(.read, "/ready", .anybody, body: .none, payer: .nobody, .outlivesFailure) {
      $0.status.ready($1)
    },
    Route(.read, "/metrics", .metrics, body: .none, .outlivesFailure) { $0.status.metrics($1) },
    Route(.read, "/admin/status", .admin, body: .none) { $0.status.status($1) },
    Route(.read, "/admin/messages/{?message}", .operatorsOfMessage, body: .none) {
      $0.status.workspaces($1)
    },
    Route(.read, "/admin/audit", .admin, body: .card) { $0.orgs.audit($1) },
    Route(.read, "/admin/backup", .admin, body: .card) { $0.archives.status($1) },
    Route(.post, "/admin/backup", .admin, body: .card) {
      all, request throws(RelayError) in try all.archives.backUp(request)
    },
    Route(.post, "/admin/import", .admin, body: .card) {
      all, request throws(RelayError) in try all.archives.importing(request)
    },
  ]

  /// Paths that are planned, or the platform's alone, and those whose id is looked at although they
  /// are nothing.
  private static let unserved = [
    // HTTP+JSON (A2A 1.0 §11.3, and 0.3 below v1), which is planned.
    Route(
      refusing: ["", "/v1"].flatMap { version in
        ["message:send", "message:stream", "tasks", "card", "extendedAgentCard"].map {
          "/w/{id}\(version)/\($0)/**"
        }
      }, .caller, with: .unsupported),
    // Who shows no credential hears of that first.
    Route(refusing: ["/w/{id}/**"], .caller, with: .noRoute),
    Route(
      .get, refusing: ["/workspaces/{id}/activity"], .anybody, with: .unsupported,
      [.feed, .endsByNotFound]),
    Route(
      refusing: [
        "memories", "broadcast", "plugins", "restart", "activity", "notify", "delegate",
        "delegations", "chat/uploads",
      ].map { "/workspaces/{id}/\($0)/**" }, with: .unsupported),
    Route(
      refusing: ["/registry/check-access", "/registry/discover/*", "/registry/*/peers"],
      with: .unsupported),
    Route(refusing: ["/workspaces/{id}/**"], with: .noRoute),
  ]
}
