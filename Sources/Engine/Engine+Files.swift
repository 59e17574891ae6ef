import Relay
import Store
import System

/// Which workspaces' files are open.
///
/// At most `openWorkspacesMax` are. One more closes the longest unused that is quiet: all of it is
/// on the disk and nothing on its way. Its desk stays in memory as long as something of it is not
/// in the file (a parked poll, a held caller, a lease, a receipt), which that does not disturb;
/// afterwards it is read from the file again when it is needed.
extension Engine {
  /// The desk of a workspace, opened at its first use. `needsFile`: it is going to be read.
  func desk(
    _ id: WorkspaceID, needsFile: Bool = true, evenRemoved: Bool = false, now: Now
  ) throws(RelayError) -> Desk {
    turnNow = now
    guard directory.isThere(id) || evenRemoved else { throw .notFound }
    if let desk = desks[id] {
      if desk.failure != nil { throw .workspaceUnavailable }
      touch(desk)
      (desk.isUsed, desk.isClosedNext) = (true, false)
      if needsFile { try openFile(desk) }
      return desk
    }
    guard !unopenable.contains(id) else { throw .workspaceUnavailable }
    try makeRoom()
    do throws(StoreError) {
      let (file, recovered) = try withRoom(for: .deletion) { () throws(StoreError) in
        let file = try data.openWorkspaceFile(id)
        do throws(StoreError) { return (file, try file.recover(now: now.wall)) } catch {
          file.abandon()
          throw error
        }
      }
      compare(recovered.newestAt, now: now)
      let queue = Queue(limits: limits, boot: boot, seed: random.next(), fencesAbove: fenceFloor)
      queue.expiresFrom = clocks.doubtfulUntil
      if directory.workspace(id)?.settings.isPaused == true { queue.pause() }
      queue.recover(recovered, now: now, isAfterPowerCut: recovered.isAfterPowerCut)
      let dead = try file.deadCount(most: limits.deadCountMax)
      queue.deadInFile = max(0, dead - queue.counts.dead)
      let desk = Desk(
        id: id, file: file, queue: queue, digestKey: recovered.digestKey,
        retention: try retentionSchedule(file, now: now), cache: cacheAccount)
      desk.kept = try kept(file, beside: queue)
      // What it has been opened for goes first.
      try noteFreePages(desk, from: now.instant + limits.walIdle)
      try takeUpJobs(desk, now: now)
      desks[id] = desk
      lastKnown.forget(id)
      files.opened(id)
      touch(desk)
      for receipt in receipts.take(id) { apply(receipt, desk, now: now) }
      // What came to its end while the file was closed ends now.
      queue.tick(now: now)
      carryOut(desk, now: now)
      return desk
    } catch {
      failed(error, workspace: id)
      if error.isFinalForWorkspace { unopenable.insert(id) }
      if error.kind == .full { throw .diskFull }
      throw error.isFinalForProcess ? .outcomeUnknown : .workspaceUnavailable
    }
  }

  /// Opens the file of a desk that has been in memory without it.
  func openFile(_ desk: Desk) throws(RelayError) {
    if desk.isOpen { return }
    if desk.failure != nil { throw .workspaceUnavailable }
    try makeRoom()
    do throws(StoreError) {
      desk.reopen(
        try withRoom(for: .deletion) { () throws(StoreError) in
          try data.openWorkspaceFile(desk.id)
        })
      files.opened(desk.id)
      receipts.opened(desk.id)
      if !desk.transaction.deferred.isEmpty { desk.transaction.deferUntil(turnNow.instant) }
      touch(desk)
    } catch {
      if error.isFinalForProcess {
        failed(error, workspace: desk.id)
        throw .outcomeUnknown
      }
      if error.isFinalForWorkspace {
        close(desk, error)
      } else {
        failed(error, workspace: desk.id)
      }
      throw error.kind == .full ? .diskFull : .workspaceUnavailable
    }
  }

  // MARK: closing

  /// For one more open file.
  private func makeRoom() throws(RelayError) {
    guard files.count >= limits.openWorkspacesMax else { return }
    guard closeOldest() != .none else { throw .tooManyOpen }
  }

  /// Closes a few of the longest unused before there is no room, so that what they have committed
  /// lately can be synced by a barrier that is needed anyway.
  func retireFiles() {
    syncsAsked = 0
    let most = limits.openWorkspacesMax - limits.openWorkspacesMax / 8
    for _ in 0..<Limits.filesClosedInTurnMax where files.count > most {
      guard closeOldest() == .quick else { return }
    }
  }

  /// How a file was closed, if one could be.
  private enum Close {
    case none
    /// About 0.2 ms.
    case quick
    /// Its log was emptied before: two syncs.
    case emptied
  }

  /// Closes the file that was not used for the longest time and can be closed. Older ones that
  /// cannot are brought to it: their deferred writes are committed with this turn, and synced by
  /// its barrier.
  private func closeOldest() -> Close {
    for _ in 0..<Limits.filesRetriedInCallMax where files.isBeforeReady(.busy) {
      guard let desk = oldest(.busy) else { break }
      let standing = exactStanding(desk)
      files.put(desk.id, standing, isFirst: standing != .busy)
    }
    while syncsAsked < Limits.filesSyncedInTurnMax, files.isBeforeReady(.unsynced),
      let desk = oldest(.unsynced)
    {
      syncsAsked += 1
      files.put(desk.id, .busy)
      if !desk.transaction.deferred.isEmpty { desk.transaction.deferUntil(turnNow.instant) }
      desk.wantsSync = true
      desk.isClosedNext = true
      touch(desk)
    }
    while let desk = oldest(.ready) {
      guard exactStanding(desk) == .ready else {
        files.put(desk.id, .busy)
        continue
      }
      let outcome = close(desk)
      if outcome != .none { return outcome }
    }
    return .none
  }

