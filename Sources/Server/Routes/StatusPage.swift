import Engine
import HTTPServer
import Relay
import System
import Wire

extension RelayServer {
  func check(
    _ route: StatusRoute, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    switch route {
    case .status: try operate(on: nil, .admin, head, ticket, now: now)
    case .workspaces(let message):
      guard identity(bearer(head), ticket, now: now) != nil else { throw .unauthorized }
      if owners(message, head, ticket, now: now).isEmpty { throw .notFound }
    }
  }

  func status(
    _ route: StatusRoute, _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now
  ) {
    let json: JSON
    switch route {
    case .status: json = statusJSON(loop, now: now)
    case .workspaces(let message):
      let owners = owners(message, head, ticket, now: now)
      json = [
        "id": .string(message.text), "workspaces": .array(owners.map { .string($0.text) }),
      ]
    }
    loop.respond(ticket, .json(200, json.bytes))
  }

  /// Told by the id alone, without a look into a file: two of 100,000 workspaces may share the part
  /// of it that stands in message ids.
  private func owners(
    _ message: MessageID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) -> [WorkspaceID] {
    engine.directory.workspaces(short: message.workspace).filter { id in
      (try? operate(on: id, .read, head, ticket, now: now)) != nil
    }
  }

  private func statusJSON(_ loop: Loop, now: Now) -> JSON {
    if engine.metrics.disk == nil { engine.checkDisk() }
    let levels = engine.levels()
    agents.advance(now: now)
    let counts = agents.counts
    return [
      "version": .string(RelayVersion.text),
      "started_at": .string(Timestamp.rfc3339(nanoseconds: started.nanoseconds)),
      "uptime_seconds": .number("\((now.instant - startedAt).nanoseconds / 1_000_000_000)"),
      "ready": .bool(engine.unreadyReasons.isEmpty),
      "reasons": .array(engine.unreadyReasons.map { .string($0) }),
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
      "barrier": engine.barrierJSON(now: now),
      "connections": number(loop.connectionCount),
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
      depth.oldestUnanswered.map { engine.seconds(now.wall - $0) } ?? .null
    json["oldest_unreceived_age_seconds"] =
      depth.oldestUnreceived.map { engine.seconds(now.wall - $0) } ?? .null
    return json
  }

  private func diskJSON() -> JSON {
    guard let disk = engine.metrics.disk else { return .null }
    var json = engine.roomJSON
    json["low"] = .bool(engine.isDiskLow)
    json["reserve_held"] = .bool(disk.isReserveHeld)
    return json
  }
}
