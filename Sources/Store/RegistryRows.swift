package import Relay

extension RegistryFile {
  /// Reads the whole registry, for the copy in memory.
  package func load() throws(StoreError) -> RegistrySnapshot {
    var snapshot = RegistrySnapshot()
    var org = try statement(.orgs)
    defer { org.reset() }
    while try org.step() {
      snapshot.orgs.append(RegisteredOrg(id: org.text(0), name: org.text(1)))
    }
    var workspace = try statement(.workspaces)
    defer { workspace.reset() }
    while try workspace.step() { snapshot.workspaces.append(try workspace.workspace()) }
    var token = try statement(.tokens)
    defer { token.reset() }
    while try token.step() { snapshot.tokens.append(try token.token()) }
    snapshot.secrets = try secrets()
    return snapshot
  }

  /// Returns what the files held that were not written since.
  package func depths() throws(StoreError) -> [(id: WorkspaceID, depth: QueueDepth)] {
    var row = try statement(.depths)
    defer { row.reset() }
    var found: [(id: WorkspaceID, depth: QueueDepth)] = []
    while try row.step() { found.append((WorkspaceID(row.uuid(0)), try row.depth())) }
    return found
  }

  /// The newest entries below `id`, newest first.
  package func audit(before id: Int64 = .max, limit: Int) throws(StoreError) -> [AuditEntry] {
    var row = try statement(.audit)
    defer { row.reset() }
    row.add(id)
    row.add(limit)
    var entries = [AuditEntry]()
    while try row.step() {
      entries.append(
        AuditEntry(
          id: row.int(0), at: row.time(1), actor: row.text(2), action: row.text(3),
          target: row.text(4), detail: row.text(5)))
    }
    return entries
  }

  func apply(_ write: RegistryWrite) throws(StoreError) {
    switch write {
    case .createOrg(let org):
      var row = try statement(.insertOrg)
      row.add(org.id)
      row.add(org.name)
      try row.run()
    case .createWorkspace(let workspace):
      // Of one that was purged, and had the same id.
      try deleteTokens(of: workspace.id)
      var row = try statement(.insertWorkspace)
      row.add(workspace)
      try row.run()
      try put(WorkspacePulse(workspace))
    case .updateWorkspace(let workspace):
      var row = try statement(.updateWorkspace)
      row.add(workspace)
      try row.runOnOneRow("updateWorkspace")
    case .deleteWorkspace(let id, let ended):
      var row = try statement(.deleteWorkspace)
      row.add(id.bytes)
      try row.runOnOneRow("deleteWorkspace")
      var secrets = try statement(.deleteSecrets)
      secrets.add(id.bytes)
      try secrets.run()
      var pulse = try statement(.deletePulse)
      pulse.add(id.bytes)
      try pulse.run()
      try forgetProgress(of: id)
      try deleteTokens(of: id, but: ended)
    case .pulses(let pulses): for pulse in pulses { try put(pulse) }
    case .addToken(let token):
      var row = try statement(.insertToken)
      row.add(token)
      try row.run()
    case .revokeTokens(let id, let at):
      var row = try statement(.revokeTokens)
      row.add(at)
      row.add(id.bytes)
      try row.run()
    case .revokeToken(let hash, let at): try stamp(.revokeToken, hash, at, "revokeToken")
    case .expireToken(let hash, let at): try stamp(.expireToken, hash, at, "expireToken")
    case .touchTokens(let uses):
      for use in uses {
        var row = try statement(.touchToken)
        row.add(use.at)
        row.add(use.hash)
        try row.run()
      }
    case .deleteToken(let hash):
      var row = try statement(.deleteToken)
      row.add(hash)
      try row.run()
    case .putSecret(let secret): try put(secret)
    case .deleteSecret(let id, let key): try deleteSecret(id, key)
    case .audit(let entry): try insert(entry)
    case .trimAudit(let before, let keep, let rows):
      var row = try statement(.trimAudit)
      row.add(rows)
      row.add(keep)
      row.add(before ?? WallTime(nanoseconds: .min))
      try row.run()
    case .probe(let at):
      var row = try statement(.writeMeta)
      row.add("probe")
      row.add(at)
      try row.run()
    case .clock(let record): try put(record)
    case .progress(let noted): for (id, progress) in noted { try note(progress, of: id) }
    case .insertRows(let rows): for row in rows { try insert(row) }
    }
  }

  private func deleteTokens(
    of id: WorkspaceID, but ended: WallTime? = nil
  ) throws(StoreError) {
    var row = try statement(.deleteTokens)
    row.add(id.bytes)
    row.add(ended)
    try row.run()
  }

  private func put(_ pulse: WorkspacePulse) throws(StoreError) {
    var row = try statement(.writePulse)
    row.add(pulse.id.bytes)
    row.add(pulse.nextWakeAt)
    row.add(pulse.lastSeenAt)
    row.add(pulse.depth)
    try row.run()
  }

