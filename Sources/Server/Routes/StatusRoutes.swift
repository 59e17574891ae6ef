import API
import Engine
import HTTPServer
import Relay
import System
import Wire

/// How the relay is: for load balancers, for Prometheus and for operators.
struct StatusRoutes {
  let engine: Engine
  let calls: OpenCalls
  let gate: Gate
  let agents: AgentCounts
  let log: Log
  private let started = Clock.now()

  init(_ engine: Engine, _ calls: OpenCalls, _ gate: Gate, _ agents: AgentCounts, _ log: Log) {
    self.engine = engine
    self.calls = calls
    self.gate = gate
    self.agents = agents
    self.log = log
  }

  func health(_ request: Request) {
    request.respond(.json(200, Array("{\"status\":\"ok\"}".utf8)))
  }

  func ready(_ request: Request) {
    engine.ready(calls.open(request), for: request.sender, now: request.now)
  }

  /// The workspaces that a message may belong to, as far as the operator may read them.
  func workspaces(_ request: Request) {
    let owners = gate.workspaces(of: request.message, for: request.sender)
    request.respond([
      "id": .string(request.message.text), "workspaces": .array(owners.map { .string($0.text) }),
    ])
  }

  // MARK: metrics

  /// Everything shown is read from memory; no file is opened.
  func metrics(_ request: Request) {
    if engine.metrics.disk == nil { engine.checkDisk() }
    agents.advance(now: request.now)
    var page = MetricsPage(now: request.now)
    page.process(
      since: started.wall, clockJumps: engine.metrics.clockJumps, logLinesLost: log.lost)
    page.clockDoubt(engine.clockDoubt(request.now))
    page.disk(engine.metrics, isLow: engine.isDiskLow)
    let levels = engine.levels()
    page.files(levels, agents: agents.counts)
    page.queues(levels.depth)
    page.traffic(engine.metrics, memoryFull: request.counters.bodiesRefusedForMemory)
    page.peers(levels, request.counters, connections: request.connections)
    page.memory(used: engine.replies.memory.used, max: engine.limits.bodiesInMemoryMax)
    if engine.limits.workspaceSeriesMax > 0 { page.workspaces(shown(to: request.sender)) }
    request.respond(
      HTTPResponse(status: 200, contentType: MetricsText.contentType, body: page.text.bytes))
  }

  /// Returns the workspaces that are shown one by one: a key sees its org's, strangers see none.
  private func shown(to reader: Identity) -> [(id: WorkspaceID, depth: QueueDepth)] {
    let countMax = engine.limits.workspaceSeriesMax
    return switch reader {
    case .admin: engine.depths(max: countMax) { _ in true }
    case .org(let org, _):
      engine.depths(max: countMax) { engine.directory.workspace($0)?.row.org == org }
    case .workspace, .anonymous: []
    }
  }

  // MARK: status

  func status(_ request: Request) { request.respond(statusJSON(request)) }

  private func statusJSON(_ request: Request) -> JSON {
    let now = request.now
    if engine.metrics.disk == nil { engine.checkDisk() }
    let levels = engine.levels()
    agents.advance(now: now)
    let counts = agents.counts
    return [
      "version": .string(RelayVersion.text),
      "started_at": .string(Timestamp.rfc3339(nanoseconds: started.wall.nanoseconds)),
      "uptime_seconds": .number("\((now.instant - started.instant).nanoseconds / 1_000_000_000)"),
      "ready": .bool(engine.unreadyReasons.isEmpty),
      "reasons": .array(engine.unreadyReasons.map { .string($0.rawValue) }),
      "workspaces": [
        "active": number(counts.all), "removed": number(engine.directory.removed.count),
        "open": number(levels.filesOpen), "failed": number(levels.filesFailed),
      ],
      "agents": [
        "online": number(counts.online), "offline": number(counts.offline),
        "awaiting": number(counts.awaiting),
      ],
      "messages": messagesJSON(levels.depth, now: now),
      "disk": diskJSON(),
      "clock_doubted_seconds": .number("\(engine.clockDoubt(now).nanoseconds / 1_000_000_000)"),
      "barrier": calls.renderer.barrier(engine.barrier(now: now)),
      "connections": number(request.connections),
      "parked_polls": number(levels.parkedPolls),
      "held_callers": number(levels.heldCallers),
    ]
  }

  private func number(_ value: Int) -> JSON { .number("\(value)") }

  private func messagesJSON(_ depth: QueueDepth, now: Now) -> JSON {
    var json: JSON = [
      "unanswered": number(depth.unanswered), "in_flight": number(depth.inFlight),
      "unreceived": number(depth.unreceived), "dead": number(depth.dead),
      "interrupted": number(depth.interrupted), "bytes": number(depth.bytes),
    ]
    json["oldest_unanswered_age_seconds"] =
      depth.oldestUnanswered.map { calls.renderer.seconds(now.wall - $0) } ?? .null
    json["oldest_unreceived_age_seconds"] =
      depth.oldestUnreceived.map { calls.renderer.seconds(now.wall - $0) } ?? .null
    return json
  }

  private func diskJSON() -> JSON {
    guard let disk = engine.metrics.disk else { return .null }
    var json = calls.renderer.room(engine.room)
    json["low"] = .bool(engine.isDiskLow)
    json["reserve_held"] = .bool(disk.isReserveHeld)
    return json
  }
}
