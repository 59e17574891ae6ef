package import Relay
import Store
import System
import Wire

/// A request to remove a workspace and everything below it.
struct Removal {
  var purges: Bool
  var actor: String
  /// The request's text in the audit.
  var detail = ""
  var now: Now
}

/// Removes workspaces in steps, each of which is durable before the next:
///
/// 1. The row becomes `removed`. From then on the workspace is unknown, and its tokens are dead.
/// 2. Everybody who waits for it is answered, and its messages and tasks end, some hundred in a
/// turn.
/// 3. After `removedKeep`, or on request, the row becomes `purging`, which is irreversible.
/// 4. Its file is deleted, and then its row.
///
/// A relay that finds a row in one of these states at its start continues from there.
package final class Removals {
  /// The time at which a removed workspace is purged, or a failed purge is tried again.
  private struct Timer: Comparable {
    var at: WallTime
    var id: WorkspaceID
    static func < (left: Timer, right: Timer) -> Bool { left.at < right.at }
  }

  private let journal: RegistryJournal
  private let workspaces: RegisteredWorkspaces
  private let tokens: RegisteredTokens
  private let data: DataDirectory
  private let replies: Replies
  private let limits: Limits
  private let log: Log
  /// The removed workspaces whose messages are to end.
  private var closing: [WorkspaceID] = []
  /// The workspaces whose file is to be deleted.
  private var purging: [WorkspaceID] = []
  private var timers = Heap<Timer>()
  /// The replies to operators whose purge is complete when the file is deleted.
  private var purgeReplies: [WorkspaceID: Reply] = [:]

  init(
    _ journal: RegistryJournal, _ workspaces: RegisteredWorkspaces, _ tokens: RegisteredTokens,
    data: DataDirectory, _ replies: Replies, _ limits: Limits, _ log: Log
  ) {
    self.journal = journal
    self.workspaces = workspaces
    self.tokens = tokens
    self.data = data
    self.replies = replies
    self.limits = limits
    self.log = log
  }

  private var host: any RegistryHost { journal.host }
  private var directory: Directory { _read { yield journal.directory } }

  /// Continues the removals that an earlier process has left.
  func start() {
    for (id, record) in directory.removed {
      if record.row.state == .purging { purging.append(id) } else { keep(record.row) }
    }
  }

  var isIdle: Bool { purgeReplies.isEmpty }

  /// The wall time of the next purge.
  var nextDue: WallTime? { timers.first?.at }

  /// Whether a file can be deleted now.
  var isReady: Bool { purging.first.map { !host.isBarrierBusy(with: $0) } ?? false }

  // MARK: removal

  /// Removes a workspace. Throws unless the operator has confirmed the removal of the workspaces
  /// below it. A subtree is removed as a whole, in one transaction, or not at all.
  ///
  /// - `isConfirmed`: the operator has confirmed the removal of the whole subtree.
  package func remove(
    _ call: CallID, _ id: WorkspaceID, purge: Bool, isConfirmed: Bool = false, actor: String,
    now: Now
  ) {
    do throws(RelayError) {
      let row = try removable(id, purge: purge)
      let children = workspaces.newestChildren(of: id)
      guard children.isEmpty || isConfirmed else {
        return journal.answer(
          Reply(
            call: call, error: .confirmationRequired,
            facts: .confirmation(children, atMost: limits.cascadeMax)),
          about: [id] + children)
      }
      guard let below = descendants(of: id) else {
        let detail = "more than \(limits.cascadeMax) stand below it; remove some of those first"
        return replies.send(Reply(call: call, error: .badRequest, detail: detail))
      }
      var rows: [RegisteredWorkspace] = []
      for id in below { rows.append(try removable(id, purge: purge)) }
      var removal = Removal(purges: purge, actor: actor, detail: "below \(id.text)", now: now)
      // The lowest go first, so that a purge is answered when the last file is deleted.
      for row in rows.reversed() { remove(row, removal, reply: nil) }
      removal.detail = below.isEmpty ? "" : "with \(below.count) below it"
      let answer: ReplyContent =
        purge
        ? .purged(row, below: below.count) : .removed(row, below: below.count, at: now.wall)
      remove(row, removal, reply: Reply(call: call, answer))
    } catch {
      journal.answer(Reply(call: call, error: error), about: [id])
    }
  }

  /// Returns the current row. Throws if the workspace cannot be removed.
  private func removable(
    _ id: WorkspaceID, purge: Bool
  ) throws(RelayError) -> RegisteredWorkspace {
    // A workspace that is being made does not count yet: its creation is not answered.
    guard let known = directory.workspace(id) ?? directory.removed[id] else {
      throw journal.rows[id] == nil ? .notFound : .notStored
    }
    let row = journal.rows[id] ?? known.row
    if row.state == .purging { throw .notFound }
    if host.isShuttingDown { throw .notStored }
    // The workspace is being restored.
    if row.state == .active, directory.removed[id] != nil { throw .notStored }
    if row.state == .removed, !purge { throw .workspaceRemoved }
    return row
  }

  /// Returns all workspaces below this one, parents before children; `nil` if they are too many for
  /// one turn.
  private func descendants(of id: WorkspaceID) -> [WorkspaceID]? {
    var found: [WorkspaceID] = []
    var level = workspaces.newestChildren(of: id)
    while !level.isEmpty {
      found += level
      guard found.count <= limits.cascadeMax else { return nil }
      level = level.flatMap(workspaces.newestChildren)
    }
    return found
  }

  /// Removes one workspace.
  ///
  /// - `reply`: the operator's reply; of a purge it leaves when the file is deleted.
  private func remove(_ row: RegisteredWorkspace, _ removal: Removal, reply: Reply?) {
    var row = row
    let id = row.id
    row.state = removal.purges ? .purging : .removed
    row.removedAt = row.removedAt ?? removal.now.wall
    let gone = row
    var change = RegistryChange(reply: removal.purges ? nil : reply)
    change.update(gone)
    change.write(.revokeTokens(of: id, at: removal.now.wall))
    change.audit(
      AuditEntry(
        at: removal.now.wall, actor: removal.actor,
        action: removal.purges ? .workspacePurge : .workspaceRemove, target: .workspace(id),
        detail: removal.detail),
      isLogged: false)
    // The credential is dead before the write is durable; everybody who waits is answered after it.
    let undo = journal.directory.remove(gone)
    if directory.removed[id]?.row.nextWakeAt != nil { journal.noteBusy(id) }
    if removal.purges { purgeReplies[id] = reply }
    change.refused = { [unowned self] _ in
      guard let reply = purgeReplies.removeValue(forKey: id) else { return }
      replies.send(reply.failing(.notStored))
    }
    change.undo = { directory in if let undo { directory.undo(undo) } }
    change.then = { [unowned self] _ in removed(gone) }
    journal.submit(change)
  }

  /// Continues after the row has become durable.
  private func removed(_ row: RegisteredWorkspace) {
    log.info(
      row.state == .purging ? "workspace_purging" : "workspace_removed",
      ["workspace": .text(row.id.text)])
    journal.directory.confirmRemoval(row)
    tokens.noteEnds(of: row.id)
    host.workspaceRemoved(row)
    if row.state == .purging { purging.append(row.id) } else { keep(row) }
  }

  private func keep(_ row: RegisteredWorkspace) {
    if row.nextWakeAt == nil || directory.removed[row.id]?.row.nextWakeAt == nil {
      closing.append(row.id)
    }
    timers.insert(Timer(at: row.leftAt + limits.removedKeep, id: row.id))
  }

  // MARK: messages

  /// The removed workspace whose messages end next, some of them in each turn.
  var nextToClose: WorkspaceID? { closing.first }

  /// Takes `nextToClose` off the list: all its messages have ended, or its file cannot be opened.
  func closed() { closing.removeFirst() }

  // MARK: restore

  package func restore(_ call: CallID, _ id: WorkspaceID, actor: String, now: Now) {
    guard var row = directory.removed[id]?.row, row.state == .removed else {
      let error: RelayError = directory.workspace(id) == nil ? .notFound : .workspaceExists
      return replies.send(Reply(call: call, error: error))
    }
    // The messages are still ending, or the removal is not durable: try again soon.
    guard !closing.contains(id), journal.rows[id] == nil else {
      return replies.send(
        Reply(
          call: call, error: .notStored, detail: "the workspace is still being removed",
          facts: .removing))
    }
    if let misfit = workspaces.misfit(ofReturning: row) {
      return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
    }
    row.state = .active
    row.removedAt = nil
    let restored = row
    var change = RegistryChange(
      reply: Reply(call: call, .workspace(restored, lastSeen: nil)))
    change.update(restored)
    change.audit(
      AuditEntry(at: now.wall, actor: actor, action: .workspaceRestore, target: .workspace(id)),
      isLogged: false)
    change.apply = { [log] directory in
      directory.restore(restored)
      log.info("workspace_restored", ["workspace": .text(id.text)])
    }
    change.then = { [unowned self] now in
      if let row = directory.workspace(id)?.row { host.workspaceRestored(row, now: now) }
    }
    journal.submit(change)
  }

  // MARK: purge

  /// Deletes at most one file in a turn, because that takes some milliseconds.
  func tick(now: Now) {
    if let next = timers.first, next.at <= now.wall {
      _ = timers.popFirst()
      // A clock in doubt purges nothing; a purge that an operator has requested goes on.
      if host.isTimeDoubtful(now), directory.removed[next.id]?.row.state == .removed {
        retry(next.id, now: now)
      } else {
        expire(next.id, now: now)
      }
    }
    guard let index = purging.firstIndex(where: { host.releaseFile(of: $0) }) else { return }
    let id = purging.remove(at: index)
    // The id may belong to a new workspace by now.
    guard directory.removed[id]?.row.state == .purging else { return }
    do throws(StoreError) {
      try data.deleteWorkspaceFile(id)
    } catch {
      host.failed(error, workspace: id)
      if let reply = purgeReplies.removeValue(forKey: id) {
        replies.send(reply.failing(.notStored))
      }
      return retry(id, now: now)
    }
    fileDeleted(id)
  }

  private func fileDeleted(_ id: WorkspaceID) {
    host.fileDeleted(id)
    let ended = directory.removed[id]?.row.leftAt
    let keepsTokens = directory.tokens.purgedCount < limits.purgedTokensMax
    var change = RegistryChange(
      [.deleteWorkspace(id, keepingTokensEnded: keepsTokens ? ended : nil)], about: id,
      reply: purgeReplies.removeValue(forKey: id))
    change.apply = { [log] directory in
      directory.forget(id, keepsTokens: keepsTokens)
      log.info("workspace_purged", ["workspace": .text(id.text)])
    }
    change.refused = { [unowned self] now in retry(id, now: now) }
    change.then = { [unowned self] _ in host.forgetFile(of: id) }
    journal.submit(change)
  }

  /// Tries the step that the row demands again in a minute; a restart would do it too.
  private func retry(_ id: WorkspaceID, now: Now) {
    timers.insert(Timer(at: now.wall + Limits.purgeRetry, id: id))
  }

  /// Purges a workspace that was kept for long enough, unless it has been restored.
  private func expire(_ id: WorkspaceID, now: Now) {
    guard var row = directory.removed[id]?.row else { return }
    if row.state == .purging {
      if !purging.contains(id), !journal.isPending(id) { purging.append(id) }
      return
    }
    guard row.state == .removed, let at = row.removedAt, at + limits.removedKeep <= now.wall
    else { return }
    // A pending restore may still be refused.
    guard journal.rows[id] == nil else { return retry(id, now: now) }
    row.state = .purging
    let purged = row
    var change = RegistryChange()
    change.update(purged)
    change.audit(
      AuditEntry(at: now.wall, actor: "relay", action: .workspacePurge, target: .workspace(id)),
      isLogged: false)
    let undo = journal.directory.remove(purged)
    change.refused = { [unowned self] now in retry(id, now: now) }
    change.undo = { directory in if let undo { directory.undo(undo) } }
    change.then = { [unowned self] _ in
      journal.directory.confirmRemoval(purged)
      purging.append(id)
    }
    journal.submit(change)
  }
}
