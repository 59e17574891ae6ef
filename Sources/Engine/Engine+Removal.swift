import Relay
import Store
import System
import Wire

/// What the end of a workspace means for its queue and its file; the registry says when.
extension Engine {
  /// A part of the messages of one removed workspace ends in this turn.
  func closeRemoved(now: Now) {
    let removals = registry.removals
    guard let id = removals.nextToClose, !isBarrierBusy(with: id),
      sweepList.takeStep(now: now.instant, pause: limits.sweepInterval)
    else { return }
    guard directory.removed[id]?.row.state == .removed, !unopenable.contains(id) else {
      return removals.closed()
    }
    let desk: Desk
    do throws(RelayError) { desk = try self.desk(id, evenRemoved: true, now: now) } catch {
      // Without its file there is nothing to end; `unopenable` says so. Otherwise it comes again.
      if error != .tooManyOpen { removals.closed() }
      return
    }
    guard desk.isToBeClosed else { return removals.closed() }
    stopJobs(desk, now: now)
    desk.queue.closeSome(nextCall(), most: limits.roundOperationsMax / 4, now: now)
    carryOut(desk, now: now)
  }

  func workspaceRemoved(_ row: RegisteredWorkspace) {
    if let desk = desks[row.id], desk.failure == nil { endWaiting(desk, row) }
    alarms.put(nil, row.id)
  }

  /// Answers whoever waits.
  private func endWaiting(_ desk: Desk, _ row: RegisteredWorkspace) {
    touch(desk)
    // What is read in many turns comes to nothing.
    for scan in desk.scans {
      desk.open[scan.call] = nil
      replies.send(Reply(call: scan.call, error: .workspaceRemoved))
    }
    desk.scans = []
    for poll in desk.queue.abandonPolls(now: turnNow) {
      desk.open[poll] = nil
      let members = registry.json.agentMembers(row.id, row.leftAt)
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

  func isBarrierBusy(with id: WorkspaceID) -> Bool {
    desks[id]?.transaction.rounds.isEmpty == false
  }

  func releaseFile(of id: WorkspaceID) -> Bool {
    guard let desk = desks[id] else { return true }
    if desk.failure == nil {
      giveUp(
        desk,
        StoreError(kind: .other, call: "purge", path: data.path(of: id), message: "purged"))
    }
    guard desk.transaction.rounds.isEmpty else { return false }
    abandonFile(desk)
    desks[id] = nil
    alarms.put(nil, id)
    return true
  }

  func fileDeleted(_ id: WorkspaceID) { progressToNote.files[id] = nil }

  func forgetFile(of id: WorkspaceID) {
    unopenable.remove(id)
    lastKnown.forget(id)
    _ = receipts.take(id)
  }
}

extension Desk {
  /// Something of it has no end yet that a removal has to give it.
  var isToBeClosed: Bool { queue.isOpen || !jobs.isEmpty }
}
