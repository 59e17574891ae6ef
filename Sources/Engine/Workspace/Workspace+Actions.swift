import Relay

extension Workspace {
  /// Carries out the actions that the queue requests, and their consequences.
  func carryOut(now: Now) {
    while !queue.actions.isEmpty {
      let actions = queue.actions
      queue.actions = []
      for action in actions { carryOut(action, now: now) }
    }
    touch()
    // A transaction has a limit; the rest goes into another transaction of the same commit round.
    if transaction.batch.count >= limits.roundOperationsMax
      || transaction.batchBytes >= limits.roundBytesMax
    {
      commit(now: now)
    }
  }

  private func carryOut(_ action: Action, now: Now) {
    switch action {
    case .write(let write):
      if case .answer(let answer) = write {
        cache.keep(answer)
        disk.countResult(answer.body.count, &care.lowDiskUse)
      }
      add(write)
    case .lazy(let write): addDeferred(write, now: now)
    case .report(let report): transaction.add(report)
    case .handOut(let poll, let messages):
      metrics.handedOut(messages)
      agents.send(messages, to: poll, now: now)
    case .empty(let poll):
      openCalls[poll] = nil
      agents.answerEmpty(poll)
    case .reply(let call, let reply, let afterBarrier):
      metrics.answered(reply)
      agents.answerAgent(call, reply, afterBarrier: afterBarrier, now: now)
    case .cancelReply(let call, let reply): callers.answerCancel(call, reply, now: now)
    case .redriveReply(let call, let reply): operators.answerRedrive(call, reply, now: now)
    case .redriveOver(let seq): tasks.redriveOver(seq, now: now)
    case .jobMoved(let job, let isDurable):
      jobs.jobMoved(job, isDurable: isDurable, now: now)
    case .stored(let seq):
      metrics.sends += 1
      waiting.keys.remove(of: seq)
      operators.replayStored(seq)
      tasks.stored(seq, now: now)
      tasks.goOn(after: seq, now: now)
    case .refused(let seq):
      waiting.keys.remove(of: seq)
      operators.replayRefused(seq, now: now)
      for waiter in tasks.takeWaiters(seq) {
        replies.send(waiter.addressee.reply(disk.isLow ? .diskFull : .notStored))
      }
      tasks.goOn(after: seq, now: now)
    case .answered(let seq): tasks.answerWaiters(seq, now: now)
    case .ended(let seq, let reason):
      metrics.ended(reason)
      tasks.ended(seq, reason, now: now)
    case .notWithdrawn(let seq): tasks.notWithdrawn(seq, now: now)
    case .forget(let seq): cache.remove(seq)
    }
  }
}
