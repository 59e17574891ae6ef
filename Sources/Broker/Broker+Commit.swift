import Relay
import System
import Store

extension Broker {
  /// Commits a desk's transaction: all of it, or, when the disk is full, all but its sends.
  func commit(_ desk: Desk, now: Now) {
    guard desk.failure == nil, fatal == nil else { return }
    #if PLANTS
      if plantedDelay(desk, now: now) { return }
    #endif
    let isLazyDue = desk.lazyDue.map { $0 <= now.instant } ?? false
    if !desk.batch.isEmpty || isLazyDue {
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
      desk.batchBytes = 0
      do throws(StoreError) {
        try desk.file.commit(writes)
        desk.commits += 1
      } catch {
        let lazies = Write.afterRollback(putOff, of: writes)
        return refused(desk, lazies: lazies, writes: writes, error, now: now)
      }
    }
    committed(desk)
    checkpoint(desk)
  }

  private func committed(_ desk: Desk) {
    outbox += desk.afterCommit
    desk.committedReports += desk.reports
    desk.committedReplies += desk.afterBarrier
    desk.afterCommit.removeAll(keepingCapacity: true)
    desk.reports.removeAll(keepingCapacity: true)
    desk.afterBarrier.removeAll(keepingCapacity: true)
  }

  private func refused(
    _ desk: Desk, lazies: [Write], writes: [Write], _ error: StoreError, now: Now
  ) {
    if error.isFinalForProcess { return failed(error, workspace: desk.id) }
    if error.isFinalForWorkspace { return close(desk, error) }
    log.warning(
      "commit_refused",
      ["workspace": .text(desk.id.text), "error": .text(error.description)])
    let sends = Set(writes.compactMap { if case .message(let new) = $0 { new.seq } else { nil } })
    let rest = Write.withoutSends(writes)
    if !sends.isEmpty, !rest.isEmpty, (try? desk.file.commit(rest)) != nil {
      desk.commits += 1
      let refusedReports = desk.reports.filter { $0.isOf(sends) }
      desk.reports.removeAll { $0.isOf(sends) }
      committed(desk)
      return refuse(desk, reports: refusedReports, now: now)
    }
    refuseAll(desk, lazies: lazies, now: now)
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
        outbox.append(Reply(call: reply.call, error: .notStored))
      } else {
        outbox.append(reply)
      }
    }
    desk.afterCommit = []
    for reply in desk.afterBarrier { outbox.append(Reply(call: reply.call, error: .notStored)) }
    desk.afterBarrier = []
    desk.lazies = lazies
    desk.lazyDue = now.instant + limits.lazyWriteMax
    let reports = desk.reports
    desk.reports = []
    refuse(desk, reports: reports, now: now)
  }

  /// Final for the workspace; the others go on.
  private func close(_ desk: Desk, _ error: StoreError) {
    failed(error, workspace: desk.id)
    desk.failure = error
    let calls = desk.waiters.values.joined().map(\.addressee)
    for addressee in calls { outbox.append(addressee.reply(.workspaceUnavailable)) }
    for reply in desk.afterCommit + desk.afterBarrier + desk.committedReplies
      + desk.rounds.flatMap(\.replies) {
      outbox.append(Reply(call: reply.call, error: .workspaceUnavailable))
    }
    desk.waiters = [:]
    desk.afterCommit = []
    desk.afterBarrier = []
    desk.rounds = []
    desk.file.abandon()
  }

  /// Between rounds at `walPagesIdle`, in any case at `walPagesBusy`.
  private func checkpoint(_ desk: Desk) {
    guard desk.failure == nil, fatal == nil else { return }
    let pages = desk.file.walPages
    let isQuiet = desk.rounds.isEmpty && desk.reports.isEmpty
    guard pages >= limits.walPagesBusy || isQuiet && pages >= limits.walPagesIdle else { return }
    do throws(StoreError) {
      try desk.file.checkpoint(.passive)
    } catch {
      if error.isFinalForWorkspace { close(desk, error) } else { failed(error, workspace: desk.id) }
    }
  }
}

extension Report {
  fileprivate func isOf(_ seqs: Set<Seq>) -> Bool {
    if case .message(let seq) = self { seqs.contains(seq) } else { false }
  }
}
