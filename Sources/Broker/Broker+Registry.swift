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
  /// Who registers, for the lists and the audit; never believed.
  package var origin: TokenOrigin

  package init(
    id: WorkspaceID, card: JSON?, cardBytes: [UInt8], url: String, wantsPush: Bool,
    origin: TokenOrigin = TokenOrigin(by: "anonymous")
  ) {
    self.id = id
    self.card = card
    self.cardBytes = cardBytes
    self.url = url
    self.wantsPush = wantsPush
    self.origin = origin
  }
}

extension Broker {
  package static let org = "default"

  /// - `parent`: checked against the hierarchy, as `change` does.
  package func createWorkspace(
    _ call: CallID, id: WorkspaceID?, name: String, settings: Settings, org: String = org,
    parent: WorkspaceID? = nil, actor: String = "operator", now: Now
  ) {
    let id = id ?? WorkspaceID(random: random.next(), random.next())
    do throws(RelayError) {
      let blank = RegisteredWorkspace(
        id: id, name: name, org: org, createdAt: now.wall,
        settings: String(decoding: settings.json.bytes, as: UTF8.self), nextWakeAt: .never,
        parent: parent)
      if let parent, let misfit = misfit(of: blank, below: parent) {
        return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
      }
      try makeWorkspace(blank, now: now)
      let record = audit(
        actor, .workspaceCreate, .workspace(id), "org \(org)", now: now)
      var reply = Reply(
        call: call, status: 201, body: registryJSON.workspace(blank, lastSeen: nil).bytes)
      reply.headers.append(("Location", "/workspaces/\(id.text)"))
      write(
        blank,
        RegistryChange(
          workspace: id, apply: { $0.put(blank) }, reply: reply, isCreation: true, record: record))
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// The file first, durable; the row after it.
  private func makeWorkspace(_ row: RegisteredWorkspace, now: Now) throws(RelayError) {
    let id = row.id
    guard directory.removed[id] == nil else { throw .workspaceRemoved }
    guard directory.workspace(id) == nil, rowsOnTheirWay[id] == nil else { throw .workspaceExists }
    guard directory.workspaces.count + directory.removed.count < limits.workspacesMax
    else { throw .workspacesFull }
    let coming = rowsOnTheirWay.values.count(where: {
      $0.row.org == row.org && !directory.isThere($0.row.id)
    })
    guard directory.uses[row.org].workspaces + coming < limits.workspacesPerOrgMax
    else { throw .workspacesFull }
    if isDiskLow { throw .diskFull }
    if disk?.isOutOfInodes == true { throw .inodesUsedUp }
    do throws(StoreError) {
      try data.createWorkspaceFile(id, now: now.wall).close()
    } catch {
      failed(error, workspace: id)
      if error.kind == .full {
        checkDisk()
        throw disk?.isOutOfInodes == true ? .inodesUsedUp : .diskFull
      }
      // A file that holds messages and has no row.
      if error.kind == .taken { throw .workspaceExists }
      throw error.isFinalForProcess ? .outcomeUnknown : .notStored
    }
    forgetFile(of: id)
    directory.forgetTokens(ofPurged: id)
    registryBatch.append(.createWorkspace(row))
  }

  /// Whether `register` would take it, as far as the id and the credential tell.
  package func checkRegistration(
    of id: WorkspaceID, by identity: Identity?, mode: RegistrationMode, now: Now
  ) throws(RelayError) {
    if let record = directory.workspace(id) {
      _ = try mayRegister(record, identity, mode, now: now)
    } else {
      _ = try orgOfUnknown(id, identity, mode)
    }
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
        row = newestRow(id) ?? record.row
        try checkRoom(forCardOf: registration, in: row)
      } else {
        let org = try orgOfUnknown(id, identity, mode)
        row = RegisteredWorkspace(
          id: id, name: "", org: org, createdAt: now.wall,
          settings: String(decoding: Settings().json.bytes, as: UTF8.self), nextWakeAt: .never)
        try checkRoom(forCardOf: registration, in: row)
        try makeWorkspace(row, now: now)
        isCreation = true
      }
      let before = row
      take(registration, into: &row, now: now)
      let token =
        needsToken ? newToken(for: row, TokenWish(), registration.origin, now: now) : nil
      var change = RegistryChange(workspace: id, isCreation: isCreation)
      change.reply = Reply(
        call: call,
        body: registryJSON.registered(
          row, token?.secret, wantsPush: registration.wantsPush
        ).bytes)
      if token != nil || row != before {
        change.record = audit(
          registration.origin.by, .workspaceRegister, .workspace(id),
          detail(of: registration, token), now: now)
      }
      settle(row, token, change, isChanged: row != before, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  private func checkRoom(
    forCardOf registration: Registration, in row: RegisteredWorkspace
  ) throws(RelayError) {
    let card = registration.cardBytes.isEmpty ? row.card.count : registration.cardBytes.count
    let url = registration.url.isEmpty ? row.url.utf8.count : registration.url.utf8.count
    try checkRoom(forCard: card + url, in: row)
  }

  /// Whether a card of so many bytes may take the place of the row's. What is on its way counts.
  func checkRoom(
    forCard bytes: Int, in row: RegisteredWorkspace
  ) throws(RelayError) {
    guard bytes > row.cardBytes else { return }
    var all = bytes - row.cardBytes + directory.uses.cardBytes
    var own = bytes - row.cardBytes + directory.uses[row.org].cardBytes
    for coming in rowsOnTheirWay.values {
      let more = coming.row.cardBytes - (directory.workspace(coming.row.id)?.row.cardBytes ?? 0)
      all += more
      if coming.row.org == row.org { own += more }
    }
    guard all <= limits.cardsBytesMax, own <= limits.cardsPerOrgBytesMax
    else { throw .cardsFull }
  }

  /// Writes the row, and wakes what waits for the agent.
  private func settle(
    _ row: RegisteredWorkspace, _ token: NewToken?, _ change: RegistryChange, isChanged: Bool,
    now: Now
  ) {
    var change = change
    if let token {
      give(token, to: row, change, now: now)
    } else if !isChanged {
      if let reply = change.reply { answer(reply, about: [row.id]) }
    } else {
      registryBatch.append(.updateWorkspace(row))
      change.apply = { $0.put(row) }
      write(row, change)
    }
    signOfLife(row.id, now: now)
    guard let desk = desks[row.id], desk.failure == nil else { return }
    touch(desk)
    desk.queue.agentRestarted(now: now)
    carryOut(desk, now: now)
  }

  private func take(
    _ registration: Registration, into row: inout RegisteredWorkspace, now: Now
  ) {
    // The same card again is no change, and leaves no trace.
    if !registration.cardBytes.isEmpty, registration.cardBytes != row.card {
      row.card = registration.cardBytes
      var settings = Settings(ofRow: row)
      settings.cardAt = now.wall
      row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
      if row.name.isEmpty { row.name = name(of: registration.card) }
    }
    if !registration.url.isEmpty { row.url = registration.url }
  }

  private func detail(of registration: Registration, _ token: NewToken?) -> String {
    let origin = registration.origin
    var words = token.map { ["token \($0.row.fingerprint)"] } ?? ["card"]
    if !origin.from.isEmpty { words.append("from \(origin.from)") }
    if !origin.via.isEmpty { words.append("via \(origin.via)") }
    return words.joined(separator: " ")
  }

  /// The org of a workspace that registration makes: in mode `open`, for an unknown id.
  private func orgOfUnknown(
    _ id: WorkspaceID, _ identity: Identity?, _ mode: RegistrationMode
  ) throws(RelayError) -> String {
    guard mode == .open, rowsOnTheirWay[id] == nil, directory.removed[id] == nil else {
      switch identity {
      case .admin, .org: throw .notFound
      case .workspace, .anonymous, nil: throw .unauthorized
      }
    }
    switch identity {
    case nil, .admin: return Self.org
    case .org(let org, let scopes) where scopes.contains(.admin): return org
    case .org: throw .notFound
    case .workspace, .anonymous: throw .unauthorized
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
    let id = record.row.id
    switch identity {
    case .workspace(let own) where own == id: return false
    case .admin: break
    case .org(let org, let scopes):
      guard org == record.row.org, scopes.contains(.admin) else { throw .notFound }
    case nil:
      guard try mayClaim(record, mode, now: now) else { throw .unauthorized }
    case .workspace, .anonymous: throw .unauthorized
    }
    try checkRoom(.workspace(id), ending: [], now: now)
    return true
  }

  /// Without a bearer: once, soon after its making, and only while there is nothing in it to read.
  private func mayClaim(
    _ record: WorkspaceRecord, _ mode: RegistrationMode, now: Now
  ) throws(RelayError) -> Bool {
    let id = record.row.id
    guard mode != .closed, newestRow(id)?.claimedAt == nil,
      record.row.createdAt + limits.claimWindow > credentialTime(now), !hasSecrets(id)
    else { return false }
    return try desk(id, now: now).queue.lastSeq == 0
  }

  // MARK: what is shown

  /// When what the card is made from was written last.
  package func cardTime(_ id: WorkspaceID) -> WallTime? {
    directory.workspace(id).map { $0.settings.cardAt ?? $0.row.createdAt }
  }

  /// The card that callers get, made once for each registration.
  package func card(_ id: WorkspaceID) -> (bytes: [UInt8], etag: String)? {
    guard let record = directory.workspace(id) else { return nil }
    if let card = directory.made[id] { return card }
    // It was counted when it came.
    let registered = try? JSON(parsing: record.row.card, valuesMax: .max)
    let bytes = AgentCard.synthesize(
      registered: registered,
      workspaceName: record.row.name.isEmpty ? id.text : record.row.name,
      base: registryJSON.base(id),
      relayKeyScheme: record.settings.callers == .relay, relayVersion: RelayVersion.text)
    let etag = "\"" + SHA256.hash(bytes).hex + "\""
    directory.made.keep((bytes, etag), of: id, bytesMax: limits.madeCardsBytesMax)
    return (bytes, etag)
  }
}
