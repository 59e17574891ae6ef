import Relay
import Store

extension Workspace {
  /// Commits the whole transaction or, when the disk is full, all of it but the sends.
  func commit(now: Now) {
    guard failure == nil, process.fatal == nil else { return }
    if let error = damage { return close(after: error) }
    #if PLANTS
      if plantedDelay(now: now) { return }
    #endif
    turn.blockedUntil = nil
    if transaction.batch.isEmpty, !isDeferredDue(now: now) {
      queue.turnEnded()
      replies.send(transaction.committed(isWritten: false))
    } else {
      guard isFileReady(now: now) else { return }
      markBusy()
      var attempt = transaction.begin()
      #if PLANTS
        attempt.writes = planted(attempt.writes)
      #endif
      do throws(StoreError) {
        defer {
          queue.turnEnded()
          waiting.notifying = []
        }
        if disk.isForDeletionOnly(attempt.writes, writer) {
          throw StoreError.onlyDeletion(file.path)
        }
        let counts = mustCount(attempt.writes, now: now)
        try file.commit(attempt.writes, counts: counts)
        if counts { care.counted(at: now.instant) }
        #if PLANTS
          if process.plant == .noteBeforeBarrier { passed(progress: file.progress, now: now) }
        #endif
      } catch {
        return refused(attempt, error, now: now)
      }
      disk.countWritten(attempt.bytes)
      committed(isWritten: !attempt.writes.isEmpty, now: now)
    }
    upkeep.watchLog()
  }

  /// Returns whether deferred writes are due. Receipts of a closed file wait until the pool opens
  /// it.
  private func isDeferredDue(now: Now) -> Bool {
    guard let due = transaction.deferredDue, due <= now.instant else { return false }
    if isOpen || transaction.isDeferredUrgent { return true }
    transaction.forgetDeferredDue()
    pool.openLater(id)
    return false
  }

  /// Opens the file for the transaction. If all open files are busy, the transaction waits for the
  /// next barrier; nobody has seen any of it.
  private func isFileReady(now: Now) -> Bool {
    do throws(RelayError) {
      try openFile()
      return true
    } catch {
      if failure == nil, process.fatal == nil {
        let isSoon = error == .tooManyOpen
        turn.blockedUntil = now.instant + (isSoon ? limits.pendingRetry : limits.markRetry)
        touch()
      }
      return false
    }
  }

  private func committed(isWritten: Bool, now: Now) {
    if isWritten {
      care.log.used(at: now.instant)
      metrics.commits += 1
    }
    replies.send(transaction.committed(isWritten: isWritten))
  }

  private func refused(
    _ attempt: Transaction.Attempt, _ error: StoreError, now: Now
  ) {
    if isFinal(error) { return }
    metrics.commitsRefused += 1
    repeatedLog.warning("commit_refused", workspace: id, error.description)
    let deferred = Write.afterRollback(attempt.deferred, of: attempt.writes)
    let rest = Write.withoutSends(attempt.writes)
    if error.kind == .full { data.room.noteFull(error) }
    // The transaction may succeed without its sends, or with the space of the reserve.
    guard !rest.isEmpty, !disk.isForDeletionOnly(rest, writer) else {
      return refuseAll(deferring: deferred, now: now)
    }
    do throws(StoreError) {
      let use: DiskRoom.Use = rest.contains(where: \.isDeletion) ? .deletion : .results
      try disk.withRoom(for: use) { () throws(StoreError) in try file.commit(rest) }
    } catch {
      if isFinal(error) { return }
      return refuseAll(deferring: deferred, now: now)
    }
    let sends = attempt.writes.compactMap {
      if case .message(let new) = $0 { new.seq } else { nil }
    }
    let refusedReports = transaction.takeReports(of: Set(sends))
    committed(isWritten: true, now: now)
    upkeep.watchLog()
    refuse(reports: refusedReports, now: now)
  }

  /// Handles an error that is final for the process or the workspace. Returns whether the error is
  /// final.
  func isFinal(_ error: StoreError) -> Bool {
    if error.isFinalForProcess {
      process.failed(error, workspace: id)
    } else if error.isFinalForWorkspace {
      close(after: error)
    } else {
      return false
    }
    return true
  }

  private func refuse(reports: [Report], now: Now) {
    queue.refused(reports, now: now)
    carryOut(now: now)
  }

  /// Takes the turn back after a refused commit: deliveries go back to the queue, and every waiting
  /// call is answered.
  private func refuseAll(deferring deferred: [Write], now: Now) {
    let refused = transaction.refused(
      deferring: deferred, until: now.instant + limits.deferredWriteMax)
    for reply in refused.afterCommit {
      if case .handOut(_, _, let seqs) = reply.receipt {
        queue.handOutRefused(seqs, now: now)
        replies.fail([reply], .notStored)
      } else {
        replies.send(reply)
      }
    }
    for reply in refused.afterBarrier { replies.fail([reply], reply.refusal) }
    refuse(reports: refused.reports, now: now)
  }

  // MARK: progress

  /// Returns whether a transaction advances the progress. One with a new message always does; of
  /// the others one a second is counted, and none while room is short.
  private func mustCount(_ writes: [Write], now: Now) -> Bool {
    guard care.mayCount(every: limits.progressInterval, now: now.instant) else { return false }
    return !disk.isLow && !writes.isEmpty && !writes.contains(where: \.isSend)
  }

  /// Notes the file's progress after a barrier has covered it. An earlier note could survive a
  /// power cut that the progress itself did not survive.
  func passed(progress: Int64, now: Now) {
    if care.note(progress: progress) { commits.progress.note(id, progress, now: now.instant) }
  }

  /// The facts about the file that the disk guard needs.
  var writer: DiskGuard.Writer {
    DiskGuard.Writer(file: isOpen ? file : nil, batchBytes: transaction.batchBytes)
  }
}
