import Relay
import Store
import System

/// Deletes what has been kept for long enough: one round of one workspace a turn, while the barrier
/// syncs what callers wait for. A round has a transaction of its own, so that no full disk makes a
/// send and a deletion depend on each other.
extension Engine {
  /// Returns the schedule of a file that is being opened: nothing can go before its first message
  /// is old enough, so that most files need no look.
  func retentionSchedule(
    _ file: WorkspaceFile, now: Now
  ) throws(StoreError) -> RetentionSchedule {
    RetentionSchedule(
      limits, oldest: try file.oldestMessage(), expiryAt: try file.nextExpiry(), now: now)
  }

  /// Carries out at most one round a turn.
  func retain(now: Now) {
    let turn = retentionTurns.next(now: now.instant, retentionPlace)
    for id in turn.later {
      if let desk = desks[id] { settle(desk, now: now) }
    }
    guard let id = turn.id, let desk = desks[id] else { return }
    do throws(RelayError) { try openFile(desk) } catch {
      return desk.retention.refused(now: now)
    }
    do throws(StoreError) {
      try retain(desk, now: now)
    } catch {
      desk.retention.refused(now: now)
      _ = isFinal(error, desk)
    }
    watchLog(desk)
  }

  func retentionPlace(_ id: WorkspaceID) -> RetentionTurns.Place? {
    guard let desk = desks[id], let due = desk.retentionDue else { return nil }
    return RetentionTurns.Place(
      due: due, hasTurnWork: desk.hasTurnWork, isTouched: desk.isTouched)
  }

  private func retain(_ desk: Desk, now: Now) throws(StoreError) {
    if let at = desk.shrinkDue, at <= now.instant { return shrink(desk, now: now) }
    let isTrusted = !isTimeDoubtful(now)
    if isTrusted, let at = desk.retention.expiryAt, at <= now.wall {
      return try expire(desk, now: now)
    }
    desk.kept = try kept(desk.file, beside: desk.queue)
    let sweep = desk.retention.look(
      isOver: desk.kept.isOver(limits), isTrusted: isTrusted, commits: desk.transaction.commits,
      now: now)
    guard let sweep else { return }
    let endedBy = isTrusted ? now.wall + (.zero - limits.retention) : nil
    var slice = try desk.file.keptSlice(
      after: desk.retention.cursor, limit: limits.retentionRowsMax,
      cameBy: sweep == .age ? endedBy : nil)
    // An end that no barrier has covered is none yet, whatever the file says.
    slice.mark { seq in desk.queue.message(seq).map { !$0.state.isEnd } ?? false }
    let plan = RetentionPlan(
      slice, after: desk.retention.cursor,
      RetentionPlan.Rule(endedBy: endedBy, isOver: sweep == .size),
      rowsMax: limits.retentionRowsMax, bytesMax: limits.retentionBytesMax)
    let before = desk.transaction.commits
    try commit(plan, sweep == .age ? .age : .size, desk, now: now)
    // Sends that were refused for it need no further commit to be taken again.
    if desk.kept.isFull(limits) { desk.kept = try kept(desk.file, beside: desk.queue) }
    desk.retention.did(
      plan, isBusy: !rounds.isEmpty, own: before..<desk.transaction.commits, now: now)
  }

  /// What a message takes in a file beside its bodies, or a little more.
  private static let rowBytes = 1024

  /// Returns what the file keeps beside its queue. It is asked at the opening of the file and in
  /// each round: neither needs an index, and a send only compares.
  func kept(_ file: WorkspaceFile, beside queue: Queue) throws(StoreError) -> Kept {
    let own = queue.bytes + queue.count * Self.rowBytes
    let there = Int(queue.lastSeq - (try file.deletedCount()))
    return Kept(bytes: try file.usedBytes() - own, messages: there - queue.count)
  }

  private func commit(
    _ plan: RetentionPlan, _ cause: Tombstone.Cause, _ desk: Desk, now: Now
  ) throws(StoreError) {
    var writes = plan.ranges.map {
      Write.retire(first: $0.lowerBound, last: $0.upperBound, cause: cause, at: now.wall)
    }
    if let seq = plan.trimmed { writes.append(.trim(seq: seq, rows: limits.retentionRowsMax)) }
    guard !writes.isEmpty else { return }
    desk.log.willErase()
    try commit(writes, desk, now: now)
    for seq in plan.deleted { desk.queue.drop(seq, isDead: plan.dead.contains(seq)) }
    if cause == .age {
      metrics.retiredByAge += plan.deleted.count
    } else {
      metrics.retiredBySize += plan.deleted.count
    }
    carryOut(desk, now: now)
  }

  /// Commits the deferred writes first: they may be about what is deleted.
  private func commit(_ writes: [Write], _ desk: Desk, now: Now) throws(StoreError) {
    let all = desk.transaction.deferred + writes
    try withRoom(for: .deletion) { () throws(StoreError) in try desk.file.commit(all) }
    desk.transaction.committedWithDeferred()
    desk.log.used(at: now.instant)
  }

  /// Forgets keys whose window is over, and tombstones.
  private func expire(_ desk: Desk, now: Now) throws(StoreError) {
    let before = desk.transaction.commits
    if let next = try desk.file.nextExpiry(), next <= now.wall {
      try commit([.expire(at: now.wall, rows: limits.retentionRowsMax)], desk, now: now)
    }
    desk.retention.didExpire(
      next: try desk.file.nextExpiry(), isBusy: !rounds.isEmpty,
      own: before..<desk.transaction.commits,
      now: now)
  }
}
