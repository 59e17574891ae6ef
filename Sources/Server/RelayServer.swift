package import Engine
package import HTTPServer
package import Relay
package import Store
package import System
package import Wire

/// The relay as an application of the HTTP loop: routes on one side, the engine on the other.
package final class RelayServer: Application {
  package let engine: Engine
  let data: DataDirectory
  let limits: Limits
  let log: Log
  let registration: RegistrationMode
  /// By which names, and from which pages, it is called.
  var doors: Doors
  /// Also served at the host's root.
  let rootWorkspace: WorkspaceID?
  /// Set before the loop runs: it needs the loop's eventfd.
  package var barrier: Barrier?
  private var syncPace = SyncPace()
  /// Who runs the process, if they want to know how it is.
  var supervision: Supervision?
  /// Syncs what a backup has written.
  var archiveSyncs: ArchiveSyncs?

  /// Requests without an answer, by call and by the number of their ticket.
  var tickets: [CallID: Pending] = [:]
  var calls: [UInt64: CallID] = [:]
  /// What is to be told the engine about an answer that is on its way.
  var receipts: [UInt64: Reply.Receipt] = [:]
  /// The connections of polls by named consumers, while their entries may come back by them.
  var namedPolls: [PollID: NamedPoll] = [:]
  var namedPollsMax = 1024
  let metricsAccess: MetricsAccess
  let started = Clock.wall()
  let startedAt = Clock.instant()
  var agents = AgentSweep()
  var nextDiskCheck = Instant(nanoseconds: 0)
  var fatalDeadline: Instant?
  private(set) weak var loop: Loop?
  package private(set) var exitCode: Int32 = 0

  /// What `admit` found out last, for the `handle` that follows it.
  private var admitted: (note: UInt64, at: Instant, route: Route, caller: Identity?)?
  private var lastAdmission: UInt64 = 0
  /// Of the credential that the request in work has shown.
  var shown: ShownCredential?

  struct Pending {
    enum Kind {
      case send
      case poll(WorkspaceID)
      case other
    }
    var ticket: Ticket
    var kind: Kind
    /// Of the JSON-RPC caller.
    var addressee: Addressee?
    var isCrossOrigin = false
    /// It sent without a credential: a receipt shows later that it did.
    var isAnonymous = false
    /// The token that a poll was parked with.
    var token: TokenUse?
  }

  struct NamedPoll {
    var ticket: Ticket
    /// What it was given; `nil` while it waits.
    var entries: (workspace: WorkspaceID, seqs: [Seq])?
  }

  package init(
    engine: Engine, data: DataDirectory, limits: Limits, log: Log, registration: RegistrationMode,
    metrics: MetricsAccess = .closed, rootWorkspace: WorkspaceID? = nil,
    hosts: Set<String> = []
  ) {
    doors = Doors(publicURL: engine.publicURL, names: hosts)
    self.engine = engine
    self.data = data
    self.limits = limits
    self.log = log
    self.registration = registration
    metricsAccess = metrics
    self.rootWorkspace = rootWorkspace
  }

  /// The engine asks the loop whose connection is still open, and shares its account of memory.
  func attach(_ loop: Loop) {
    self.loop = loop
    engine.replies.memory = loop.memory
    engine.isPollGone = { [weak self, weak loop] poll in
      guard let self, let loop, let named = self.namedPolls[poll] else { return false }
      return !loop.isConnected(named.ticket)
    }
    engine.tokensEnded = { [weak self] now in self?.endRevokedPolls(now: now) }
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
  func open(_ ticket: Ticket, _ kind: Pending.Kind, addressee: Addressee? = nil) -> CallID {
    let call = engine.nextCall()
    var pending = Pending(ticket: ticket, kind: kind, addressee: addressee)
    if case .poll = kind { pending.token = shown?.use }
    tickets[call] = pending
    calls[ticket.number] = call
    return call
  }

  // MARK: peers

  package func peerHalfClosed(_ ticket: Ticket) {
    // A held send stays: some clients half-close after the request. A poll would reach nobody.
    guard let call = calls[ticket.number], case .poll = tickets[call]?.kind else { return }
    gone(ticket)
    loop?.abandon(ticket)
  }

  /// Whoever is parked with a token that was revoked just now hears of it at once.
  private func endRevokedPolls(now: Now) {
    for (call, pending) in tickets where pending.token?.isRevoked == true {
      guard case .poll(let id) = pending.kind else { continue }
      tickets[call]?.token = nil
      engine.pollRefused(call, at: id, now: now)
    }
  }

  package func peerGone(_ ticket: Ticket) { gone(ticket) }

  private func gone(_ ticket: Ticket) {
    guard let call = calls.removeValue(forKey: ticket.number),
      let pending = tickets.removeValue(forKey: call), let now = loop?.now
    else { return }
    switch pending.kind {
    case .poll(let id):
      namedPolls[call] = nil
      engine.pollGone(call, at: id, now: now)
    case .send: engine.callerGone(call, now: now)
    case .other: break
    }
  }

  package func delivered(_ ticket: Ticket, received: Bool) {
    guard let receipt = receipts.removeValue(forKey: ticket.number), let now = loop?.now
    else { return }
    engine.delivered(receipt, received: received, now: now)
  }

  // MARK: turns

  package func wokenUp(now: Now, loop: Loop) {
    while let report = barrier?.takeReport() {
      apply(report, report.form == .syncfs ? .syncfs : .fdatasync, now: now, loop: loop)
    }
    takeArchiveReports(now: now)
  }

  private func apply(
    _ report: BarrierReport, _ form: Metrics.BarrierForm, now: Now, loop: Loop
  ) {
    syncPace.took(.nanoseconds(report.nanoseconds))
    engine.metrics.barrier(
      form, nanoseconds: report.nanoseconds, isOK: report.failure == nil, now: now.instant)
    if let failure = report.failure {
      die(
        StoreError(
          kind: .ioFatal, code: failure.code, call: failure.call, path: data.path,
          message: "the barrier failed", systemErrno: failure.code), now: now, loop: loop)
    } else if engine.fatal == nil {
      engine.barrierPassed(report.round, now: now)
    }
  }

  /// Commits the turn and has its round synced: by the barrier's thread, or, when one operation is
  /// all that waits and the disk is fast, here, as two changes of thread cost as much as the sync.
  private func commitTurn(now: Now, loop: Loop) {
    guard let barrier, let work = engine.endTurn(now: now) else { return }
    guard work.isLone, syncPace.expected <= limits.loopSyncMax else {
      return barrier.submit(round: work.number, files: work.files)
    }
    let report = barrier.syncHere(round: work.number, files: work.files)
    apply(report, .loop, now: now, loop: loop)
    // What the barrier has let pass may be handed out, which needs a commit and no barrier.
    if engine.fatal == nil, let next = engine.endTurn(now: now) {
      barrier.submit(round: next.number, files: next.files)
    }
  }

  package func turnEnded(now: Now, loop: Loop) {
    self.loop = loop
    if let deadline = fatalDeadline, deadline <= now.instant { endProcess(code: 74) }
    if engine.fatal == nil {
      checkDisk(now: now)
      engine.watchClock(now)
      engine.tick(now: now)
      commitTurn(now: now, loop: loop)
      for reply in engine.replies.take() { send(reply, loop) }
      engine.maintain(now: now)
      archiveTurn(now: now, loop)
    }
    if let fatal = engine.fatal, fatalDeadline == nil { die(fatal, now: now, loop: loop) }
    supervision?.turned(now: now.instant)
  }

  private func send(_ reply: Reply, _ loop: Loop) {
    guard let pending = tickets.removeValue(forKey: reply.call) else {
      // Its peer has gone: nobody will have received it.
      return engine.delivered(reply.receipt, received: false, now: loop.now)
    }
    calls[pending.ticket.number] = nil
    noteEntries(reply)
    var response =
      reply.body.isEmpty ? HTTPResponse.empty(reply.status) : .json(reply.status, reply.body)
    if let id = reply.messageID { response.headers += names(id, isAnonymous: pending.isAnonymous) }
    if !reply.headers.isEmpty { response.headers += reply.headers }
    if pending.isCrossOrigin { response.headers += Self.crossOrigin }
    if case .none = reply.receipt { return loop.respond(pending.ticket, response) }
    receipts[pending.ticket.number] = reply.receipt
    loop.respond(pending.ticket, response, receipt: true)
  }

  /// A named poll is remembered only for what it was given and has not touched.
  private func noteEntries(_ reply: Reply) {
    guard namedPolls[reply.call] != nil else { return }
    guard case .handOut(let id, _, let seqs) = reply.receipt else {
      namedPolls[reply.call] = nil
      return
    }
    namedPolls[reply.call]?.entries = (id, seqs)
    guard namedPolls.count >= namedPollsMax else { return }
    namedPolls = namedPolls.filter { poll, named in
      named.entries.map { engine.isUntouched(poll, $0.seqs, at: $0.workspace) } ?? true
    }
    namedPollsMax = max(1024, 2 * namedPolls.count)
  }

  package var nextDeadline: Instant? {
    let candidates = [
      engine.nextDeadline(), nextDiskCheck, fatalDeadline, supervision?.nextSign,
    ]
    return candidates.compactMap { $0 }.min()
  }

  private func checkDisk(now: Now) {
    guard nextDiskCheck <= now.instant else { return }
    nextDiskCheck = now.instant + .seconds(1)
    engine.watchFiles()
    engine.checkDisk()
    sweepAgents(now: now)
  }

  func sweepAgents(now: Now) {
    agents.advance(engine.directory, offlineAfter: limits.offlineAfter, now: now.wall)
  }

  // MARK: ends

  package func shutdownRequested(now: Now, loop: Loop) {
    log.info("shutting_down")
    supervision?.stopping()
    if engine.fatal == nil { engine.shutDown(now: now) }
  }

  /// The loop has ended: nothing of it is used by another thread any more.
  package func loopEnded() { archiveSyncs?.stop() }

  package var isDrained: Bool { tickets.isEmpty && (engine.fatal != nil || engine.isIdle) }

  /// A failed barrier or write is final: everybody who waits is told "unknown", nothing more is
  /// committed, and the process ends with 74 (EX_IOERR) within five seconds.
  private func die(_ error: StoreError, now: Now, loop: Loop) {
    guard fatalDeadline == nil else { return }
    engine.fatal = error
    exitCode = 74
    fatalDeadline = now.instant + .seconds(3)
    log.error(
      "fatal",
      [
        "call": .text(error.call), "errno": .number(Int64(error.systemErrno)),
        "path": .text(error.path), "error": .text(error.description),
      ])
    // What was decided before is true: rounds that had passed are answered as such.
    for reply in engine.replies.take() { send(reply, loop) }
    for (call, pending) in tickets {
      var reply: Reply
      if let addressee = pending.addressee {
        reply = addressee.reply(.outcomeUnknown)
        reply.messageID = engine.messageID(of: call)
      } else {
        reply = Reply(call: call, error: .outcomeUnknown)
      }
      reply.receipt = .none
      send(reply, loop)
    }
    loop.stop()
  }
}
