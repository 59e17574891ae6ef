import Relay
import Store
import System

extension Engine {
  /// Commits a desk's transaction: all of it, or, when the disk is full, all but its sends.
  func commit(_ desk: Desk, now: Now) {
    guard desk.failure == nil, fatal == nil else { return }
    if let error = desk.damage { return close(desk, error) }
    #if PLANTS
      if plantedDelay(desk, now: now) { return }
    #endif
    desk.blockedUntil = nil
    if desk.transaction.batch.isEmpty, !isDeferredDue(desk, now: now) {
      desk.queue.turnEnded()
      replies.send(desk.transaction.committed(isWritten: false))
    } else {
      guard isFileReady(desk, now: now) else { return }
      mark(desk)
      var attempt = desk.transaction.begin()
      #if PLANTS
        attempt.writes = planted(attempt.writes)
      #endif
      do throws(StoreError) {
        defer {
          desk.queue.turnEnded()
          desk.telling = []
        }
        if isForDeletionOnly(desk, attempt.writes) {
          throw StoreError.onlyDeletion(desk.file.path)
        }
        let counts = mustCount(attempt.writes, desk, now: now)
        try desk.file.commit(attempt.writes, counts: counts)
        if counts { desk.countedAt = now.instant }
        #if PLANTS
          if plant == .noteBeforeBarrier { passed(desk, desk.file.progress, now: now) }
        #endif
      } catch {
        return refused(desk, attempt, error, now: now)
      }
      diskGuard.countWritten(attempt.bytes)
      committed(desk, isWritten: !attempt.writes.isEmpty, now: now)
    }
    watchLog(desk)
  }

  /// Receipts of a closed file wait for their turn in the sweep, which opens it.
  private func isDeferredDue(_ desk: Desk, now: Now) -> Bool {
    guard let due = desk.transaction.deferredDue, due <= now.instant else { return false }
    if desk.isOpen || desk.transaction.isDeferredUrgent { return true }
    desk.transaction.forgetDeferredDue()
    sweepList.add(desk.id)
    return false
  }

  /// Opens the file for the transaction. When all open ones are busy it waits for the next barrier,
  /// and so does everybody who waits for it: nothing of it has been seen.
  private func isFileReady(_ desk: Desk, now: Now) -> Bool {
    do throws(RelayError) {
      try openFile(desk)
      return true
    } catch {
      if desk.failure == nil, fatal == nil {
        let isSoon = error == .tooManyOpen
        desk.blockedUntil = now.instant + (isSoon ? limits.pendingRetry : limits.markRetry)
        touch(desk)
      }
      return false
    }
  }

  private func committed(_ desk: Desk, isWritten: Bool, now: Now) {
    if isWritten {
      desk.log.used(at: now.instant)
      metrics.commits += 1
    }
    replies.send(desk.transaction.committed(isWritten: isWritten))
  }

  private func refused(
    _ desk: Desk, _ attempt: Transaction.Attempt, _ error: StoreError, now: Now
  ) {
    if isFinal(error, desk) { return }
    metrics.commitsRefused += 1
    repeatedLog.warning("commit_refused", workspace: desk.id, error.description)
    let deferred = Write.afterRollback(attempt.deferred, of: attempt.writes)
    let rest = Write.withoutSends(attempt.writes)
    if error.kind == .full { data.room.noteFull(error) }
    // Without its sends, and with the reserve's space, it may pass.
    guard !rest.isEmpty, !isForDeletionOnly(desk, rest) else {
      return refuseAll(desk, deferring: deferred, now: now)
    }
    do throws(StoreError) {
      let use: DiskRoom.Use = rest.contains(where: \.isDeletion) ? .deletion : .results
      try withRoom(for: use) { () throws(StoreError) in try desk.file.commit(rest) }
    } catch {
      if isFinal(error, desk) { return }
      return refuseAll(desk, deferring: deferred, now: now)
    }
    let sends = attempt.writes.compactMap {
      if case .message(let new) = $0 { new.seq } else { nil }
    }
    let refusedReports = desk.transaction.takeReports(of: Set(sends))
    committed(desk, isWritten: true, now: now)
    watchLog(desk)
    refuse(desk, reports: refusedReports, now: now)
  }

  func isFinal(_ error: StoreError, _ desk: Desk) -> Bool {
    if error.isFinalForProcess {
      failed(error, workspace: desk.id)
    } else if error.isFinalForWorkspace {
      close(desk, error)
    } else {
      return false
    }
    return true
  }

  private func refuse(_ desk: Desk, reports: [Report], now: Now) {
    desk.queue.refused(reports, now: now)
    carryOut(desk, now: now)
  }

  /// Nothing could be written: hand-outs of this turn go back, and everybody is told.
  private func refuseAll(_ desk: Desk, deferring deferred: [Write], now: Now) {
    let refused = desk.transaction.refused(
      deferring: deferred, until: now.instant + limits.deferredWriteMax)
    for reply in refused.afterCommit {
      if case .handOut(_, _, let seqs) = reply.receipt {
        desk.queue.handOutRefused(seqs, now: now)
        replies.fail([reply], .notStored)
      } else {
        replies.send(reply)
      }
    }
    for reply in refused.afterBarrier { replies.fail([reply], reply.refusal) }
    refuse(desk, reports: refused.reports, now: now)
  }
}
