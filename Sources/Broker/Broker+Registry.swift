package import Relay
import Store
import System
package import Wire

/// Who may register an agent without a bearer.
package enum RegistrationMode: String, Sendable, CaseIterable {
  /// A workspace that an operator made and that never had a token, within an hour of its making.
  case claim
  /// As `claim`, and an unknown id makes the workspace.
  case open
  /// Nobody.
  case closed
}

/// What an agent says of itself when it registers.
package struct Registration: Sendable {
  package var id: WorkspaceID
  package var card: JSON?
  package var cardBytes: [UInt8]
  package var url: String
  package var wantsPush: Bool

  package init(id: WorkspaceID, card: JSON?, cardBytes: [UInt8], url: String, wantsPush: Bool) {
    self.id = id
    self.card = card
    self.cardBytes = cardBytes
    self.url = url
    self.wantsPush = wantsPush
  }
}

extension Broker {
  /// How long an operator's new workspace may be claimed without a bearer.
  static let claimWindow = Duration.seconds(3600)
  static let org = "default"

  package func createWorkspace(
    _ call: CallID, id: WorkspaceID?, name: String, settings: Settings, now: Now
  ) {
    let id = id ?? WorkspaceID(random: random.next(), random.next())
    do throws(RelayError) {
      let row = try makeWorkspace(id, name: name, settings: settings, now: now)
      var reply = Reply(call: call, status: 201, body: workspaceJSON(row).bytes)
      reply.headers.append(("Location", "/workspaces/\(id.text)"))
      write(
        row,
        RegistryChange(workspace: id, apply: { $0.put(row) }, reply: reply, isCreation: true))
    } catch {
      outbox.append(Reply(call: call, error: error))
    }
  }

  /// A line in the audit, durable with this turn's other changes of the registry.
  package func audit(
    _ actor: String, _ action: String, _ target: String, _ detail: String = "", now: Now
  ) {
    registryBatch.append(
      .audit(
        AuditEntry(at: now.wall, actor: actor, action: action, target: target, detail: detail)))
  }

  /// The file first, durable; the row after it.
  private func makeWorkspace(
    _ id: WorkspaceID, name: String, settings: Settings, now: Now
  ) throws(RelayError) -> RegisteredWorkspace {
    guard directory.removed[id] == nil else { throw .workspaceRemoved }
    guard directory.workspace(id) == nil, rowsOnTheirWay[id] == nil else { throw .workspaceExists }
    guard directory.workspaces.count + directory.removed.count < limits.workspacesMax
    else { throw .workspacesFull }
    if isDiskLow { throw .diskFull }
    do throws(StoreError) {
      try data.createWorkspaceFile(id, now: now.wall).close()
    } catch {
      failed(error, workspace: id)
      // A file that holds messages and has no row.
      if error.kind == .taken { throw .workspaceExists }
      throw error.isFinalForProcess ? .outcomeUnknown : .notStored
    }
    let row = RegisteredWorkspace(
      id: id, name: name, org: Self.org, createdAt: now.wall,
      settings: String(decoding: settings.json.bytes, as: UTF8.self), nextWakeAt: .never)
    registryBatch.append(.createWorkspace(row))
    audit("operator", "create", id.text, now: now)
    return row
  }

  package func register(
    _ call: CallID, _ registration: Registration, identity: Identity?, mode: RegistrationMode,
    now: Now
  ) {
    let id = registration.id
    do throws(RelayError) {
      var row: RegisteredWorkspace
      var needsToken = true
      var isCreation = false
      if let record = directory.workspace(id) {
        needsToken = try mayRegister(record, identity, mode, now: now)
        // A registration on its way may have given it another card.
        row = rowsOnTheirWay[id]?.row ?? record.row
      } else if mode == .open, rowsOnTheirWay[id] == nil, directory.removed[id] == nil,
        identity == nil || identity == .admin
      {
        row = try makeWorkspace(id, name: "", settings: Settings(), now: now)
        isCreation = true
      } else {
        throw identity == .admin ? .notFound : .unauthorized
      }
      if !registration.cardBytes.isEmpty {
        row.card = registration.cardBytes
        var settings = Settings(ofRow: row)
        settings.cardAt = now.wall
        row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
        if row.name.isEmpty { row.name = name(of: registration.card) }
      }
      if !registration.url.isEmpty { row.url = registration.url }
      registryBatch.append(.updateWorkspace(row))
      let token = needsToken ? newToken(for: row, now: now) : nil
      if needsToken { claiming.insert(id) }
      let updated = row
      write(
        updated,
        RegistryChange(
          workspace: id,
          apply: { directory in
            directory.put(updated)
            if let row = token?.row { directory.add(row) }
          },
          reply: Reply(
            call: call, body: registeredJSON(updated, token?.secret, registration).bytes),
          isCreation: isCreation))
      signOfLife(id, now: now)
      if let desk = desks[id], desk.failure == nil {
        touch(desk)
        desk.queue.agentRestarted(now: now)
        carryOut(desk, now: now)
      }
    } catch {
      outbox.append(Reply(call: call, error: error))
    }
  }

  private func name(of card: JSON?) -> String {
    let name = card?["name"]?.string ?? ""
    return name.utf8.count <= limits.nameBytesMax ? name : ""
  }

