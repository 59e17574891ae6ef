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
      case .task(let task, _, let call):
        tasks[task]?.isPending = false
        if let call { actions.append(.cancelReply(call, .unavailable)) }
        if let expires = tasks[task]?.expires {
          push(max(expires, now.instant + limits.backOffFirst), UInt64(task), .task)
        }
      }
    }
    dispatch(now: now)
  }

  /// The rows of a poll's hand-outs were rolled back; the poll is not answered with them.
  package func handOutRefused(_ seqs: [Seq], now: Now) {
    for seq in seqs {
      guard let message = messages[seq], message.state == .offered || message.state == .leased,
        case .move(let state, .none, .unavailable) = MessageTable.cell(message.state, .refused)
      else { continue }
      forgetHandOut(message)
      message.state = state
      offerWhenDue(message, now: now)
    }
  }

  private func durable(_ message: Message, reserved: inout [PollID], now: Now) {
    switch MessageTable.cell(message.state, .durable) {
    case .move(let state, _, .stored):
      message.state = state
      continued(message, now: now)
      actions.append(.stored(message.seq))
      guard let poll = message.handOut?.poll else { return offerWhenDue(message, now: now) }
      if reserved.last != poll { reserved.append(poll) }
    case .move(let state, _, .answer):
      message.state = state
      answered(message, now: now)
    case .settle: settle(message, now: now)
    case .move, .stay, .wait, .back, .vanish, .impossible: bug(message, .durable)
    }
  }

  /// A stored message of an interrupted task sets it to work again.
  private func continued(_ message: Message, now: Now) {
    guard message.task != message.seq, let state = tasks[message.task]?.state,
      let next = TaskTable.next(state, .continued)
    else { return }
    tasks[message.task]?.state = next
    tasks[message.task]?.expires = nil
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
      startTask(of: message, now: now)
      entries.append(
        HandOut(
          seq: message.seq, fence: handOut.fence, attempt: message.attempt, end: handOut.end,
          isOffer: poll.confirm, isRedelivered: false))
    }
    lastPollEnd = now.instant
    if !entries.isEmpty { actions.append(.handOut(id, entries)) }
  }

  private func messagesReserved(_ id: PollID, _ poll: Poll?) -> [Message] {
    if let poll { return poll.reserved.compactMap { messages[$0] } }
    return messages.values.filter { $0.state == .queued && $0.handOut?.poll == id }
      .sorted { $0.seq < $1.seq }
  }

  /// Its poll went away while the write was on its way: as if it had never been handed out.
  private func unreserve(_ message: Message, now: Now) {
    change(message, .unburnt, now: now)
    forgetHandOut(message)
    offerWhenDue(message, now: now)
  }

  private func forgetHandOut(_ message: Message) {
    message.attempt -= 1
    message.handOut = nil
    message.wasHandedOut = message.attempt > 0
    _ = message.fences.popLast()
  }

  private func answered(_ message: Message, now: Now) {
    guard case .answer(let result, let state) = message.pending else {
      preconditionFailure("answered without an answer")
    }
    message.pending = .nothing
    message.answerFence = result.fence
    message.answerHash = result.hash
    let isLate = message.handOut?.fence != result.fence
    message.handOut = nil
    unanswered -= 1
    actions.append(.reply(result.call, .accepted(isLate: isLate), afterBarrier: false))
    actions.append(.answered(message.seq))
    let event = TaskTable.event(ofResult: state)
    leaveTask(message, event, now: now)
    forgetIfDone(message)
  }

  private func settle(_ message: Message, now: Now) {
    guard case .end(let state, let reason) = message.pending else {
      preconditionFailure("ended without an end")
    }
    message.pending = .nothing
    message.state = state
    message.reason = reason
    message.handOut = nil
    unanswered -= 1
    actions.append(.ended(message.seq, reason))
    leaveTask(message, Self.taskEvent(reason), now: now)
    forgetIfDone(message)
  }

  /// The message is no longer one that its task waits for.
  private func leaveTask(_ message: Message, _ event: TaskEvent?, now: Now) {
    guard var entry = tasks.removeValue(forKey: message.task) else { return }
    entry.messages.removeAll { $0 == message.seq }
    if let event, let next = TaskTable.next(entry.state, event) { entry.state = next }
    let others = entry.messages
    guard !others.isEmpty || !entry.state.isTerminal || entry.isPending else { return }
    tasks[message.task] = entry
    if entry.state.isTerminal {
      for seq in others {
        if let other = messages[seq] { end(other, .taskEnded, .taskEnded, now: now) }
      }
    } else if let next = others.first, let message = messages[next] {
      offerWhenDue(message, now: now)
    } else {
      watchInput(message.task, changed: now.wall, now: now)
    }
  }

  private func taskEnded(_ task: Seq, _ state: TaskState, _ call: CallID?, now: Now) {
    tasks[task]?.isPending = false
    tasks[task]?.state = state
    if let others = tasks[task]?.messages {
      for seq in others {
        if let other = messages[seq] { end(other, .taskEnded, .taskEnded, now: now) }
      }
      if others.isEmpty { tasks[task] = nil }
    }
    if let call { actions.append(.cancelReply(call, .cancelled)) }
  }

  private func refused(_ message: Message, now: Now) {
    switch MessageTable.cell(message.state, .refused) {
    case .vanish: vanish(message, now: now)
    case .back:
      let pending = message.pending
      message.pending = .nothing
      message.state = message.before
      switch pending {
      case .answer(let result, _):
        actions.append(.reply(result.call, .unavailable, afterBarrier: false))
      case .end(_, .withdrawn): actions.append(.notWithdrawn(message.seq))
      case .end, .nothing: retryEnd(message, now: now)
      }
      offerWhenDue(message, now: now)
    case .move, .stay, .wait, .settle, .impossible: bug(message, .refused)
    }
  }

  /// What ended it is still true: it is tried again a little later.
  private func retryEnd(_ message: Message, now: Now) {
    let soon = now.instant + limits.backOffFirst
    if message.handOut != nil { push(soon, UInt64(message.seq), .handOut) }
    push(max(soon, message.expires), UInt64(message.seq), .timeToLive)
  }

  /// It was never stored: its callers know, and its poll waits for another.
  private func vanish(_ message: Message, now: Now) {
    unanswered -= 1
    if let id = message.handOut?.poll, var poll = polls[id] {
      poll.reserved.removeAll { $0 == message.seq }
      poll.reservedBytes -= message.bytes
      polls[id] = poll
      if poll.reserved.isEmpty {
        parked.append(id)
        push(poll.deadline, id, .poll)
      }
    }
    actions.append(.refused(message.seq))
    remove(message)
    if message.task == message.seq {
      tasks[message.task] = nil
    } else {
      tasks[message.task]?.messages.removeAll { $0 == message.seq }
      watchInput(message.task, changed: now.wall, now: now)
    }
  }

  /// What waited for the report happens now, in its order.
  private func resume(_ message: Message, now: Now) {
    guard !message.waiting.isEmpty else { return }
    let waiting = message.waiting
    message.waiting = []
    for deferred in waiting {
      switch deferred {
      case .claim(let call, let fence): claim(call, message.seq, fence, now: now)
      case .extend(let call, let fence, let length):
        extend(call, message.seq, fence, length: length, now: now)
      case .release(let call, let fence, let delay, let reason):
        release(call, message.seq, fence, delay: delay, reason: reason, now: now)
      case .result(let result): self.result(result, message.seq, now: now)
      case .cancelTask(let call): cancelTask(call, message.task, now: now)
      case .end(let event, let reason): end(message, event, reason, now: now)
      case .timer(let kind): fire(kind, message, now: now)
      case .pollDead(let fence): pollDead(message, fence, now: now)
      case .withdraw:
        if !withdraw(message.seq, now: now) { actions.append(.notWithdrawn(message.seq)) }
      }
    }
    forgetIfDone(message)
  }
}
