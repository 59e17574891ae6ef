package import Relay
import System

/// What happens because time has passed.
extension Engine {
  /// Returns the earliest instant at which an owner has something to do.
  package func nextDeadline() -> Instant? {
    // What was deferred, or a refused commit has led to, is for the next turn, which comes at once.
    if replies.hasDeferred { return Instant(nanoseconds: 0) }
    let owners = [
      turnDue, heldCallers.nextDue, alarms.next(), sweepDue, closingDue,
      fileWaiters.nextDue(now: turnNow.instant),
      registryDue, readyProbe.nextDue, archives.nextDue, retentionTurns.nextDue(retentionPlace),
    ]
    var earliest = Instant.distantFuture
    for case let due? in owners { earliest = min(earliest, due) }
    return earliest == .distantFuture ? nil : earliest
  }

  /// When the workspaces of the next turn have something to do.
  private var turnDue: Instant? {
    var earliest = Instant.distantFuture
    for desk in touched {
      if desk.hasTurnWork || desk.wantsSync || desk.blockedUntil != nil {
        let due = desk.blockedUntil ?? desk.waitsSince.map { $0 + limits.commitWaitMax }
        earliest = min(earliest, due ?? Instant(nanoseconds: 0))
      }
      // Its alarm is set when its turn ends.
      if let due = desk.due { earliest = min(earliest, due) }
    }
    return earliest
  }

  private var sweepDue: Instant? { sweepList.isEmpty || isShuttingDown ? nil : sweepList.nextStep }

  /// A workspace that waits for a round of its own goes on when the barrier reports.
  private var closingDue: Instant? {
    guard let id = registry.removals.nextToClose, !isShuttingDown, !isBarrierBusy(with: id)
    else { return nil }
    return sweepList.nextStep
  }

  private var registryDue: Instant {
    registry.nextDue(turnNow, doubtfulUntil: clocks.doubtfulUntil)
  }

  package func tick(now: Now) {
    turnNow = now
    replies.makeDeferred(now: now)
    tickProbe(now: now)
    registry.tokens.tick(now: now)
    fileWaiters.serve(now: now)
    retireFiles()
    while let id = alarms.popDue(now.instant) {
      if let desk = desks[id] { wake(desk, now: now) } else { sweepList.add(id) }
    }
    scanOnce(now: now)
    if !isShuttingDown {
      closeRemoved(now: now)
      sweep(now: now)
    }
    registry.removals.tick(now: now)
    while let hold = heldCallers.takeDue(now.instant) { holdEnded(hold, now: now) }
  }

  private func wake(_ desk: Desk, now: Now) {
    guard desk.failure == nil else { return }
    touch(desk)
    if let due = desk.retentionDue, due <= now.instant { retentionTurns.add(desk.id) }
    if let due = desk.nextStep, due <= now.instant { makeSteps(desk, now: now) }
    guard let due = desk.queue.nextDeadline, due <= now.instant else { return }
    if desk.queue.parkedCount > 0, desk.queue.unanswered > 0 {
      // What is handed out has to be read.
      do throws(RelayError) { try openFile(desk) } catch {
        if error == .tooManyOpen { alarms.put(now.instant + limits.pendingRetry, desk.id) }
        return
      }
    }
    desk.queue.tick(now: now)
    carryOut(desk, now: now)
  }

  // MARK: workspaces that are only files

  /// Opens workspaces in which something is due, one after the other, `sweepInterval` apart: they
  /// are many after a start, and nobody waits for them.
  private func sweep(now: Now) {
    guard !sweepList.isEmpty,
      sweepList.takeStep(now: now.instant, pause: limits.sweepInterval), let id = sweepList.first
    else { return }
    let isFailed = unopenable.contains(id) || desks[id]?.failure != nil
    if desks[id]?.isOpen != true, directory.workspace(id) != nil, !isFailed {
      do throws(RelayError) {
        let desk = try desk(id, now: now)
        // Nobody has asked for it: it is the first to be closed again.
        desk.isClosedNext = true
        desk.wantsSync = true
      } catch .tooManyOpen {
        return
      } catch {
        // It is in the log, and `unopenable` if that is for good.
      }
    }
    sweepList.advance()
  }

  /// At the start: those whose hint says when, and those that the relay had in use when it died.
  func setAlarms(_ now: Now) {
    for record in directory.workspaces.values { setAlarm(record.row, now: now) }
  }

  /// Of a workspace that is only a file.
  func setAlarm(_ row: RegisteredWorkspace, now: Now) {
    switch row.nextWakeAt {
    case nil: sweepList.add(row.id)
    case .never: break
    case .some(let at): alarms.put(now.instant(at: at), row.id)
    }
  }

  /// A desk leaves memory: what comes due in its file is remembered here, and in relay.db.
  func sleep(_ desk: Desk, now: Now) {
    lastKnown.remember(desk.id, desk.queue.depth)
    // A job that has not ended goes on with the next start.
    let due =
      desk.jobs.isEmpty
      ? [desk.queue.nextDeadline, desk.retentionDue].compactMap(\.self).min() : now.instant
    alarms.put(due, desk.id)
    if directory.removed[desk.id] != nil, desk.isToBeClosed {
      // What is left of its end is for the next start.
      registry.setWake(desk.id, nil)
      return registry.pulse(desk.id, now: now)
    }
    registry.setWake(desk.id, due.map { now.wall(at: $0) } ?? .never)
    registry.pulse(desk.id, now: now)
  }

  /// Before its first write something may come due in a file that relay.db calls idle.
  func mark(_ desk: Desk) {
    guard !desk.isMarked else { return }
    desk.isMarked = true
    guard directory.workspace(desk.id)?.row.nextWakeAt != nil else { return }
    registry.noteBusy(desk.id)
  }
}
