package import Engine
package import Relay
package import Wire

/// Renders the registry as JSON: workspaces and their agents, as operators and agents see them.
package struct RegistryRenderer: Sendable {
  private let urls: PublicURLs
  /// An agent that shows no sign of life for longer than this is shown as offline.
  private let offlineAfter: Duration
  /// The time for which a removed workspace can be restored.
  private let removedKeep: Duration

  init(urls: PublicURLs, _ limits: Limits) {
    self.urls = urls
    offlineAfter = limits.offlineAfter
    removedKeep = limits.removedKeep
  }

  // MARK: workspaces

  func registered(_ row: RegisteredWorkspace, _ secret: String?, wantsPush: Bool) -> JSON {
    let base = urls.callers(of: row.id)
    var json: JSON = [
      "status": "registered", "id": .string(row.id.text),
      "workspace_id": .string(row.id.text), "org_id": .string(row.org),
      "delivery_mode": "poll",
      "relay": [
        "public_url": .string(base),
        "card_url": .string(base + ".well-known/agent-card.json"),
        "inbox_url": .string(urls.inbox(of: row.id)),
      ],
    ]
    if let secret {
      json["auth_token"] = .string(secret)
      json["expires_at"] = .null
    }
    if wantsPush {
      json["warning"] = "the relay never connects to an agent: poll the inbox_url"
    }
    return json
  }

  func workspace(_ row: RegisteredWorkspace, lastSeen: WallTime?) -> JSON {
    let base = urls.callers(of: row.id)
    var json: JSON = [
      "id": .string(row.id.text), "name": .string(row.name), "org": .string(row.org),
      "created_at": .time(row.createdAt),
      "parent_id": row.parent.map { .string($0.text) } ?? .null,
      "claimed": .bool(row.claimedAt != nil),
      "settings": settings(row),
      "urls": [
        "public": .string(base), "card": .string(base + ".well-known/agent-card.json"),
        "inbox": .string(urls.inbox(of: row.id)),
      ],
    ]
    if let at = row.claimedAt {
      json["claimed_at"] = .time(at)
      json["claimed_by"] = .string(row.claim.by)
      if !row.claim.from.isEmpty { json["claimed_from"] = .string(row.claim.from) }
      if !row.claim.via.isEmpty { json["claimed_via"] = .string(row.claim.via) }
    }
    if let lastSeen { json["last_seen_at"] = .time(lastSeen) }
    return json
  }

  /// Returns the settings that an operator has made. The time of the card's registration is
  /// internal to the relay and not shown.
  private func settings(_ row: RegisteredWorkspace) -> JSON {
    let settings = Settings(ofRow: row)
    var json: JSON = [
      "callers": .string(settings.callers.rawValue),
      "when_offline": .string(settings.whenOffline.rawValue),
      "keep_alive": .bool(settings.keepsAlive),
    ]
    if settings.isPaused { json["paused"] = true }
    if settings.refusesSends { json["sends"] = "refuse" }
    return json
  }

  /// Returns the card as the agent registered it. Only a response about a single workspace includes
  /// it, because a card may be large.
  package func registeredCard(_ record: WorkspaceRecord?) -> JSON {
    record.flatMap { try? JSON(parsing: $0.row.card, valuesMax: .max) } ?? .null
  }

  /// Returns a workspace with its agent and its queue. For a closed file the queue is as it was at
  /// the closing; the queue is left out if that is unknown.
  package func status(_ status: WorkspaceStatus, now: WallTime) -> JSON {
    let record = status.record
    var json = workspace(record.row, lastSeen: record.lastSeen)
    addLiveness(record, isDeaf: status.isDeaf, to: &json, now: now)
    guard let counts = status.counts else { return json }
    var queue: JSON = [:]
    for (name, count) in counts.named { queue[name] = .number("\(count)") }
    queue["held_callers"] = .number("\(status.heldCallers)")
    queue["parked_polls"] = .number("\(status.parkedPolls)")
    // A poll keeps its workspace in memory, and for a short time after the poll has ended.
    queue["present"] = .bool(status.isPresent)
    queue["in_memory"] = .bool(status.isInMemory)
    json["queue"] = queue
    return json
  }

  // MARK: liveness

  /// Returns whether the agent lives, in the platform's words. Any authenticated request is a sign
  /// of life.
  private func liveness(_ record: WorkspaceRecord, now: WallTime) -> String {
    if let seen = record.lastSeen, seen + offlineAfter > now { return "online" }
    // After a crash the relay may know only that the workspace had an agent.
    return record.lastSeen == nil && !record.isClaimed ? "awaiting_agent" : "offline"
  }

  /// Adds the members that say whether the agent lives.
  ///
  /// - `isDeaf`: the agent polls the activity feed, and nobody polls the inbox.
  private func addLiveness(
    _ record: WorkspaceRecord, isDeaf: Bool, to json: inout JSON, now: WallTime
  ) {
    json["status"] = .string(liveness(record, now: now))
    if let polled = record.polledFeedAt { json["feed_polled_at"] = .time(polled) }
    if isDeaf {
      json["problem"] = .string("its agent polls the activity feed, which is not served yet")
    }
    // The relay never connects to an agent, so there is no URL to show.
    json["url"] = ""
    json["runtime"] = "external"
    json["role"] = ""
    json["tier"] = .null
    let vitals = record.vitals
    json["last_heartbeat_at"] = .time(vitals?.at)
    json["active_tasks"] = .number("\(vitals?.activeTasks ?? 0)")
    json["uptime_seconds"] = .number("\(vitals?.uptimeSeconds ?? 0)")
    json["last_error_rate"] = .number(vitals?.errorRate ?? "0")
  }

  /// Returns whether an agent should go on working. The platform's clients end for good at
  /// `paused`, and nobody restarts them at `resume`; so a paused workspace looks to its agent like
  /// one without messages.
  package func state(_ record: WorkspaceRecord, isForAgent: Bool, now: WallTime) -> JSON {
    [
      "workspace_id": .string(record.row.id.text), "status": .string(liveness(record, now: now)),
      "paused": .bool(record.settings.isPaused && !isForAgent), "deleted": false,
    ]
  }

  /// Returns the text and members that name the relay's alternative to the platform's activity
  /// feed.
  package func insteadOfFeed(_ id: WorkspaceID) -> (detail: String, members: [(String, JSON)]) {
    let url = urls.inbox(of: id)
    return (
      "the activity feed is not served yet; poll GET \(url)?wait=25, and post each result to "
        + "\(url)/MESSAGE/result",
      [("inbox_url", .string(url))]
    )
  }

  // MARK: removed workspaces

  func removed(_ row: RegisteredWorkspace, below count: Int, at now: WallTime) -> JSON {
    [
      "status": "removed", "id": .string(row.id.text), "removed_at": .time(now),
      "restore_until": .time(now + removedKeep), "cascade_deleted": .number("\(count)"),
    ]
  }

  func purged(_ row: RegisteredWorkspace, below count: Int) -> JSON {
    ["status": "purged", "id": .string(row.id.text), "cascade_deleted": .number("\(count)")]
  }

  /// Returns the members of the response to a removal that needs confirmation.
  func confirmation(_ children: [WorkspaceID], atMost count: Int) -> [(String, JSON)] {
    [
      ("status", .string(RelayError.confirmationRequired.code)),
      (
        "message", "nothing was removed: ?confirm=true removes it with all that stand below it"
      ),
      ("children", .array(children.prefix(count).map { .string($0.text) })),
      ("children_count", .number("\(children.count)")),
    ]
  }

  /// Returns a workspace as the list of restorable workspaces shows it; `nil` if it cannot be
  /// restored.
  package func removedEntry(_ record: WorkspaceRecord?) -> JSON? {
    guard let row = record?.row, row.state == .removed else { return nil }
    return [
      "id": .string(row.id.text), "name": .string(row.name), "org": .string(row.org),
      "parent_id": row.parent.map { .string($0.text) } ?? .null,
      "removed_at": .time(row.leftAt), "restore_until": .time(row.leftAt + removedKeep),
    ]
  }

  /// Returns the members that tell operators about a removed workspace.
  package func removedMembers(_ record: WorkspaceRecord?) -> [(String, JSON)] {
    guard let row = record?.row, row.state == .removed, let at = row.removedAt else { return [] }
    let path = "/workspaces/\(row.id.text)"
    return [
      ("id", .string(row.id.text)), ("removed_at", .time(at)),
      ("hint", .string("POST \(path)/restore brings it back, without its tokens")),
    ]
  }

  /// Returns the members that tell an agent that its workspace is removed, named as the platform's
  /// clients read them.
  func agentMembers(_ id: WorkspaceID, _ at: WallTime) -> [(String, JSON)] {
    [
      ("id", .string(id.text)), ("workspace_id", .string(id.text)), ("status", "removed"),
      ("paused", false), ("deleted", true), ("removed_at", .time(at)),
      ("hint", "this token will not count again: stop, or register the agent anew"),
    ]
  }

  package func members(of ended: Directory.EndedToken) -> [(String, JSON)] {
    agentMembers(ended.workspace, ended.at)
  }
}
