extension Queue {
  /// Everything that is due by `now`.
  package func tick(now: Now) {
    while let timer = timers.first, timer.at <= now.instant {
      _ = timers.popFirst()
      fire(timer, now: now)
    }
    dispatch(now: now)
  }

  private func fire(_ timer: Timer, now: Now) {
    switch timer.kind {
    case .poll:
      guard let poll = polls[timer.key], poll.reserved.isEmpty else { return }
      endPoll(timer.key, now: now)
    case .task: expireTask(Seq(timer.key), now: now)
    case .message:
      guard let message = messages[Seq(timer.key)], message.timerAt == timer.at else { return }
      message.timerAt = nil
      due(message, now: now)
    }
  }

  /// The message's time has come for something, or seems to have.
  func due(_ message: Message, now: Now) {
    guard !message.state.isEnd else { return }
    // No timer of a message acts while a write of it is on its way.
    if message.state.isPending, !isPlantedTimer(message, now: now) {
      message.isDue = true
      return
    }
    if let retryAt = message.retryAt, retryAt > now.instant {
      offerWhenDue(message, now: now)
      return schedule(message, now: now)
    }
    message.retryAt = nil
    if let reason = message.mustEnd {
      let event: MessageEvent = reason == .attemptsUsedUp ? .lastAttemptEnd : .taskEnded
      end(message, event, reason, now: now)
    } else if hasExpired(message, now: now) {
      end(message, .timeToLiveEnd, .expired, now: now)
    } else if let handOut = message.handOut, handOut.end <= now.instant {
      handOutEnded(message, now: now)
    } else {
      offerWhenDue(message, now: now)
    }
    schedule(message, now: now)
  }

  func hasExpired(_ message: Message, now: Now) -> Bool {
    max(message.expires, expiresFrom) <= now.instant
  }

  /// The planted bug that lets a lease end while its result is on the way to the disk.
  private func isPlantedTimer(_ message: Message, now: Now) -> Bool {
    #if PLANTS
      if plant == .timerDuringWrite, message.state == .answering,
        let handOut = message.handOut, handOut.end <= now.instant
      {
        message.state = .leased
        return true
      }
    #endif
    return false
  }

  func handOutEnded(_ message: Message, now: Now) {
    let event: MessageEvent = message.state == .offered ? .offerEnd : .leaseEnd
    guard case .move(let state, .requeue, _) = MessageTable.cell(message.state, event) else {
      bug(message, event)
    }
    if event == .offerEnd {
      returnUntouched(message, to: state, now: now)
    } else {
      loseAttempt(message, to: state, now: now)
    }
  }

  /// The agent never made a call for the hand-out: an unclaimed offer, a lost connection, a
  /// consumer that polls again. The message goes back to the head and no attempt counts; but the
  /// last of `offersInARow` of them counts, or a message that ends its agent would come for ever.
  func returnUntouched(_ message: Message, to state: MessageState, now: Now) {
    message.untouchedInARow += 1
    #if PLANTS
      if plant == .returnsUncounted { message.untouchedInARow = 0 }
    #endif
    guard message.untouchedInARow >= limits.offersInARow else {
      return takeBack(message, to: state, kind: .unburnt, now: now)
    }
    loseAttempt(message, to: state, now: now)
  }

  private func loseAttempt(_ message: Message, to state: MessageState, now: Now) {
    guard message.attempt < limits.attempts else {
      write(message, .lost, now: now)
      return end(message, .lastAttemptEnd, .attemptsUsedUp, now: now)
    }
    takeBack(message, to: state, kind: .lost, delay: backOff(message), now: now)
  }

  /// The current hand-out is over and the message is in the queue again, at its old position.
  func takeBack(
    _ message: Message, to state: MessageState, kind: HandOutChange.Kind, delay: Duration? = nil,
    reason: String = "", now: Now
  ) {
    if kind == .released {
      write(message, kind, now: now, reason: reason)
    } else {
      change(message, kind, now: now)
    }
    if kind.countsNoAttempt { message.attempt -= 1 } else { message.untouchedInARow = 0 }
    clearHandOut(message)
    message.state = state
    message.notBefore = now.instant + (delay ?? .zero)
    let requeue = Write.requeue(
      seq: message.seq, attempt: message.attempt, notBefore: now.wall(at: message.notBefore))
    // The agent is told that its release is durable; nobody waits for the others.
    actions.append(kind == .released ? .write(requeue) : .lazy(requeue))
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// Into the order of hand-out, if its time has come; else its timer will do it.
  func offerWhenDue(_ message: Message, now: Now) {
    guard message.state == .queued, message.mustEnd == nil, !message.isReady,
      message.notBefore <= now.instant, tasks[message.task]?.messages.first == message.seq
    else { return }
    #if PLANTS
      if plant == .lostWakeUp, message.attempt > 0 { return }
    #endif
    message.isReady = true
    ready.insert(Ready(position: message.position, seq: message.seq))
    // What ended while it stood in the order stays until it is in the majority.
    if ready.count > 64 + 2 * messages.count {
      ready.keep { messages[$0.seq]?.isReady == true }
    }
  }

  /// An end without an answer, by the table.
  func end(_ message: Message, _ event: MessageEvent, _ reason: EndReason, now: Now) {
    switch MessageTable.cell(message.state, event) {
    case .move(let state, .end, _):
      message.before = message.state
      message.state = state
      message.pending = .end(Self.finalState(reason), reason)
      actions.append(
        .write(
          .end(seq: message.seq, state: Self.finalState(reason), reason: reason, at: now.wall)))
      if let event = Self.taskEvent(reason) {
        writeTask(message.task, event, by: message.seq, now: now)
      }
      if reason == .attemptsUsedUp { keepDead(message, now: now) }
      actions.append(.report(.message(message.seq)))
    case .wait: message.waiting.append(.end(event, reason))
    case .stay: break
    case .move, .settle, .back, .vanish, .impossible: bug(message, event)
    }
  }

  static func finalState(_ reason: EndReason) -> MessageState {
    switch reason {
    case .attemptsUsedUp: .dead
    case .expired: .expired
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .taskEnded, .purged,
      .workspaceRemoved:
      .cancelled
    }
  }

  static func taskEvent(_ reason: EndReason) -> TaskEvent? {
    switch reason {
    case .attemptsUsedUp, .expired: .lost
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .purged, .workspaceRemoved:
      .cancelled
    case .taskEnded: nil
    }
  }
}
