package import Relay
import System
import Wire

/// Changes an existing workspace, its card, and its place in the hierarchy.
extension RegisteredWorkspaces {
  package func change(
    _ call: CallID, _ id: WorkspaceID, _ wish: WorkspaceChange, actor: String, now: Now
  ) {
    // A pending write may have changed other columns of the row.
    guard var row = journal.newestRow(id) else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    if let parent = wish.parent {
      if let parent, let misfit = misfit(of: row, below: parent) {
        return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
      }
      row.parent = parent
    }
    var settings = Settings(ofRow: row)
    let before = settings.callers
    settings.change(wish.settings)
    let isRenamed = wish.name != nil && wish.name != row.name
    if let name = wish.name { row.name = name }
    // The card shows the name and who may call, and its readers ask whether it is newer.
    if isRenamed || settings.callers != before { settings.cardAt = now.wall }
    row.settings = settings.stored
    put(
      row,
      AuditEntry(
        at: now.wall, actor: actor, action: .workspaceChange, target: .workspace(id),
        detail: wish.detail),
      Reply(call: call, .workspace(row, lastSeen: directory.workspace(id)?.lastSeen)))
  }

  private func put(_ row: RegisteredWorkspace, _ line: AuditEntry, _ reply: Reply) {
    var change = RegistryChange(reply: reply)
    change.update(row)
    change.audit(line)
    change.apply = { $0.put(row) }
    journal.submit(change)
  }

  // MARK: pause

  /// Stops all deliveries. Leases continue, and sends are stored unless `refusesSends`. The pause
  /// is a setting: it survives restarts until `resume`.
  package func pause(
    _ operation: Operation, at id: WorkspaceID, refusesSends: Bool, now: Now
  ) {
    setPause(operation, at: id, isPaused: true, refusesSends: refusesSends, now: now)
  }

  package func resume(_ operation: Operation, at id: WorkspaceID, now: Now) {
    setPause(operation, at: id, isPaused: false, refusesSends: false, now: now)
  }

  private func setPause(
    _ operation: Operation, at id: WorkspaceID, isPaused: Bool, refusesSends: Bool, now: Now
  ) {
    guard let record = directory.workspace(id) else {
      return replies.send(Reply(call: operation.call, error: .notFound))
    }
    var row = journal.rows[id] ?? record.row
    var settings = Settings(ofRow: row)
    settings.isPaused = isPaused
    settings.refusesSends = refusesSends
    row.settings = settings.stored
    put(
      row,
      AuditEntry(
        at: now.wall, actor: operation.actor,
        action: isPaused ? .workspacePause : .workspaceResume, target: .workspace(id),
        detail: refusesSends ? "sends=refuse" : ""),
      Reply(call: operation.call, .paused(isPaused, refusesSends: refusesSends)))
  }

  // MARK: cards

  /// Replaces the card of an agent that has registered already.
  package func updateCard(
    _ call: CallID, _ card: [UInt8], of id: WorkspaceID, actor: String, now: Now
  ) {
    guard var row = journal.newestRow(id) else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    let reply = Reply(call: call, .cardUpdated)
    // An equal card changes nothing and leaves no trace.
    guard row.card != card else { return journal.answer(reply, about: [id]) }
    do throws(RelayError) {
      try checkRoom(forCard: card.count + row.url.utf8.count, in: row)
    } catch {
      return replies.send(Reply(call: call, error: error))
    }
    set(card, in: &row, now: now)
    put(
      row,
      AuditEntry(at: now.wall, actor: actor, action: .cardUpdate, target: .workspace(id)), reply)
  }

  func set(_ card: [UInt8], in row: inout RegisteredWorkspace, now: Now) {
    row.card = card
    var settings = Settings(ofRow: row)
    settings.cardAt = now.wall
    row.settings = settings.stored
  }