  /// Whether the answer carries a new token.
  private func mayRegister(
    _ record: WorkspaceRecord, _ identity: Identity?, _ mode: RegistrationMode, now: Now
  ) throws(RelayError) -> Bool {
    switch identity {
    case .workspace(let own) where own == record.row.id: return false
    case .admin:
      guard record.tokenCount < limits.tokensPerWorkspaceMax else { throw .tokensFull }
      return true
    case nil:
      // Once, soon after its making, and only while there is nothing in it to be read.
      let isFresh = record.row.createdAt + Self.claimWindow > now.wall
      guard mode != .closed, record.tokenCount == 0, isFresh,
        !claiming.contains(record.row.id), !hasSecrets(record.row.id),
        try desk(record.row.id, now: now).queue.lastSeq == 0
      else { throw .unauthorized }
      return true
    case .workspace, .org, .anonymous: throw .unauthorized
    }
  }

  private func newToken(
    for row: RegisteredWorkspace, now: Now
  ) -> (secret: String, row: RegisteredToken) {
    let secret = "rtok_" + Base64.encodeURL(random.bytes(32))
    let digest = SHA256.hash(Array(secret.utf8))
    let token = RegisteredToken(
      hash: digest.bytes, workspace: row.id, org: row.org, kind: .agent, createdAt: now.wall,
      fingerprint: String(digest.hex.prefix(8)))
    registryBatch.append(.addToken(token))
    audit("agent", "register", row.id.text, token.fingerprint, now: now)
    return (secret, token)
  }

  // MARK: what is shown

  package func base(_ id: WorkspaceID) -> String { "\(publicURL)/w/\(id.text)/" }

  private func registeredJSON(
    _ row: RegisteredWorkspace, _ secret: String?, _ registration: Registration
  ) -> JSON {
    let base = base(row.id)
    var json: JSON = [
      "status": "registered", "id": .string(row.id.text),
      "workspace_id": .string(row.id.text), "org_id": .string(row.org),
      "delivery_mode": "poll",
      "relay": [
        "public_url": .string(base),
        "card_url": .string(base + ".well-known/agent-card.json"),
        "inbox_url": .string("\(publicURL)/workspaces/\(row.id.text)/inbox"),
      ],
    ]
    if let secret {
      json["auth_token"] = .string(secret)
      json["expires_at"] = .null
    }
    if registration.wantsPush {
      json["warning"] = "the relay never connects to an agent: poll the inbox_url"
    }
    return json
  }

  package func workspaceJSON(_ row: RegisteredWorkspace) -> JSON {
    let base = base(row.id)
    let record = directory.workspace(row.id)
    var json: JSON = [
      "id": .string(row.id.text), "name": .string(row.name), "org": .string(row.org),
      "created_at": .string(Timestamp.rfc3339(nanoseconds: row.createdAt.nanoseconds)),
      "claimed": .bool((record?.tokenCount ?? 0) > 0),
      "settings": settings(row),
      "urls": [
        "public": .string(base), "card": .string(base + ".well-known/agent-card.json"),
        "inbox": .string("\(publicURL)/workspaces/\(row.id.text)/inbox"),
      ],
    ]
    if let seen = record?.lastSeen {
      json["last_seen_at"] = .string(Timestamp.rfc3339(nanoseconds: seen.nanoseconds))
    }
    return json
  }

  /// What an operator has set; when the card was registered is the relay's own note.
  private func settings(_ row: RegisteredWorkspace) -> JSON {
    var settings = Settings(ofRow: row)
    settings.cardAt = nil
    return settings.json
  }

  /// The workspace with what its queue holds, if that is open.
  package func workspaceStatus(_ id: WorkspaceID, now: Now) throws(RelayError) -> JSON {
    guard let record = directory.workspace(id) else { throw .notFound }
    var json = workspaceJSON(record.row)
    addLiveness(record, to: &json, now: now)
    if let desk = desks[id], desk.failure == nil {
      var queue: JSON = [:]
      for (name, count) in desk.queue.counts.named { queue[name] = .number("\(count)") }
      queue["held_callers"] = .number("\(desk.waiters.values.reduce(0) { $0 + $1.count })")
      queue["parked_polls"] = .number("\(desk.queue.parkedCount)")
      queue["present"] = .bool(desk.queue.isPresent(now: now))
      json["queue"] = queue
    }
    return json
  }

  /// When what the card is made from was written last.
  package func cardTime(_ id: WorkspaceID) -> WallTime? {
    directory.workspace(id).map { $0.settings.cardAt ?? $0.row.createdAt }
  }

  /// The card that callers get, made once for each registration.
  package func card(_ id: WorkspaceID) -> (bytes: [UInt8], etag: String)? {
    guard let record = directory.workspace(id) else { return nil }
    if let card = record.card { return card }
    let registered = try? JSON(parsing: record.row.card)
    guard
      let bytes = try? AgentCard.synthesize(
        registered: registered,
        workspaceName: record.row.name.isEmpty ? id.text : record.row.name, base: base(id),
        relayKeyScheme: record.settings.callers == .relay, relayVersion: RelayVersion.text)
    else { return nil }
    let etag = "\"" + Digest128.of(bytes).text + "\""
    directory.keepCard(id, bytes, etag: etag)
    return (bytes, etag)
  }
}

package enum RelayVersion {
  package static let text = "0.1.0"
}
