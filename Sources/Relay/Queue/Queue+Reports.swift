extension Queue {
  /// The transaction with these reports has passed its barrier.
  package func durable(_ reports: [Report], now: Now) {
    var reserved: [PollID] = []
    for report in reports {
      switch report {
      case .message(let seq):
        guard let message = messages[seq] else { preconditionFailure("a report for nobody") }
        durable(message, reserved: &reserved, now: now)
      case .task(let task, let state, let call): taskEnded(task, state, call, now: now)
      case .job(let job, _): actions.append(.jobMoved(job, isDurable: true))
      }
    }
    for poll in reserved { answerReserved(poll, now: now) }
    for report in reports {
      if case .message(let seq) = report, let message = messages[seq] {
        applyDeferred(message, now: now)
      }
    }
    dispatch(now: now)
  }

  private func durable(_ message: Message, reserved: inout [PollID], now: Now) {
    switch MessageTable.cell(message.state, .durable) {
    case .move(let state, _, .stored):
      message.state = state
      // The message's own write has set an interrupted task to work again in the file.
      if message.task != message.seq { tasks.go(on: message.task, &occupancy) }
      actions.append(.stored(message.seq))
      guard let poll = message.handOut?.poll else {
        ready.endStoring()
        return offerWhenDue(message, now: now)
      }
      if reserved.last != poll { reserved.append(poll) }
    case .move(_, _, .answer), .settle: finish(message, now: now)
    case .move(let state, _, .redriven): redriven(message, to: state, now: now)
    case .move, .stay, .wait, .back, .vanish, .impossible: message.isImpossible(.durable)
    }
  }

  /// The answer or the other end of the message is durable.
  private func finish(_ message: Message, now: Now) {
    switch message.takePending() {
    case .answer(let result):
      let isLate = message.handOut?.fence != result.fence
      message.answerFence = result.fence
      message.answerHash = result.hash
      enterEnd(message, .answered, now: now)
      reply(result.call, .accepted(isLate: isLate))
      actions.append(.answered(message.seq))
    case .end(let state, let reason):
      message.reason = reason
      enterEnd(message, state, now: now)
      actions.append(.ended(message.seq, reason))
      answerClosers(message, .cancelled)
    case .nothing, .redrive: preconditionFailure("ended without an end")
    }
    goOn(with: message.task, tasks.leave(message, &occupancy), now: now)
    receiveReplay(message, now: now)
    forgetIfDone(message)
  }

  private func enterEnd(_ message: Message, _ state: MessageState, now: Now) {
    leases.end(message)
    occupancy.move(message, from: message.state, to: state)
    messages.noteEnd(message, at: now.wall)
  }

  /// The transaction was rolled back: nothing of it is on disk.
  package func refused(_ reports: [Report], now: Now) {
    for report in reports {
      switch report {
      case .message(let seq):
        guard let message = messages[seq] else { preconditionFailure("a report for nobody") }
        refused(message, now: now)
        applyDeferred(message, now: now)
      case .task(let task, _, let call): taskEndRefused(task, call, now: now)
      case .job(let job, _): actions.append(.jobMoved(job, isDurable: false))
      }
    }
    dispatch(now: now)
  }

  private func refused(_ message: Message, now: Now) {
    switch MessageTable.cell(message.state, .refused) {
    case .vanish: vanish(message, now: now)
    case .back: goBack(message, now: now)
    case .move, .stay, .wait, .settle, .impossible: message.isImpossible(.refused)
    }
  }

  /// The message is as it was before the write.
  private func goBack(_ message: Message, now: Now) {
    message.state = message.before
    tasks.unwrite(message)
    switch message.takePending() {
    case .answer(let result):
      message.keepLease(of: result, told: .notStored, limits, now: now)
      reply(result.call, .unavailable)
    case .end(_, .withdrawn): actions.append(.notWithdrawn(message.seq))
    case .end:
      // An end that came by itself is tried again a little later; a caller who asked gets a reply.
      message.retryAt = now.instant + limits.backOffFirst
      message.isTold = false
      answerClosers(message, .unavailable)
    case .redrive(let redrive): notRedriven(message, redrive)
    case .nothing: preconditionFailure("refused without a write")
    }
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// The message was never stored: its callers are told, and its poll waits for another message.
  private func vanish(_ message: Message, now: Now) {
    if let id = message.handOut?.poll {
      let poll = polls.unreserve(message.seq, bytes: message.bytes, from: id)
      // The poll's timer found it reserved and is gone; otherwise it is still set.
      if let poll, poll.deadline <= now.instant { setTimer(.poll, id, at: poll.deadline) }
    } else {
      ready.endStoring()
    }
    leases.end(message)
    actions.append(.refused(message.seq))
    remove(message)
    goOn(with: message.task, tasks.leaveUnstored(message), now: now)
    let waiting = message.waiting
    message.waiting = []
    for deferred in waiting { answerVanished(deferred, message, now: now) }
  }

  /// The rows of a poll's deliveries were rolled back; the poll is not answered with them. This
  /// comes, for every poll of the turn, before `refused` (with the turn's reports, if it had any),
  /// which applies deferred events and delivers again.
  package func handOutRefused(_ seqs: [Seq], now: Now) {
    for seq in seqs {
      guard let message = messages[seq], message.handOut != nil else { continue }
      if message.state.isPending {
        // The message came to its end in the same turn; that write is refused too.
        message.before = .queued
        leases.undo(message)
      } else if case .move(let state, .none, .unavailable) =
        MessageTable.cell(message.state, .refused)
      {
        leases.undo(message)
        message.state = state
        offerWhenDue(message, now: now)
        schedule(message, now: now)
      }
    }
  }
}
