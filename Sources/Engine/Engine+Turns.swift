package import Relay
import Store
import System

extension Engine {
  /// What the barrier is to make durable.
  package struct RoundWork: Sendable {
    package var number: UInt64
    package var files: [Int32]
    /// One small operation is all that waits for a barrier, in this round or another.
    package var isLone: Bool
  }

  /// Commits what the turn has collected. `nil`: nobody waits for a barrier.
  package func endTurn(now: Now) -> RoundWork? {
    turnNow = now
    var files: [Int32] = []
    let number = rounds.next
    let turn = touched
    touched = []
    // Of this turn's own rounds nobody waits: they share one barrier.
    let isBarrierBusy = !rounds.isEmpty
    for desk in turn {
      desk.isTouched = false
      if isBarrierBusy, mayWait(desk, now: now) {
        touch(desk)
        continue
      }
      if waitsForEmptyLog(desk, now: now) { continue }
      desk.waitsSince = nil
      commit(desk, now: now)
      if closeRound(desk, number) { files.append(desk.file.walDescriptor) }
      settle(desk, now: now)
    }
    if registry.commit(number, now: now) { files.append(data.registry.walDescriptor) }
    guard !files.isEmpty, fatal == nil else { return nil }
    rounds.ask()
    metrics.rounds.add(Int64(operations(in: number)))
    return RoundWork(number: number, files: files, isLone: isLone(number, files))
  }

  /// While a barrier is at work the next one cannot start: a small transaction can wait for what
  /// else arrives, since its answers would have to. One of 64 writes costs a third of 64 of one.
  private func mayWait(_ desk: Desk, now: Now) -> Bool {
    guard desk.failure == nil, !isShuttingDown,
      desk.transaction.batch.count < limits.commitWritesMin,
      desk.transaction.batchBytes < limits.commitBytesMin
    else { return false }
    let since = desk.waitsSince ?? now.instant
    desk.waitsSince = since
    return since + limits.commitWaitMax > now.instant
  }

  /// Makes a round of what waits for the barrier; says whether there is any.
  private func closeRound(_ desk: Desk, _ number: UInt64) -> Bool {
    let isWanted = desk.wantsSync
    desk.wantsSync = false
    guard desk.failure == nil,
      desk.transaction.closeRound(number, progress: { desk.file.progress }, isWanted: isWanted)
    else { return false }
    rounds.add(desk, to: number)
    return true
  }

  /// What waits for the round's barrier: writes of messages, and changes of the registry.
  private func operations(in number: UInt64) -> Int {
    var count = registry.operations(in: number)
    for desk in rounds.desks(in: number) {
      count += desk.transaction.rounds.last?.reports.count ?? 0
    }
    return count
  }

  private func isLone(_ number: UInt64, _ files: [Int32]) -> Bool {
    guard files.count == 1, rounds.count == 1, registry.roundCount == 0,
      rounds.desks(in: number).count == 1,
      let round = rounds.desks(in: number).first?.transaction.rounds.last
    else { return false }
    return round.reports.count + round.replies.count == 1
      && round.bytes <= limits.loopSyncBytesMax
  }

  /// Every round up to `number` is on the disk.
  package func barrierPassed(_ number: UInt64, now: Now) {
    guard let covered = rounds.covered(by: number), fatal == nil, isDirectoryInPlace()
    else { return }
    for current in covered {
      for desk in rounds.take(current) {
        guard let first = desk.transaction.takeRound(current) else { continue }
        if let loss = desk.isOpen ? desk.file.loss() : nil {
          // What was synced is where nobody will read it.
          replies.fail(first.replies, .outcomeUnknown)
          if desk.failure == nil { close(desk, loss) }
          if desk.transaction.rounds.isEmpty { abandonFile(desk) }
          continue
        }
        replies.send(first.replies)
        if desk.failure != nil {
          // The barrier held its descriptor until now.
          if desk.transaction.rounds.isEmpty { abandonFile(desk) }
          continue
        }
        let isAll = desk.transaction.passed(first)
        passed(desk, first.progress, now: now)
        if isAll { desk.file.markSynced() }
        touch(desk)
        desk.queue.durable(first.reports, now: now)
        carryOut(desk, now: now)
      }
      registry.passed(current, now: now)
    }
    rounds.pass(number)
  }
}
