extension Queue {
  /// The transaction that these were part of has passed its barrier.
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
      if case .message(let seq) = report, let message = messages[seq] { resume(message, now: now) }
    }
    dispatch(now: now)
  }

  /// The transaction was rolled back: nothing of it is on disk.
  package func refused(_ reports: [Report], now: Now) {
    for report in reports {
      switch report {
      case .message(let seq):
        guard let message = messages[seq] else { preconditionFailure("a report for nobody") }
        refused(message, now: now)
        resume(message, now: now)
      case .task(let task, _, let call): taskEndRefused(task, call, now: now)
      case .job(let job, _): actions.append(.jobMoved(job, isDurable: false))
      }
    }
    dispatch(now: now)
  }

  /// The rows of a poll's hand-outs were rolled back; the poll is not answered with them. This
  /// comes, for every poll of the turn, before `refused` (with the turn's reports, if it had any),
  /// which begins anew what waited and hands out again.
  package func handOutRefused(_ seqs: [Seq], now: Now) {
    for seq in seqs {
      guard let message = messages[seq], message.handOut != nil else { continue }
      if message.state.isPending {
        // It came to its end in the same turn; that write is refused too.
        message.before = .queued
        forgetHandOut(message)
      } else if case .move(let state, .none, .unavailable) =
        MessageTable.cell(message.state, .refused)
      {
        forgetHandOut(message)
        message.state = state
        offerWhenDue(message, now: now)
        schedule(message, now: now)
      }
    }
  }

  private func durable(_ message: Message, reserved: inout [PollID], now: Now) {
    switch MessageTable.cell(message.state, .durable) {
    case .move(let state, _, .stored):
      message.state = state
      continued(message)
      actions.append(.stored(message.seq))
      guard let poll = message.handOut?.poll else {
        unreservedStoring -= 1
        return offerWhenDue(message, now: now)
      }
      if reserved.last != poll { reserved.append(poll) }
    case .move(let state, _, .answer):
      message.state = state
      answered(message, now: now)
    case .move(let state, _, .redriven): redriven(message, to: state, now: now)
    case .settle: settle(message, now: now)
    case .move, .stay, .wait, .back, .vanish, .impossible: bug(message, .durable)
    }
  }

  /// A stored message of an interrupted task sets it to work again; its own write has said so to
  /// the file. What is on its way for the task after that is told by its own report.
  private func continued(_ message: Message) {
    guard message.task != message.seq else { return }
    tasks[message.task]?.expires = nil
    guard let state = tasks[message.task]?.state, let next = TaskTable.next(state, .continued)
    else { return }
    enter(next, message.task)
  }

  /// The messages that reserved this poll are durable: it gets them, if it is still there.
  private func answerReserved(_ id: PollID, now: Now) {
    let poll = polls.removeValue(forKey: id)
    var entries: [HandOut] = []
    for message in messagesReserved(id, poll) {
      guard let poll, let handOut = message.handOut else {
        unreserve(message, now: now)
        continue
      }
      let event: MessageEvent = poll.confirm ? .offer : .poll
      guard case .move(let state, .handOut, .entry) = MessageTable.cell(message.state, event)
      else { bug(message, event) }
      message.state = state
      message.handOut?.turn = turn
      schedule(message, now: now)
      startTask(of: message, now: now)
      entries.append(
        HandOut(
          seq: message.seq, fence: handOut.fence, attempt: message.attempt, end: handOut.end,
          isOffer: poll.confirm, isRedelivered: handOut.isRedelivered))
    }
    lastPollEnd = now.instant
    if !entries.isEmpty { actions.append(.handOut(id, entries)) }
  }

  private func messagesReserved(_ id: PollID, _ poll: Poll?) -> [Message] {
    if let poll { return poll.reserved.compactMap { messages[$0] } }
    return messages.values.filter { $0.state == .queued && $0.handOut?.poll == id }
      .sorted { $0.seq < $1.seq }
  }

  /// Its poll went away while the write was on its way: as if it had never been handed out, but
  /// that its task counts as working, since the hand-out has its row.
  private func unreserve(_ message: Message, now: Now) {
    startTask(of: message, now: now)
    change(message, .withheld, now: now)
    forgetHandOut(message)
    offerWhenDue(message, now: now)
  }

  private func forgetHandOut(_ message: Message) {
    message.attempt -= 1
    message.wasHandedOut = message.handOut?.isRedelivered ?? message.wasHandedOut
    clearHandOut(message)
    _ = message.fences.popLast()
  }

  private func answered(_ message: Message, now: Now) {
    guard case .answer(let result) = message.pending else {
      preconditionFailure("answered without an answer")
    }
    message.pending = .nothing
    message.answerFence = result.fence
    message.answerHash = result.hash
    let isLate = message.handOut?.fence != result.fence
    clearHandOut(message)
    countEnd(message)
    noteEnd(message, at: now.wall)
    actions.append(.reply(result.call, .accepted(isLate: isLate), afterBarrier: false))
    actions.append(.answered(message.seq))
    leaveTask(message, now: now)
    receiveReplay(message, now: now)
    forgetIfDone(message)
  }

  private func settle(_ message: Message, now: Now) {
    guard case .end(let state, let reason) = message.pending else {
      preconditionFailure("ended without an end")
    }
    message.pending = .nothing
    message.state = state
    message.reason = reason
    clearHandOut(message)
    countEnd(message)
    noteEnd(message, at: now.wall)
    actions.append(.ended(message.seq, reason))
    answerClosers(message, .cancelled)
    leaveTask(message, now: now)
    receiveReplay(message, now: now)
    forgetIfDone(message)
  }

  /// The message is no longer one that its task waits for.
  private func leaveTask(_ message: Message, now: Now) {
    guard var entry = tasks.removeValue(forKey: message.task) else { return }
    entry.messages.removeAll { $0 == message.seq }
    if let index = entry.onItsWay.firstIndex(where: { $0.by == message.seq }) {
      let state = entry.onItsWay.remove(at: index).state
      countInterrupted(of: entry.caller, entry.state, state)
      entry.state = state
    }
    let others = entry.messages
    guard !others.isEmpty || !entry.state.isTerminal || entry.isPending else { return }
    tasks[message.task] = entry
    if entry.state.isTerminal {
      for seq in others { endWithTask(seq, now: now) }
    } else if let next = others.first, let message = messages[next] {
      offerWhenDue(message, now: now)
    } else {
      watchInput(message.task, changed: now.wall, now: now)
    }
  }
}
