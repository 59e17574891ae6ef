package import Relay
import Store
import System
import Wire

/// Makes, registers and changes workspaces. See `Removals` for their end.
package final class RegisteredWorkspaces {
  let journal: RegistryJournal
  let tokens: RegisteredTokens
  let replies: Replies
  let limits: Limits
  private let secrets: RegisteredSecrets
  private let data: DataDirectory
  private let diskGuard: DiskGuard
  private let random: Random
  let urls: PublicURLs

  init(
    _ journal: RegistryJournal, _ tokens: RegisteredTokens, _ secrets: RegisteredSecrets,
    data: DataDirectory, _ diskGuard: DiskGuard, _ replies: Replies, _ limits: Limits,
    _ random: Random, _ urls: PublicURLs
  ) {
    self.journal = journal
    self.tokens = tokens
    self.secrets = secrets
    self.data = data
    self.diskGuard = diskGuard
    self.replies = replies
    self.limits = limits
    self.random = random
    self.urls = urls
  }

  var host: any RegistryHost { journal.host }
  var directory: Directory { _read { yield journal.directory } }

  // MARK: making

  /// Makes a workspace.
  ///
  /// - `parent`: checked against the hierarchy, as in `change`.
  package func create(
    _ call: CallID, id: WorkspaceID?, name: String, settings: Settings,
    org: String = Registry.defaultOrg, parent: WorkspaceID? = nil, actor: String = "operator",
    now: Now
  ) {
    let id = id ?? WorkspaceID(random: random.next(), random.next())
    do throws(RelayError) {
      let blank = RegisteredWorkspace(
        id: id, name: name, org: org, createdAt: now.wall,
        settings: settings.stored, nextWakeAt: .never,
        parent: parent)
      if let parent, let misfit = misfit(of: blank, below: parent) {
        return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
      }
      try makeFile(of: blank, now: now)
      var change = RegistryChange()
      change.create(blank)
      change.audit(
        AuditEntry(
          at: now.wall, actor: actor, action: .workspaceCreate, target: .workspace(id),
          detail: "org \(org)"))
      change.apply = { $0.put(blank) }
      change.reply = Reply(call: call, .workspaceCreated(blank))
      journal.submit(change)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// Returns why no workspace can be made under this id; `nil` if one can.
  func refusal(ofNew id: WorkspaceID) -> RelayError? {
    if directory.removed[id] != nil { return .workspaceRemoved }
    if directory.workspace(id) != nil || journal.rows[id] != nil { return .workspaceExists }
    let count = directory.workspaces.count + directory.removed.count
    return count < limits.workspacesMax ? nil : .workspacesFull
  }

  /// Makes the workspace's durable file, before the row is written.
  private func makeFile(of row: RegisteredWorkspace, now: Now) throws(RelayError) {
    let id = row.id
    if let error = refusal(ofNew: id) { throw error }
    let coming = journal.rows.all.count {
      $0.org == row.org && !directory.isThere($0.id)
    }
    guard directory.uses[row.org].workspaces + coming < limits.workspacesPerOrgMax
    else { throw .workspacesFull }
    if diskGuard.isLow { throw .diskFull }
    if diskGuard.isOutOfInodes { throw .inodesUsedUp }
    do throws(StoreError) {
      try data.createWorkspaceFile(id, now: now.wall).close()
    } catch {
      host.failed(error, workspace: id)
      if error.kind == .full {
        diskGuard.look()
        throw diskGuard.isOutOfInodes ? .inodesUsedUp : .diskFull
      }
      // The file of this id holds messages without a row.
      if error.kind == .taken { throw .workspaceExists }
      throw error.isFinalForProcess ? .outcomeUnknown : .notStored
    }
    host.forgetFile(of: id)
    journal.directory.forgetTokens(ofPurged: id)
  }

  /// Adds a workspace that another relay had, whose durable file is in place.
  ///
  /// - `then`: called once its rows are durable.
  func insert(
    _ row: RegisteredWorkspace, _ rows: [RegistryRow], of found: RegistrySnapshot,
    reply: Reply, actor: String, now: Now, then: @escaping () -> Void
  ) {
    host.forgetFile(of: row.id)
    var change = RegistryChange(reply: reply)
    change.insert(rows, of: row)
    change.audit(
      AuditEntry(
        at: now.wall, actor: actor, action: .workspaceImport, target: .workspace(row.id)),
      isLogged: false)
    change.apply = { directory in
      for org in found.orgs where directory.orgs[org.id] == nil { directory.put(org) }
      directory.put(row)
      for token in found.tokens { directory.add(token) }
      for secret in found.secrets { directory.secrets.put(secret) }
    }
    change.then = { [unowned tokens] _ in
      then()
      for token in found.tokens { tokens.noteEnd(of: token) }
    }
    journal.submit(change)
  }

  // MARK: registration

  /// Throws the error that `register` would, as far as the id and the credential determine it.
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
      var change = RegistryChange(about: id)
      if let record = directory.workspace(id) {
        needsToken = try mayRegister(record, identity, mode, now: now)
        // A pending registration may have replaced the card.
        row = journal.newestRow(id) ?? record.row
        try checkRoom(forCardOf: registration, in: row)
      } else {
        let org = try orgOfUnknown(id, identity, mode)
        row = RegisteredWorkspace(
          id: id, name: "", org: org, createdAt: now.wall,
          settings: Settings().stored, nextWakeAt: .never)
        try checkRoom(forCardOf: registration, in: row)
        try makeFile(of: row, now: now)
        change.create(row)
      }
      let before = row
      take(registration, into: &row, now: now)
      let token =
        needsToken ? tokens.new(for: row, TokenWish(), registration.origin, now: now) : nil
      for write in token?.writes ?? [] { change.write(write) }
      change.reply = Reply(
        call: call,
        .registered(row, secret: token?.secret, wantsPush: registration.wantsPush))
      if token != nil || row != before {
        change.audit(
          AuditEntry(
            at: now.wall, actor: registration.origin.by, action: .workspaceRegister,
            target: .workspace(id), detail: registration.detail(token)))
      }
      submit(row, token, change, isChanged: row != before, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// Submits the row. When it is durable, waiting messages are offered to the agent.
  private func submit(
    _ row: RegisteredWorkspace, _ token: NewToken?, _ change: RegistryChange, isChanged: Bool,
    now: Now
  ) {
    if let token {
      tokens.give(token, to: row, change, now: now)
    } else if isChanged {
      var change = change
      change.update(row)
      change.apply = { $0.put(row) }
      journal.submit(change)
    } else if let reply = change.reply {
      journal.answer(reply, about: [row.id])
    }
    journal.seen(row.id, now: now)
    host.agentRegistered(row.id, now: now)
  }

  private func take(
    _ registration: Registration, into row: inout RegisteredWorkspace, now: Now
  ) {
    // An equal card changes nothing and leaves no trace.
    if !registration.cardBytes.isEmpty, registration.cardBytes != row.card {
      set(registration.cardBytes, in: &row, now: now)
      if row.name.isEmpty, registration.cardName.utf8.count <= limits.nameBytesMax {
        row.name = registration.cardName
      }
    }
    if !registration.url.isEmpty { row.url = registration.url }
  }

  /// Returns the org of a workspace that a registration makes: in mode `open`, for an unknown id.
  private func orgOfUnknown(
    _ id: WorkspaceID, _ identity: Identity?, _ mode: RegistrationMode
  ) throws(RelayError) -> String {
    guard mode == .open, journal.rows[id] == nil, directory.removed[id] == nil else {
      switch identity {
      case .admin, .org: throw .notFound
      case .workspace, .anonymous, nil: throw .unauthorized
      }
    }
    switch identity {
    case nil, .admin: return Registry.defaultOrg
    case .org(let org, let scopes) where scopes.contains(.admin): return org
    case .org: throw .notFound
    case .workspace, .anonymous: throw .unauthorized
    }
  }

  /// Returns whether the response carries a new token. Throws if the identity may not register.
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
    try tokens.checkRoom(.workspace(id), now: now)
    return true
  }

  /// Throws unless the workspace may be claimed without a bearer: once, soon after its creation,
  /// and only while it holds nothing to read.
  private func mayClaim(
    _ record: WorkspaceRecord, _ mode: RegistrationMode, now: Now
  ) throws(RelayError) -> Bool {
    let id = record.row.id
    guard mode != .closed, journal.newestRow(id)?.claimedAt == nil,
      record.row.createdAt + limits.claimWindow > host.credentialTime(now),
      !secrets.areThere(for: id)
    else { return false }
    return try !host.hasHadMessage(id, now: now)
  }
}