  func checkRoom(
    forCardOf registration: Registration, in row: RegisteredWorkspace
  ) throws(RelayError) {
    let card = registration.cardBytes.isEmpty ? row.card.count : registration.cardBytes.count
    let url = registration.url.isEmpty ? row.url.utf8.count : registration.url.utf8.count
    try checkRoom(forCard: card + url, in: row)
  }

  /// Throws if a card of this size may not replace the row's card. Pending rows count.
  func checkRoom(forCard bytes: Int, in row: RegisteredWorkspace) throws(RelayError) {
    guard bytes > row.cardBytes else { return }
    var all = bytes - row.cardBytes + directory.uses.cardBytes
    var own = bytes - row.cardBytes + directory.uses[row.org].cardBytes
    for coming in journal.rows.all {
      let more = coming.cardBytes - (directory.workspace(coming.id)?.row.cardBytes ?? 0)
      all += more
      if coming.org == row.org { own += more }
    }
    guard all <= limits.cardsBytesMax, own <= limits.cardsPerOrgBytesMax
    else { throw .cardsFull }
  }

  /// Returns the time of the last write of the data that the card is made from.
  package func cardTime(_ id: WorkspaceID) -> WallTime? {
    directory.workspace(id).map { $0.settings.cardAt ?? $0.row.createdAt }
  }

  /// Returns the card that callers get, rendered once for each registration.
  package func card(_ id: WorkspaceID) -> (bytes: [UInt8], etag: String)? {
    guard let record = directory.workspace(id) else { return nil }
    if let card = directory.made[id] { return card }
    let bytes = AgentCard.synthesize(
      registered: record.row.card,
      workspaceName: record.row.name.isEmpty ? id.text : record.row.name,
      base: urls.callers(of: id),
      relayKeyScheme: record.settings.callers == .relay, relayVersion: RelayVersion.text)
    let etag = "\"" + SHA256.hash(bytes).hex + "\""
    journal.directory.made.keep((bytes, etag), of: id, bytesMax: limits.madeCardsBytesMax)
    return (bytes, etag)
  }

  // MARK: the hierarchy

  /// The hierarchy of the durable rows, as callers see it.
  package var hierarchy: Hierarchy {
    Hierarchy(depthMax: limits.hierarchyDepthMax) { [unowned self] id in
      directory.workspace(id)?.row.parent
    }
  }

  /// Returns why a workspace may not stand below another, for the operator; `nil` if it may.
  /// Pending changes count, so that two changes in one turn cannot form a circle.
  func misfit(of row: RegisteredWorkspace, below parent: WorkspaceID) -> String? {
    guard let upper = journal.newestRow(parent), upper.org == row.org, upper.state == .active
    else { return "parent_id: there is no such workspace in this org" }
    let hierarchy = Hierarchy(depthMax: limits.hierarchyDepthMax) { [unowned self] id in
      journal.newestRow(id)?.parent
    }
    switch hierarchy.misfit(of: row.id, below: parent, children: newestChildren) {
    case nil: return nil
    case .cycle: return "parent_id: the workspace would stand below itself"
    case .tooDeep:
      return "parent_id: the hierarchy would be deeper than \(limits.hierarchyDepthMax)"
    }
  }

  /// Returns why a restored or imported workspace may not stand below the parent in its row. A
  /// parent that does not exist is no obstacle.
  func misfit(ofReturning row: RegisteredWorkspace) -> String? {
    guard let parent = row.parent, journal.newestRow(parent) != nil else { return nil }
    return misfit(of: row, below: parent)
  }

  /// Returns the workspaces directly below this one as of all pending changes, without those that
  /// are being removed.
  func newestChildren(of id: WorkspaceID) -> [WorkspaceID] {
    let coming = journal.rows.all.filter { row in
      row.parent == id && row.state == .active && directory.workspace(row.id)?.row.parent != id
    }
    return directory.children(of: id).filter { journal.newestRow($0)?.parent == id }
      + coming.map(\.id)
  }
}