  private func oldest(_ standing: OpenFiles.Standing) -> Desk? {
    files.oldest(standing).flatMap { desks[$0] }
  }

  /// What has to happen before its file can be closed. `isAtRest`: it is known that all of its
  /// queue is in the file, which takes a look at each message.
  private func standing(_ desk: Desk, isAtRest: Bool = false) -> OpenFiles.Standing {
    guard desk.isQuiet, isAtRest || desk.queue.count <= limits.closedMessagesMax,
      !mustStayOpen(desk)
    else { return .busy }
    let mayHold =
      desk.transaction.deferred.isEmpty
      || !desk.transaction.isDeferredUrgent && receipts.hasRoom(limits.receiptsHeldMax)
    return mayHold && !desk.isUnsynced && !desk.file.isDirty ? .ready : .unsynced
  }

  private func exactStanding(_ desk: Desk) -> OpenFiles.Standing {
    standing(desk, isAtRest: desk.queue.count > limits.closedMessagesMax && isAtRest(desk))
  }

  /// A backup would have to begin its copy anew; what is left of its end would be cut at one go.
  private func mustStayOpen(_ desk: Desk) -> Bool {
    (desk.file.isBeingCopied || desk.isBeingCut) && limits.openWorkspacesMax > 1
  }

  private func close(_ desk: Desk) -> Close {
    // What was deleted must not stay in a log that is no longer watched.
    let outcome = desk.log.holdsErased ? Close.emptied : .quick
    if outcome == .emptied, !emptyLog(desk, isIdle: false, now: turnNow) {
      guard desk.failure == nil else { return outcome }
      // Another one at the next try, and this one later.
      files.put(desk.id, .busy)
      return .none
    }
    do throws(StoreError) {
      try desk.closeFile()
    } catch {
      if isFinal(error, desk) { return outcome }
      // It stays open and usable, and its turn comes again.
      files.put(desk.id, .busy)
      return .none
    }
    files.closed(desk.id)
    desk.log.closed()
    logCare.closed(desk.id)
    if !desk.transaction.deferred.isEmpty {
      receipts.closed(desk.id)
      desk.transaction.deferUntil(turnNow.instant + limits.receiptHeldTime)
    }
    if !desk.isTouched { settle(desk, now: turnNow) }
    return outcome
  }

  // MARK: desks without a file

  /// After each turn: a desk whose file is closed leaves memory as soon as nothing but the file is
  /// needed to make it again; of the others it is noted when they come due.
  func settle(_ desk: Desk, now: Now) {
    guard desks[desk.id] === desk, desk.failure == nil else { return }
    if desk.isOpen {
      files.put(desk.id, standing(desk), isUse: desk.isUsed, isFirst: desk.isClosedNext)
      desk.isUsed = false
    }
    if !desk.isOpen, !desk.isTouched, isAtRest(desk) {
      if desk.queue.restsAt(now: now) <= now.instant { return rest(desk, now: now) }
      return setAlarm(desk.id, min(desk.queue.restsAt(now: now), desk.due ?? .distantFuture))
    }
    // A desk that an answer to be made later still refers to stays, and is looked at again.
    let later = desk.isOpen || !replies.hasDeferred ? nil : now.instant + limits.sweepInterval
    if let due = [desk.due, later].compactMap({ $0 }).min() { setAlarm(desk.id, due) }
  }

  /// One that is set for earlier stays: it finds nothing to do and sets the next.
  func setAlarm(_ id: WorkspaceID, _ due: Instant) {
    if let at = alarms.at(id), at <= due { return }
    alarms.put(due, id)
  }

  /// Nobody waits for anything of it, and nothing of it is only in memory.
  private func isAtRest(_ desk: Desk) -> Bool {
    desk.waiters.isEmpty && desk.open.isEmpty && desk.isQuiet && desk.transaction.deferred.isEmpty
      && !replies.hasDeferred && desk.queue.isInFile
  }

  private func rest(_ desk: Desk, now: Now) {
    desk.cache.removeAll()
    fenceFloor = max(fenceFloor, desk.queue.lastFence)
    desks[desk.id] = nil
    sleep(desk, now: now)
  }

  // MARK: calls that wait for a file

  /// Carries out `body`, and answers the call with the error that it throws. While every open file
  /// is busy the call waits for one, and is carried out anew.
  ///
  /// - `bytes`: of the call's body, which are kept while it waits.
  /// - `refused`: what is done with an error instead of answering.
  func withFile(
    _ call: CallID, bytes: Int = 0, now: Now, refused: ((RelayError, Now) -> Void)? = nil,
    _ body: @escaping (Now) throws(RelayError) -> Void
  ) {
    do throws(RelayError) { try body(now) } catch {
      let isWaiting =
        error == .tooManyOpen && !isShuttingDown
        && fileWaiters.add(call, bytes: bytes, now: now) { [unowned self] now in
          withFile(call, bytes: bytes, now: now, refused: refused, body)
        }
      if isWaiting { return }
      if let refused { refused(error, now) } else { replies.send(Reply(call: call, error: error)) }
    }
  }
}
