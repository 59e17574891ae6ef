package import Relay
package import Wire

/// What an agent says of itself in a heartbeat; kept in memory, for people to look at.
package struct Vitals: Sendable, Equatable {
  package var at: WallTime
  package var activeTasks: Int?
  package var uptimeSeconds: Int?
  /// As the agent spelled the number.
  package var errorRate: String?

  package init(at: WallTime) { self.at = at }

  /// Reads the members that have a type to keep; all others are taken and ignored, as a heartbeat
  /// that is refused ends some agents' loops for good.
  package init(_ body: JSON, at: WallTime) throws(BadSetting) {
    self.init(at: at)
    activeTasks = try Self.count("active_tasks", body)
    uptimeSeconds = try Self.count("uptime_seconds", body)
    if case .number(let rate) = body["error_rate"] { errorRate = rate }
  }

  private static func count(_ name: String, _ body: JSON) throws(BadSetting) -> Int? {
    guard let value = body[name], !value.isNull else { return nil }
    guard let count = value.int else { throw BadSetting("member \"\(name)\" must be an integer") }
    return count
  }
}

extension Broker {
  /// Whether the agent lives, in the platform's words. Any authenticated call is a sign of life.
  func liveness(_ record: WorkspaceRecord, now: Now) -> String {
    if let seen = record.lastSeen, seen + limits.offlineAfter > now.wall { return "online" }
    // Of a run that was killed nothing may be known but that there was an agent.
    return record.lastSeen == nil && !record.isClaimed ? "awaiting_agent" : "offline"
  }

  func addLiveness(_ record: WorkspaceRecord, to json: inout JSON, now: Now) {
    json["status"] = .string(liveness(record, now: now))
    if let polled = record.polledFeedAt { json["feed_polled_at"] = Self.time(polled) }
    if isDeaf(record, now: now) {
      json["problem"] = .string("its agent polls the activity feed, which is not served yet")
    }
    // The relay never connects to an agent: there is no URL of it to call.
    json["url"] = ""
    json["runtime"] = "external"
    json["role"] = ""
    json["tier"] = .null
    let vitals = record.vitals
    json["last_heartbeat_at"] =
      vitals.map { .string(Timestamp.rfc3339(nanoseconds: $0.at.nanoseconds)) } ?? .null
    json["active_tasks"] = .number("\(vitals?.activeTasks ?? 0)")
    json["uptime_seconds"] = .number("\(vitals?.uptimeSeconds ?? 0)")
    json["last_error_rate"] = .number(vitals?.errorRate ?? "0")
  }

  /// The card as the agent gave it; only where one workspace is shown, as it may be large.
  package func registeredCard(_ id: WorkspaceID) -> JSON {
    directory.workspace(id).flatMap { try? JSON(parsing: $0.row.card, valuesMax: .max) } ?? .null
  }

  /// Whether an agent is still wanted. The platform's clients end for good at `paused`, and nobody
  /// starts them again at `resume`: to its agent a paused workspace is one without work.
  package func state(
    _ id: WorkspaceID, isForAgent: Bool, now: Now
  ) throws(RelayError) -> JSON {
    guard let record = directory.workspace(id) else { throw .notFound }
    return [
      "workspace_id": .string(id.text), "status": .string(liveness(record, now: now)),
      "paused": .bool(record.settings.isPaused && !isForAgent), "deleted": false,
    ]
  }

  package func beat(_ id: WorkspaceID, _ vitals: Vitals) { directory.beat(id, vitals) }

  /// Another card for an agent that has registered already.
  package func updateCard(
    _ call: CallID, _ card: [UInt8], of id: WorkspaceID, actor: String, now: Now
  ) {
    guard var row = newestRow(id) else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    let reply = Reply(call: call, body: Array("{\"status\":\"updated\"}".utf8))
    // The same card again is no change, and leaves no trace.
    guard row.card != card else { return answer(reply, about: [id]) }
    do throws(RelayError) {
      try checkRoom(forCard: card.count + row.url.utf8.count, in: row)
    } catch {
      return replies.send(Reply(call: call, error: error))
    }
    row.card = card
    var settings = Settings(ofRow: row)
    settings.cardAt = now.wall
    row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
    registryBatch.append(.updateWorkspace(row))
    let updated = row
    write(
      updated,
      RegistryChange(
        workspace: id, apply: { $0.put(updated) }, reply: reply,
        record: audit(actor, .cardUpdate, .workspace(id), now: now)))
  }
}
