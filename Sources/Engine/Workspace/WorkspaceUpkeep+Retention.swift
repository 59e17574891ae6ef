import Relay
import Store
import System

/// Deletes messages that were kept for long enough, one step at a time, while the barrier syncs
/// other writes. Each step has a transaction of its own, so that on a full disk sends and deletions
/// do not depend on each other.
extension WorkspaceUpkeep {
  /// Returns the schedules for a file that is being opened. Nothing is deleted before the file's
  /// first message is old enough, so that most files need no check. Throws the error that SQLite
  /// reports.
  static func care(
    of file: WorkspaceFile, beside queue: Queue, _ limits: Limits, now: Now
  ) throws(StoreError) -> FileCare {
    var care = FileCare(
      retention: RetentionSchedule(
        limits, oldest: try file.retention.oldestMessage(), expiryAt: try file.nextExpiry(),
        now: now))
    care.kept = try kept(file, beside: queue)
    return care
  }

  /// Carries out a step of retention or of shrinking.
  func retain(now: Now) {
    do throws(RelayError) { try workspace.openFile() } catch {
      return workspace.care.retention.refused(now: now)
    }
    do throws(StoreError) {
      try carryOutRound(now: now)
    } catch {
      workspace.care.retention.refused(now: now)
      _ = workspace.isFinal(error)
    }
    watchLog()
  }

  private func carryOutRound(now: Now) throws(StoreError) {
    if let at = shrinkDue, at <= now.instant { return shrink(now: now) }
    let isTrusted = !clocks.isDoubtful(now)
    if isTrusted, let at = workspace.care.retention.expiryAt, at <= now.wall {
      return try expire(now: now)
    }
    workspace.care.kept = try Self.kept(workspace.file, beside: queue)
    let sweep = workspace.care.retention.look(
      isOver: workspace.care.kept.isOver(limits), isTrusted: isTrusted,
      commits: workspace.transaction.commits,
      now: now)
    guard let sweep else { return }
    let endedBy = isTrusted ? now.wall + (.zero - limits.retention) : nil
    var slice = try workspace.file.retention.slice(
      after: workspace.care.retention.cursor, limit: limits.retentionRowsMax,
      cameBy: sweep == .age ? endedBy : nil)
    // An end that no barrier has covered does not count, although the file shows it.
    slice.mark { seq in workspace.queue.message(seq).map { !$0.state.isEnd } ?? false }
    let plan = RetentionPlan(
      slice, after: workspace.care.retention.cursor,
      RetentionPlan.Rule(endedBy: endedBy, isOver: sweep == .size),
      rowsMax: limits.retentionRowsMax, bytesMax: limits.retentionBytesMax)
    let before = workspace.transaction.commits
    try commit(plan, sweep == .age ? .age : .size, now: now)
    // Sends that were refused because the file was full are accepted again without a commit.
    if workspace.care.kept.isFull(limits) {
      workspace.care.kept = try Self.kept(workspace.file, beside: queue)
    }
    workspace.care.retention.did(
      plan, isBusy: commits.isBarrierBusy, own: before..<workspace.transaction.commits, now: now)
  }

  /// The approximate size of a message's row without its bodies, in bytes.
  private static let rowBytes = 1024

  /// Returns the amount of data that the file keeps beside its queue. It is read when the file is
  /// opened and in each step: neither needs an index, and a send only compares.
  private static func kept(
    _ file: WorkspaceFile, beside queue: Queue
  ) throws(StoreError) -> Kept {
    let own = queue.bytes + queue.count * rowBytes
    let there = Int(queue.lastSeq - (try file.deletedCount()))
    return Kept(bytes: try file.usedBytes() - own, messages: there - queue.count)
  }

  private func commit(
    _ plan: RetentionPlan, _ cause: Tombstone.Cause, now: Now
  ) throws(StoreError) {
    var writes = plan.ranges.map {
      Write.retire(first: $0.lowerBound, last: $0.upperBound, cause: cause, at: now.wall)
    }
    if let seq = plan.trimmed { writes.append(.trim(seq: seq, rows: limits.retentionRowsMax)) }
    guard !writes.isEmpty else { return }
    workspace.care.log.willErase()
    try commit(writes, now: now)
    for seq in plan.deleted { workspace.queue.drop(seq, isDead: plan.dead.contains(seq)) }
    if cause == .age {
      metrics.retiredByAge += plan.deleted.count
    } else {
      metrics.retiredBySize += plan.deleted.count
    }
    workspace.carryOut(now: now)
  }

  /// Commits the writes after the deferred ones, which may be about the deleted messages.
  private func commit(_ writes: [Write], now: Now) throws(StoreError) {
    let all = workspace.transaction.deferred + writes
    try disk.withRoom(for: .deletion) { () throws(StoreError) in try workspace.file.commit(all) }
    workspace.transaction.committedWithDeferred()
    workspace.care.log.used(at: now.instant)
  }

  /// Deletes keys whose window is over, and old tombstones.
  private func expire(now: Now) throws(StoreError) {
    let before = workspace.transaction.commits
    if let next = try workspace.file.nextExpiry(), next <= now.wall {
      try commit([.expire(at: now.wall, rows: limits.retentionRowsMax)], now: now)
    }
    workspace.care.retention.didExpire(
      next: try workspace.file.nextExpiry(), isBusy: commits.isBarrierBusy,
      own: before..<workspace.transaction.commits,
      now: now)
  }
}