  private func stamp(
    _ sql: RegistrySQL, _ hash: [UInt8], _ at: WallTime, _ call: String
  ) throws(StoreError) {
    var row = try statement(sql)
    row.add(at)
    row.add(hash)
    try row.runOnOneRow(call)
  }

  private func insert(_ entry: AuditEntry) throws(StoreError) {
    var row = try statement(.insertAudit)
    row.add(entry.at)
    row.add(entry.actor)
    row.add(entry.action)
    row.add(entry.target)
    row.add(entry.detail)
    try row.run()
  }
}

extension Statement {
  /// The columns of `insertWorkspace` and `updateWorkspace`: the id comes last.
  fileprivate mutating func add(_ workspace: RegisteredWorkspace) {
    add(workspace.name)
    add(workspace.org)
    add(workspace.createdAt)
    add(workspace.card)
    add(workspace.url)
    add(workspace.settings)
    add(workspace.state.rawValue)
    add(workspace.removedAt)
    add(workspace.parent?.bytes)
    add(workspace.claimedAt)
    add(workspace.claim)
    add(workspace.id.bytes)
  }

  fileprivate func workspace() throws(StoreError) -> RegisteredWorkspace {
    guard let state = RegisteredWorkspace.State(rawValue: byte(7)) else {
      throw damaged("workspace.state")
    }
    var workspace = RegisteredWorkspace(
      id: WorkspaceID(uuid(0)), name: text(1), org: text(2), createdAt: time(3), card: bytes(4),
      url: text(5), settings: text(6), state: state, removedAt: timeOrNil(8),
      nextWakeAt: timeOrNil(9), lastSeenAt: timeOrNil(10),
      parent: isNull(11) ? nil : WorkspaceID(uuid(11)))
    workspace.claimedAt = timeOrNil(12)
    workspace.claim = origin(13)
    guard isUUID(0), isNull(11) || isUUID(11), workspace.isInRange else {
      throw damaged("id or time of a workspace")
    }
    return workspace
  }

  fileprivate mutating func add(_ depth: QueueDepth?) {
    guard let depth else {
      for _ in 0..<8 { add(nil as WallTime?) }
      return
    }
    for count in [
      depth.unanswered, depth.inFlight, depth.unreceived, depth.dead, depth.interrupted,
      depth.bytes,
    ] { add(count) }
    add(depth.oldestUnanswered)
    add(depth.oldestUnreceived)
  }

  /// Reads a depth from column 1 on, in the order of `add`.
  fileprivate func depth() throws(StoreError) -> QueueDepth {
    var depth = QueueDepth()
    depth.unanswered = Int(int(1))
    depth.inFlight = Int(int(2))
    depth.unreceived = Int(int(3))
    depth.dead = Int(int(4))
    depth.interrupted = Int(int(5))
    depth.bytes = Int(int(6))
    depth.oldestUnanswered = timeOrNil(7)
    depth.oldestUnreceived = timeOrNil(8)
    guard isUUID(0), depth.isInRange else { throw damaged("number or time of a pulse") }
    return depth
  }

  fileprivate mutating func add(_ token: RegisteredToken) {
    add(token.hash)
    add(token.workspace?.bytes)
    add(token.org)
    add(token.kind.rawValue)
    add(token.scopes.rawValue)
    add(token.createdAt)
    add(token.expiresAt)
    add(token.lastUsedAt)
    add(token.fingerprint)
    add(token.revokedAt)
    add(token.name)
    add(token.origin)
  }

  private mutating func add(_ origin: TokenOrigin) {
    add(origin.by)
    add(origin.from)
    add(origin.via)
  }

  /// Reads an origin from three columns, from `column` on.
  private func origin(_ column: Int32) -> TokenOrigin {
    TokenOrigin(by: text(column), from: text(column + 1), via: text(column + 2))
  }

  fileprivate func token() throws(StoreError) -> RegisteredToken {
    let hash = bytes(0)
    guard hash.count == 32 else { throw damaged("token.hash") }
    guard let kind = RegisteredToken.Kind(rawValue: byte(3)) else { throw damaged("token.kind") }
    let token = RegisteredToken(
      hash: hash, workspace: isNull(1) ? nil : WorkspaceID(uuid(1)), org: text(2), kind: kind,
      scopes: RegisteredToken.Scopes(rawValue: byte(4)), createdAt: time(5),
      expiresAt: timeOrNil(6), lastUsedAt: timeOrNil(7), fingerprint: text(8),
      revokedAt: timeOrNil(9), name: text(10), origin: origin(11))
    guard isNull(1) || isUUID(1), token.isInRange else { throw damaged("id or time of a token") }
    return token
  }
}
