import Relay
import Wire

extension Engine {
  /// Carries out what a queue asks for, and what that leads to.
  func carryOut(_ desk: Desk, now: Now) {
    while !desk.queue.actions.isEmpty {
      let actions = desk.queue.actions
      desk.queue.actions = []
      for action in actions { carryOut(action, desk, now: now) }
    }
    touch(desk)
    // A transaction has a bound; what is over it goes on in a further one of the same round.
    if desk.transaction.batch.count >= limits.roundOperationsMax
      || desk.transaction.batchBytes >= limits.roundBytesMax
    {
      commit(desk, now: now)
    }
  }

  private func carryOut(_ action: Action, _ desk: Desk, now: Now) {
    switch action {
    case .write(let write):
      if case .answer(let answer) = write {
        desk.cache.keep(answer)
        diskGuard.countResult(answer.body.count, &desk.lowDiskUse)
      }
      desk.add(write)
    case .lazy(let write): desk.addDeferred(write, limits, now: now)
    case .report(let report): desk.transaction.add(report)
    case .handOut(let poll, let entries):
      metrics.handedOut(entries)
      send(entries, to: poll, desk, now: now)
    case .empty(let poll):
      desk.open[poll] = nil
      answerEmpty(poll, desk)
    case .reply(let call, let reply, let afterBarrier):
      metrics.answered(reply)
      answerAgent(call, reply, afterBarrier: afterBarrier, desk, now: now)
    case .cancelReply(let call, let reply): answerCancel(call, reply, desk, now: now)
    case .redriveReply(let call, let reply): answerRedrive(call, reply, desk, now: now)
    case .redriveOver(let seq): redriveOver(seq, desk, now: now)
    case .jobMoved(let job, let isDurable):
      jobMoved(job, isDurable: isDurable, desk, now: now)
    case .stored(let seq):
      metrics.sends += 1
      desk.pendingKeys.remove(of: seq)
      replayStored(seq, desk)
      stored(seq, desk, now: now)
      goOn(after: seq, desk, now: now)
    case .refused(let seq):
      desk.pendingKeys.remove(of: seq)
      replayRefused(seq, desk, now: now)
      for waiter in takeWaiters(seq, desk) {
        replies.send(waiter.addressee.reply(isDiskLow ? .diskFull : .notStored))
      }
      goOn(after: seq, desk, now: now)
    case .answered(let seq): answerWaiters(seq, desk, now: now)
    case .ended(let seq, let reason):
      metrics.ended(reason)
      ended(seq, reason, desk, now: now)
    case .notWithdrawn(let seq): notWithdrawn(seq, desk, now: now)
    case .forget(let seq): desk.cache.remove(seq)
    }
  }

  func takeWaiters(_ seq: Seq, _ desk: Desk) -> [Waiter] {
    let waiters = desk.waiters.removeValue(forKey: seq) ?? []
    for waiter in waiters { heldCallers.remove(waiter.addressee.call) }
    return waiters
  }
}
