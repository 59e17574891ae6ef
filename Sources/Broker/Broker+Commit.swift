import Relay
import Store
import System

extension Broker {
  /// Commits a desk's transaction: all of it, or, when the disk is full, all but its sends.
  func commit(_ desk: Desk, now: Now) {
    guard desk.failure == nil, fatal == nil else { return }
    if let error = desk.damage { return close(desk, error) }
    #if PLANTS
      if plantedDelay(desk, now: now) { return }
    #endif
    desk.blockedUntil = nil
    if desk.batch.isEmpty, !isLazyDue(desk, now: now) {
      desk.queue.turnEnded()
    } else {
      guard isFileReady(desk, now: now) else { return }
      mark(desk)
      let lazies = desk.lazies
      #if PLANTS
        let writes = planted(lazies + desk.batch)
      #else
        let writes = lazies + desk.batch
      #endif
      let putOff = lazies + desk.laziesInBatch
      desk.lazies = []
      desk.laziesInBatch = []
      desk.lazyDue = nil
      desk.batch = []
      let committing = desk.batchBytes
      desk.committedBytes += desk.batchBytes
      desk.batchBytes = 0
      do throws(StoreError) {
        defer {
          desk.queue.turnEnded()
          desk.telling = []
        }
        if isForDeletionOnly(desk, writes) { throw StoreError.onlyDeletion(desk.file.path) }
        let counts = mustCount(writes, desk, now: now)
        try desk.file.commit(writes, counts: counts)
        if counts { desk.countedAt = now.instant }
        #if PLANTS
          if plant == .noteBeforeBarrier { passed(desk, desk.file.progress, now: now) }
        #endif
        diskGuard.countWritten(committing)
        if !writes.isEmpty {
          desk.commits += 1
          desk.log.used(at: now.instant)
          metrics.commits += 1
        }
      } catch {
        let lazies = Write.afterRollback(putOff, of: writes)
        return refused(desk, lazies: lazies, writes: writes, error, now: now)
      }
    }
    committed(desk)
    watchLog(desk)
  }

  /// Receipts of a closed file wait for their turn in the sweep, which opens it.
  private func isLazyDue(_ desk: Desk, now: Now) -> Bool {
    guard let due = desk.lazyDue, due <= now.instant else { return false }
    if desk.isOpen || desk.hasUrgentLazies { return true }
    desk.lazyDue = nil
    sweepList.append(desk.id)
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

  private func committed(_ desk: Desk) {
    replies.send(desk.afterCommit)
    desk.committedReports += desk.reports
    desk.committedReplies += desk.afterBarrier
    desk.afterCommit.removeAll(keepingCapacity: true)
    desk.reports.removeAll(keepingCapacity: true)
    desk.afterBarrier.removeAll(keepingCapacity: true)
  }

  private func refused(
    _ desk: Desk, lazies: [Write], writes: [Write], _ error: StoreError, now: Now
  ) {
    if isFinal(error, desk) { return }
    metrics.commitsRefused += 1
    repeatedLog.warning("commit_refused", workspace: desk.id, error.description)
    let sends = Set(writes.compactMap { if case .message(let new) = $0 { new.seq } else { nil } })
    let rest = Write.withoutSends(writes)
    if error.kind == .full { data.room.noteFull(error) }
    // Without its sends, and with the reserve's space, it may pass.
    guard !rest.isEmpty, !isForDeletionOnly(desk, rest) else {
      return refuseAll(desk, lazies: lazies, now: now)
    }
    do throws(StoreError) {
      let use: DiskRoom.Use = rest.contains(where: \.isDeletion) ? .deletion : .results
      try withRoom(for: use) { () throws(StoreError) in try desk.file.commit(rest) }
    } catch {
      if isFinal(error, desk) { return }
      return refuseAll(desk, lazies: lazies, now: now)
    }
    desk.commits += 1
    metrics.commits += 1
    let refusedReports = desk.reports.filter { $0.isOf(sends) }
    desk.reports.removeAll { $0.isOf(sends) }
    committed(desk)
    desk.log.used(at: now.instant)
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
  private func refuseAll(_ desk: Desk, lazies: [Write], now: Now) {
    for reply in desk.afterCommit {
      if case .handOut(_, _, let seqs) = reply.receipt {
        desk.queue.handOutRefused(seqs, now: now)
        replies.fail([reply], .notStored)
      } else {
        replies.send(reply)
      }
    }
    desk.afterCommit = []
    for reply in desk.afterBarrier { replies.fail([reply], reply.refusal) }
    desk.afterBarrier = []
    desk.lazies = lazies
    if !lazies.isEmpty {
      desk.hasUrgentLazies = true
      desk.lazyDue = now.instant + limits.lazyWriteMax
    }
    let reports = desk.reports
    desk.reports = []
    refuse(desk, reports: reports, now: now)
  }
}

extension Report {
  fileprivate func isOf(_ seqs: Set<Seq>) -> Bool {
    switch self {
    case .message(let seq): seqs.contains(seq)
    case .job(_, let movesSends): movesSends && !seqs.isEmpty
    case .task: false
    }
  }
}
