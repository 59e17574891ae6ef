import Relay

/// Carries out the timers of workspaces, in memory or closed.
extension WorkspacePool {
  /// Returns the earliest instant at which the pool has something to do.
  func nextDue(now: Now) -> Instant? {
    var earliest = Instant.distantFuture
    let dues = [
      alarms.next(), sweepDue, closingDue, fileWaiters.nextDue(now: now.instant),
      services.upkeep.retention.nextDue(retentionPlace),
    ]
    for case let due? in dues { earliest = min(earliest, due) }
    return earliest == .distantFuture ? nil : earliest
  }

  private var sweepDue: Instant? {
    sweepList.isEmpty || process.isShuttingDown ? nil : sweepList.nextStep
  }

  /// The instant at which the next removed workspace can go on. One that waits for its own commit
  /// round goes on at the barrier's report.
  private var closingDue: Instant? {
    guard let id = registry.removals.nextToClose, !process.isShuttingDown, !isBarrierBusy(with: id)
    else { return nil }
    return sweepList.nextStep
  }

  func retentionPlace(_ id: WorkspaceID) -> RetentionTurns.Place? {
    guard let workspace = self[id], let due = workspace.retentionDue else { return nil }
    return RetentionTurns.Place(
      due: due, hasTurnWork: workspace.hasTurnWork, isTouched: workspace.turn.isTouched)
  }

  func isBarrierBusy(with id: WorkspaceID) -> Bool {
    self[id]?.transaction.rounds.isEmpty == false
  }

  /// Carries out the timers that are due.
  func tick(now: Now) {
    fileWaiters.serve(now: now)
    retireFiles()
    while let id = alarms.popDue(now.instant) {
      if let workspace = self[id] { wake(workspace, now: now) } else { sweepList.add(id) }
    }
    readOn(now: now)
    guard !process.isShuttingDown else { return }
    closeRemoved(now: now)
    sweep(now: now)
  }

  private func wake(_ workspace: Workspace, now: Now) {
    guard workspace.failure == nil else { return }
    workspace.touch()
    if let due = workspace.retentionDue, due <= now.instant {
      services.upkeep.addToRetention(workspace.id)
    }
    if let due = workspace.jobState.nextStep, due <= now.instant {
      workspace.jobs.makeSteps(now: now)
    }
    guard let due = workspace.queue.nextDeadline, due <= now.instant else { return }
    if workspace.queue.parkedCount > 0, workspace.queue.unanswered > 0 {
      // A delivery reads the message from the file.
      do throws(RelayError) { try workspace.openFile() } catch {
        if error == .tooManyOpen { alarms.put(now.instant + limits.pendingRetry, workspace.id) }
        return
      }
    }
    workspace.queue.tick(now: now)
    workspace.carryOut(now: now)
  }

  // MARK: reading in many turns

  /// Adds a scan, which reads a page in each of several turns.
  func read(_ scan: Scan, in workspace: Workspace) {
    workspace.jobState.scans.append(scan)
    if !scanning.contains(workspace.id) { scanning.append(workspace.id) }
    workspace.touch()
  }

  /// Reads one page of one scan. Workspaces alternate, and so do the scans of each, so that no scan
  /// holds up other requests.
  private func readOn(now: Now) {
    while !scanning.isEmpty {
      let id = scanning.removeFirst()
      guard let workspace = usable(id), !workspace.jobState.scans.isEmpty else { continue }
      let scan = workspace.jobState.scans.removeFirst()
      do throws(RelayError) {
        if try !scan.step(now) { workspace.jobState.scans.append(scan) }
      } catch {
        workspace.openCalls[scan.call] = nil
        replies.send(Reply(call: scan.call, error: error))
      }
      if !workspace.jobState.scans.isEmpty { scanning.append(id) }
      workspace.touch()
      return workspace.carryOut(now: now)
    }
  }

  // MARK: workspaces that are not in memory

  /// Adds the workspace to the sweep, which opens it.
  func openLater(_ id: WorkspaceID) { sweepList.add(id) }

  /// Opens workspaces in which something is due, one after the other, `sweepInterval` apart. They
  /// may be many after a start, and nobody waits for them.
  private func sweep(now: Now) {
    guard !sweepList.isEmpty,
      sweepList.takeStep(now: now.instant, pause: limits.sweepInterval), let id = sweepList.first
    else { return }
    let isFailed = unopenable.contains(id) || self[id]?.failure != nil
    if self[id]?.isOpen != true, directory.workspace(id) != nil, !isFailed {
      do throws(RelayError) {
        let workspace = try workspace(id, now: now)
        // Nobody has asked for this file: it is the first to be closed again.
        workspace.turn.isClosedNext = true
        workspace.turn.wantsSync = true
      } catch .tooManyOpen {
        return
      } catch {
        // The error is in the log; `unopenable` has the workspace if the error is final.
      }
    }
    sweepList.advance()
  }

  /// Sets the alarms at the start, from the times in relay.db. Workspaces that were in use when the
  /// last process died are opened by the sweep.
  func setAlarms(_ now: Now) {
    for record in directory.workspaces.values { setAlarm(record.row, now: now) }
  }

  /// Sets the alarm of a workspace that is not in memory.
  func setAlarm(_ row: RegisteredWorkspace, now: Now) {
    switch row.nextWakeAt {
    case nil: sweepList.add(row.id)
    case .never: break
    case .some(let at): alarms.put(now.instant(at: at), row.id)
    }
  }

  // MARK: removed workspaces

  /// Ends some of the messages of one removed workspace in this turn.
  private func closeRemoved(now: Now) {
    let removals = registry.removals
    guard let id = removals.nextToClose, !isBarrierBusy(with: id),
      sweepList.takeStep(now: now.instant, pause: limits.sweepInterval)
    else { return }
    guard directory.removed[id]?.row.state == .removed, !unopenable.contains(id) else {
      return removals.closed()
    }
    let workspace: Workspace
    do throws(RelayError) {
      workspace = try self.workspace(id, evenRemoved: true, now: now)
    } catch {
      // A removed workspace without its file has no messages to end, and `unopenable` reports it.
      // If all files are busy, it is tried again.
      if error != .tooManyOpen { removals.closed() }
      return
    }
    guard workspace.isToBeClosed else { return removals.closed() }
    workspace.jobs.stopAll(now: now)
    workspace.queue.closeSome(
      process.nextCall(), most: limits.roundOperationsMax / 4, now: now)
    workspace.carryOut(now: now)
  }
}
