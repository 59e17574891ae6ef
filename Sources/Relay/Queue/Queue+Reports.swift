extension Queue {
  /// The transaction with these reports has passed its barrier.
  package func durable(_ reports: [Report], now: Now) {
    var reserved: [PollID] = []
    for report in reports {
      switch report {
      case .message(let seq):
        guard let message = ledger.messages[seq] else { preconditionFailure("a report for nobody") }
        durable(message, reserved: &reserved, now: now)
      case .task(let task, let state, let call): taskEnded(task, state, call, now: now)
      case .job(let job, _): ledger.actions.append(.jobMoved(job, isDurable: true))
      }
    }
    for poll in reserved { deliveries.answerReserved(poll, now: now) }
    for report in reports {
      if case .message(let seq) = report, let message = ledger.messages[seq] {
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
      if message.task != message.seq { ledger.tasks.go(on: message.task, &ledger.occupancy) }
      ledger.actions.append(.stored(message.seq))
      if let poll = deliveries.stored(message, now: now), reserved.last != poll {
        reserved.append(poll)
      }
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
      ledger.end(message, .answered, now: now)
      ledger.reply(result.call, .accepted(isLate: isLate))
      ledger.actions.append(.answered(message.seq))
    case .end(let state, let reason):
      message.reason = reason
      ledger.end(message, state, now: now)
      ledger.actions.append(.ended(message.seq, reason))
      answerClosers(message, .cancelled)
    case .nothing, .redrive: preconditionFailure("ended without an end")
    }
    deliveries.end(message)
    goOn(with: message.task, ledger.tasks.leave(message, &ledger.occupancy), now: now)
    ledger.receiveReplay(message, now: now)
    ledger.forgetIfDone(message)
  }

  /// The transaction was rolled back: nothing of it is on disk.
  package func refused(_ reports: [Report], now: Now) {
    for report in reports {
      switch report {
      case .message(let seq):
        guard let message = ledger.messages[seq] else { preconditionFailure("a report for nobody") }
        refused(message, now: now)
        applyDeferred(message, now: now)
      case .task(let task, _, let call): taskEndRefused(task, call, now: now)
      case .job(let job, _): ledger.actions.append(.jobMoved(job, isDurable: false))
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
    ledger.tasks.unwrite(message)
    switch message.takePending() {
    case .answer(let result):
      message.keepLease(of: result, told: .notStored, ledger.limits, now: now)
      ledger.reply(result.call, .unavailable)
    case .end(_, .withdrawn): ledger.actions.append(.notWithdrawn(message.seq))
    case .end:
      // An end that came by itself is tried again a little later; a caller who asked gets a reply.
      message.retryAt = now.instant + ledger.limits.backOffFirst
      message.isTold = false
      answerClosers(message, .unavailable)
    case .redrive(let redrive): notRedriven(message, redrive)
    case .nothing: preconditionFailure("refused without a write")
    }
    deliveries.line(up: message, now: now)
  }

  /// The message was never stored: its callers are told, and its poll waits for another message.
  private func vanish(_ message: Message, now: Now) {
    deliveries.notStored(message, now: now)
    ledger.actions.append(.refused(message.seq))
    ledger.remove(message)
    goOn(with: message.task, ledger.tasks.leaveUnstored(message), now: now)
    let waiting = message.waiting
    message.waiting = []
    for deferred in waiting { answerVanished(deferred, message, now: now) }
  }
}
