package import Engine
package import HTTPServer
package import Relay
package import Store
package import System
package import Wire

/// The relay as an application of the HTTP loop: routes on one side, the engine on the other.
package final class RelayServer: Application {
  package let engine: Engine
  let limits: Limits
  let log: Log
  let registration: RegistrationMode
  /// By which names, and from which pages, it is called.
  var doors: Doors
  /// Also served at the host's root.
  let rootWorkspace: WorkspaceID?
  let calls: OpenCalls
  let agents: AgentCounts
  let turns: TurnDriver
  let metricsAccess: MetricsAccess
  let started = Clock.wall()
  let startedAt = Clock.instant()
  private(set) weak var loop: Loop?

  /// What `admit` found out last, for the `handle` that follows it.
  private var admitted: (note: UInt64, at: Instant, route: Route, caller: Identity?)?
  private var lastAdmission: UInt64 = 0
  /// Of the credential that the request in work has shown.
  var shown: ShownCredential?

  package init(
    engine: Engine, data: DataDirectory, limits: Limits, log: Log, registration: RegistrationMode,
    metrics: MetricsAccess = .closed, rootWorkspace: WorkspaceID? = nil,
    hosts: Set<String> = []
  ) {
    doors = Doors(publicURL: engine.publicURL, names: hosts)
    self.engine = engine
    self.limits = limits
    self.log = log
    calls = OpenCalls(engine)
    agents = AgentCounts(engine)
    turns = TurnDriver(engine, calls, agents, data: data, log: log)
    self.registration = registration
    metricsAccess = metrics
    self.rootWorkspace = rootWorkspace
  }

  /// The engine asks the loop whose connection is still open, and shares its account of memory.
  func attach(_ loop: Loop) {
    self.loop = loop
    engine.replies.memory = loop.memory
    engine.isPollGone = { [weak self, weak loop] poll in
      guard let self, let loop else { return false }
      return calls.isGone(poll, loop)
    }
    engine.tokensEnded = { [weak self] now in self?.calls.endRevokedPolls(now: now) }
  }

  // MARK: requests

  package func admit(_ head: HTTPRequestHead, ticket: Ticket, loop: Loop) -> Admission {
    self.loop = loop
    let route = Route(head, root: rootWorkspace)
    do throws(RelayError) {
      let caller = try check(route, head, ticket, now: loop.now)
      guard !isEncoded(head) else { throw .contentEncoding }
      lastAdmission += 1
      admitted = (lastAdmission, loop.now.instant, route, caller)
      let payer = payer(route, head, caller)
      return .accept(bodyMax: bodyMax(route, head, payer), note: lastAdmission, payer: payer)
    } catch {
      return .refuse(refusal(error, route, head))
    }
  }

  package func handle(
    _ head: HTTPRequestHead, body: [UInt8], ticket: Ticket, loop: Loop, now: Now
  ) {
    // Most requests are whole when their head is: what was found out then is still true.
    let isRecent = loop.note(of: ticket) == admitted?.note && admitted?.at == now.instant
    let route = isRecent ? admitted?.route ?? .none : Route(head, root: rootWorkspace)
    var caller = isRecent ? admitted?.caller : nil
    admitted = nil
    do throws(RelayError) {
      // Its body may have come after the failure, or after the end of the credential.
      if isRecent {
        try checkLife(route)
      } else {
        caller = try check(route, head, ticket, now: now)
      }
      switch route {
      case .call where engine.fatal != nil: refuseStopping(route, head, body, ticket, loop)
      case .call(let id): try call(id, caller, head, body, ticket, loop, now: now)
      case .card(let id): try card(id, head, ticket, loop)
      case .rest: throw .unsupported
      case .callerMessage(let message): try show(message, caller, head, ticket, now: now)
      case .inbox(let id): try poll(id, head, ticket, loop, now: now)
      case .verb(let id, let message, let verb):
        try agentCall(id, message, verb, head, body, ticket, loop, now: now)
      case .batch(let id): try batch(id, body, head, ticket, loop, now: now)
      case .register: try register(head, body, ticket, now: now)
      case .heartbeat: try heartbeat(head, body, ticket, loop, now: now)
      case .workspaces: try workspaces(head, body, ticket, loop, now: now)
      case .workspace(let id) where head.method == "DELETE":
        try removeWorkspace(id, head, ticket, loop, now: now)
      case .restore(let id): restoreWorkspace(id, head, ticket, now: now)
      case .workspace(let id): try workspace(id, head, body, ticket, loop, now: now)
      case .credentials(let route):
        try credentials(route, head, body, ticket, loop, now: now)
      case .timeline(let id, let message): explain(message, at: id, head, ticket, now: now)
      case .queue(let id, let route): try operate(route, at: id, head, body, ticket, now: now)
      case .archive(let route): try archive(route, head, body, ticket, loop, now: now)
      case .platform(let route):
        try platform(route, caller, head, body, ticket, loop, now: now)
      case .health: loop.respond(ticket, .json(200, Array("{\"status\":\"ok\"}".utf8)))
      case .ready:
        let reader = identity(bearer(head), ticket, now: now) ?? .anonymous
        engine.ready(open(ticket, .other), for: reader, now: now)
      case .status(let route): status(route, head, ticket, loop, now: now)
      case .metrics:
        metrics(try metricsReader(head, ticket, now: now), ticket, loop, now: now)
      case .unsupported: throw .unsupported
      case .badID: throw .notFound
      case .nothing, .none: throw .noRoute
      }
    } catch {
      loop.respond(ticket, refusal(error, route, head, body: body))
    }
  }

  /// A request that comes after a final error: certainly nothing of it is stored.
  private func refuseStopping(
    _ route: Route, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ loop: Loop
  ) {
    if case .call = route, case .success(let rpc) = A2ACall.parse(body, version: nil) {
      let addressee = Addressee(
        call: 0, id: rpc.id, dialect: rpc.dialect, historyLength: nil)
      return loop.respond(ticket, .json(200, addressee.reply(.stopping).body))
    }
    loop.respond(ticket, refusal(.stopping, route, head))
  }

  /// A request that the engine will answer.
  func open(_ ticket: Ticket, _ kind: OpenCalls.Kind) -> CallID {
    var token: TokenUse?
    if case .poll = kind { token = shown?.use }
    return calls.open(ticket, kind, token: token)
  }

  // MARK: peers

  package func peerHalfClosed(_ ticket: Ticket) {
    guard let loop else { return }
    calls.peerHalfClosed(ticket, loop, now: loop.now)
  }

  package func peerGone(_ ticket: Ticket) {
    guard let loop else { return }
    calls.peerGone(ticket, now: loop.now)
  }

  package func delivered(_ ticket: Ticket, received: Bool) {
    guard let loop else { return }
    calls.delivered(ticket, received: received, now: loop.now)
  }

  // MARK: turns

  package func wokenUp(now: Now, loop: Loop) { turns.takeReports(now: now, loop: loop) }

  package func turnEnded(now: Now, loop: Loop) {
    self.loop = loop
    turns.turnEnded(now: now, loop: loop)
  }

  package var nextDeadline: Instant? { turns.nextDeadline }

  package func shutdownRequested(now: Now, loop: Loop) { turns.shutDown(now: now) }

  package var isDrained: Bool { calls.isEmpty && (engine.fatal != nil || engine.isIdle) }
}
