package import Relay
import Store
import System
import Wire

/// A workspace that is removed: its messages are still being ended, or its file is to go.
struct Removed: Comparable {
  var at: WallTime
  var id: WorkspaceID
  static func < (left: Removed, right: Removed) -> Bool { left.at < right.at }
}

/// The end of a workspace. It happens in steps, each of which is durable before the next:
///
/// 1. The row says `removed`. From then on it is unknown, and its tokens are dead.
/// 2. Who waits for it is told, and its messages and tasks end, some hundred in a turn.
/// 3. After `removedKeep`, or when asked to, the row says `purging`. There is no way back.
/// 4. Its file is deleted, and then its row.
///
/// A relay that finds the row in one of these states at its start goes on from there.
extension Broker {
  /// - `reply`: to whoever asked; of a purge when the file has gone.
  func remove(_ row: RegisteredWorkspace, _ removal: Removal, reply: Reply?) {
    var row = row
    let id = row.id
    row.state = removal.purges ? .purging : .removed
    row.removedAt = row.removedAt ?? removal.now.wall
    // The credential is dead before the write is durable; whoever waits hears of it after.
    let undo = directory.remove(row)
    registryBatch.append(.updateWorkspace(row))
    registryBatch.append(.revokeTokens(of: id, at: removal.now.wall))
    if directory.removed[id]?.row.nextWakeAt != nil {
      directory.setWake(id, nil)
      marks.insert(id)
    }
    audit(
      removal.actor, removal.purges ? .workspacePurge : .workspaceRemove, .workspace(id),
      removal.detail, now: removal.now)
    if removal.purges { purgeCalls[id] = reply }
    let gone = row
    write(
      row,
      RegistryChange(
        workspace: id,
        reply: removal.purges ? nil : reply,
        refused: { broker, _ in
          guard let reply = broker.purgeCalls.removeValue(forKey: id) else { return }
          broker.replies.send(reply.failing(.notStored))
        },
        undo: { directory in if let undo { directory.undo(undo) } },
        then: { broker, _ in broker.removed(gone) }))
  }

  /// Its row is durable.
  private func removed(_ row: RegisteredWorkspace) {
    log.info(
      row.state == .purging ? "workspace_purging" : "workspace_removed",
      ["workspace": .text(row.id.text)])
    directory.confirmRemoval(row)
    for entry in directory.tokens.entries(of: .workspace(row.id)) { noteEnd(of: entry.row) }
    if let desk = desks[row.id], desk.failure == nil { tellRemoved(desk, row) }
    alarms.put(nil, row.id)
    if row.state == .purging { purging.append(row.id) } else { keepRemoved(row) }
  }

  private func keepRemoved(_ row: RegisteredWorkspace) {
    if row.nextWakeAt == nil || directory.removed[row.id]?.row.nextWakeAt == nil {
      closing.append(row.id)
    }
    removals.insert(Removed(at: row.leftAt + limits.removedKeep, id: row.id))
  }

  /// At the start.
  func setRemovals() {
    for (id, record) in directory.removed {
      if record.row.state == .purging { purging.append(id) } else { keepRemoved(record.row) }
    }
  }

  /// Whoever waits hears of it now.
  private func tellRemoved(_ desk: Desk, _ row: RegisteredWorkspace) {
    touch(desk)
    // What is read in many turns comes to nothing.
    for scan in desk.scans {
      desk.open[scan.call] = nil
      replies.send(Reply(call: scan.call, error: .workspaceRemoved))
    }
    desk.scans = []
    for poll in desk.queue.abandonPolls(now: turnNow) {
      desk.open[poll] = nil
      let members = registryJSON.agentMembers(row.id, row.leftAt)
      replies.send(Reply(call: poll, error: .workspaceRemoved, members: members))
    }
    for seq in Array(desk.waiters.keys) {
      for waiter in takeWaiters(seq, desk) {
        desk.queue.detach(seq)
        var reply = waiter.addressee.reply(.workspaceRemoved)
        if let message = desk.queue.message(seq) { reply.messageID = desk.messageID(message) }
        replies.send(reply)
      }
    }
    carryOut(desk, now: turnNow)
  }

  // MARK: messages

  /// A part of the messages of one removed workspace ends in this turn.
  func closeRemoved(now: Now) {
    guard let id = closing.first, desks[id]?.transaction.rounds.isEmpty != false,
      nextSweep <= now.instant
    else { return }
    nextSweep = now.instant + limits.sweepInterval
    guard directory.removed[id]?.row.state == .removed, !unopenable.contains(id) else {
      closing.removeFirst()
      return
    }
    let desk: Desk
    do throws(RelayError) { desk = try self.desk(id, evenRemoved: true, now: now) } catch {
      // Without its file there is nothing to end; `unopenable` says so. Otherwise it comes again.
      if error != .tooManyOpen { closing.removeFirst() }
      return
    }
    guard desk.isToBeClosed else {
      closing.removeFirst()
      return
    }
    stopJobs(desk, now: now)
    desk.queue.closeSome(nextCall(), most: limits.roundOperationsMax / 4, now: now)
    carryOut(desk, now: now)
  }

  // MARK: restore

  package func restoreWorkspace(_ call: CallID, _ id: WorkspaceID, actor: String, now: Now) {
    guard var row = directory.removed[id]?.row, row.state == .removed else {
      let error: RelayError = directory.workspace(id) == nil ? .notFound : .workspaceExists
      return replies.send(Reply(call: call, error: error))
    }
    // Its messages are still ending, or its removal is not durable: soon.
    guard !closing.contains(id), rowsOnTheirWay[id] == nil else {
      return replies.send(
        Reply(
          call: call, error: .notStored, detail: "the workspace is still being removed",
          members: [("removing", true)]))
    }
    // What has been moved since may stand in its way; one that is removed itself does not.
    if let parent = row.parent, newestRow(parent) != nil,
      let misfit = misfit(of: row, below: parent)
    {
      return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
    }
    row.state = .active
    row.removedAt = nil
    registryBatch.append(.updateWorkspace(row))
    audit(actor, .workspaceRestore, .workspace(id), now: now)
    let restored = row
    write(
      row,
      RegistryChange(
        workspace: id,
        apply: { [log] directory in
          directory.restore(restored)
          log.info("workspace_restored", ["workspace": .text(id.text)])
        },
        reply: Reply(call: call, body: registryJSON.workspace(row, lastSeen: nil).bytes),
        then: { broker, now in
          if let row = broker.directory.workspace(id)?.row { broker.setAlarm(row, now: now) }
        }))
  }
}

extension Desk {
  /// Something of it has no end yet that a removal has to give it.
  var isToBeClosed: Bool { queue.isOpen || !jobs.isEmpty }
}
