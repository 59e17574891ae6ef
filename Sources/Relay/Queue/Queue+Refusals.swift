extension Queue {
  /// The write on its way was rolled back.
  func refused(_ message: Message, now: Now) {
    switch MessageTable.cell(message.state, .refused) {
    case .vanish: vanish(message, now: now)
    case .back: goBack(message, now: now)
    case .move, .stay, .wait, .settle, .impossible: bug(message, .refused)
    }
  }

  private func goBack(_ message: Message, now: Now) {
    let pending = message.pending
    message.pending = .nothing
    message.state = message.before
    tasks[message.task]?.onItsWay.removeAll { $0.by == message.seq }
    switch pending {
    case .answer(let result):
      keepLease(message, of: result, told: .notStored, now: now)
      actions.append(.reply(result.call, .unavailable, afterBarrier: false))
    case .end(_, .withdrawn): actions.append(.notWithdrawn(message.seq))
    case .end:
      // What ends by itself is tried again a little later; who asked for an end is answered.
      message.retryAt = now.instant + limits.backOffFirst
      message.isTold = false
      answerClosers(message, .unavailable)
    case .redrive(let redrive): notRedriven(message, redrive)
    case .nothing: preconditionFailure("refused without a write")
    }
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// The agent has its work done and is told to come again: its lease does not run out meanwhile.
  /// Nothing is written; after a restart the lease has its grace anyway.
  func keepLease(
    _ message: Message, of result: AgentResultCall, told error: RelayError, now: Now
  ) {
    guard let handOut = message.handOut, handOut.fence == result.fence else { return }
    let told = Duration.seconds(error.retryAfterSeconds ?? 0)
    message.handOut?.end = max(handOut.end, now.instant + told + limits.refusedLeaseMargin)
  }

  /// It was never stored: its callers know, and its poll waits for another.
  private func vanish(_ message: Message, now: Now) {
    if let id = message.handOut?.poll {
      unreserve(id, message, now: now)
    } else {
      unreservedStoring -= 1
    }
    clearHandOut(message)
    actions.append(.refused(message.seq))
    remove(message)
    if message.task == message.seq {
      tasks[message.task] = nil
    } else {
      leaveUnstored(message, now: now)
    }
    for deferred in message.waiting { answerVanished(deferred, message, now: now) }
    message.waiting = []
  }

  private func unreserve(_ id: PollID, _ message: Message, now: Now) {
    guard var poll = polls[id] else { return }
    poll.reserved.removeAll { $0 == message.seq }
    poll.reservedBytes -= message.bytes
    polls[id] = poll
    guard poll.reserved.isEmpty else { return }
    park(id)
    // Its timer found it reserved and is gone; otherwise it is still set.
    if poll.deadline <= now.instant { push(poll.deadline, id, .poll) }
  }

  /// The task that it would have continued is as it was.
  private func leaveUnstored(_ message: Message, now: Now) {
    guard var entry = tasks[message.task] else { return }
    entry.messages.removeAll { $0 == message.seq }
    let isOver = entry.messages.isEmpty && entry.state.isTerminal && !entry.isPending
    tasks[message.task] = isOver ? nil : entry
    if let first = entry.messages.first, let next = messages[first] {
      offerWhenDue(next, now: now)
    } else if let expires = entry.expires {
      // Its timer may have found the message and is gone then.
      if expires <= now.instant { expireLater(message.task, expires) }
    } else {
      watchInput(message.task, changed: now.wall, now: now)
    }
  }

  private func answerVanished(_ deferred: Deferred, _ message: Message, now: Now) {
    switch deferred {
    case .cancelTask(let call):
      if message.task == message.seq {
        actions.append(.cancelReply(call, .unavailable))
      } else {
        cancelTask(call, message.task, now: now)
      }
    case .close(let call, _, _):
      if let call { actions.append(.cancelReply(call, .unavailable)) }
    case .redrive(let call, let seq, let note):
      // Asked for another message of the task, if not for this.
      if seq != message.seq {
        redrive(call, seq, note: note, now: now)
      } else if let call {
        actions.append(.redriveReply(call, .unavailable))
      }
    // Its callers know already.
    case .end, .withdraw: break
    case .claim, .extend, .release, .result, .pollDead:
      preconditionFailure("nobody has been shown what was not stored")
    }
  }

  /// What waited for the report happens now, in its order.
  func resume(_ message: Message, now: Now) {
    let waiting = message.waiting
    message.waiting = []
    for deferred in waiting { resume(deferred, message, now: now) }
    if message.isDue {
      message.isDue = false
      due(message, now: now)
    }
    schedule(message, now: now)
    forgetIfDone(message)
  }

  private func resume(_ deferred: Deferred, _ message: Message, now: Now) {
    switch deferred {
    case .claim(let call, let fence): claim(call, message.seq, fence, now: now)
    case .extend(let call, let fence, let length):
      extend(call, message.seq, fence, length: length, now: now)
    case .release(let call, let fence, let delay, let reason):
      giveBack(call, message.seq, fence, delay: delay, reason: reason, now: now)
    case .result(let result): self.result(result, message.seq, now: now)
    case .cancelTask(let call): cancelTask(call, message.task, now: now)
    case .close(let call, let reason, let note):
      close(call, message.seq, reason, note: note, now: now)
    case .redrive(let call, let seq, let note): redrive(call, seq, note: note, now: now)
    case .end(let event, let reason): end(message, event, reason, now: now)
    case .pollDead(let fence, let wasSent):
      pollDead(message, fence, wasSent: wasSent, now: now)
    case .withdraw:
      let isOver = messages[message.seq] == nil || message.state.isEnd
      if !withdraw(message.seq, now: now), !isOver { actions.append(.notWithdrawn(message.seq)) }
    }
  }
}
