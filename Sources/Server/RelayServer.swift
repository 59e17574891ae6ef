package import Engine
package import HTTPServer
package import Relay
package import Store
package import System
package import Wire

/// The relay as an application of the HTTP loop. It hands each request to the handler of its route,
/// and each event of the loop to its owner.
package final class RelayServer: Application {
  package let engine: Engine
  let turns: TurnDriver
  private let calls: OpenCalls
  private let gate: Gate
  private let handlers: Handlers
  private let refusals: Refusals
  private weak var loop: Loop?
  /// The request that was let in last in this turn: most are whole when their head is, and what was
  /// found out about this one is then still true.
  private var admitted: Request?

  package init(
    engine: Engine, data: DataDirectory, log: Log, registration: RegistrationMode,
    metrics: MetricsAccess = .closed, rootWorkspace: WorkspaceID? = nil, hosts: Set<String> = []
  ) {
    self.engine = engine
    calls = OpenCalls(engine)
    gate = Gate(
      engine, registration: registration, metrics: metrics, root: rootWorkspace, hosts: hosts)
    let agents = AgentCounts(engine)
    turns = TurnDriver(engine, calls, agents, data: data, log: log)
    handlers = Handlers(
      engine, calls, gate, StatusRoutes(engine, calls, gate, agents, log),
      registration: registration)
    refusals = Refusals(engine: engine, renderer: calls.renderer)
  }

  /// The engine asks the loop whose connection is still open, and shares its account of memory.
  func attach(_ loop: Loop) {
    self.loop = loop
    engine.replies.memory = loop.memory
    engine.replies.isPeerGone = { [weak self, weak loop] poll in
      guard let self, let loop else { return false }
      return calls.isGone(poll, loop)
    }
    engine.tokensEnded = { [weak self] now in self?.calls.endRevokedPolls(now: now) }
  }

  // MARK: requests

  package func admit(_ head: HTTPRequestHead, ticket: Ticket, loop: Loop) -> Admission {
    var request = gate.request(head, ticket, loop, now: loop.now)
    do throws(RelayError) {
      try gate.check(&request)
      guard !head.isEncoded else { throw .contentEncoding }
    } catch {
      return .refuse(refusals.response(to: request, error))
    }
    let admission = gate.admission(of: request)
    admitted = consume request
    return admission
  }

  package func handle(
    _ head: HTTPRequestHead, body: [UInt8], ticket: Ticket, loop: Loop, now: Now
  ) {
    // Taken, not copied: a request is large.
    let known = admitted.take()
    if var request = consume known, request.ticket == ticket {
      request.body = body
      handle(request, isChecked: true)
    } else {
      // The body may have come after a failure, or after the end of the credential.
      var request = gate.request(head, ticket, loop, now: now)
      request.body = body
      handle(request, isChecked: false)
    }
  }

  private func handle(_ request: consuming Request, isChecked: Bool) {
    do throws(RelayError) {
      if isChecked { try gate.checkLife(request.route) } else { try gate.check(&request) }
      if engine.fatal != nil, request.route.traits.contains(.callers) {
        return request.respond(refusals.stopping(request))
      }
      try request.route.handle(request, by: handlers)
    } catch {
      request.respond(refusals.response(to: request, error))
    }
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
    admitted = nil
    turns.turnEnded(now: now, loop: loop)
  }

  package var nextDeadline: Instant? { turns.nextDeadline }

  package func shutdownRequested(now: Now, loop: Loop) { turns.shutDown(now: now) }

  package var isDrained: Bool { calls.isEmpty && (engine.fatal != nil || engine.isIdle) }
}
