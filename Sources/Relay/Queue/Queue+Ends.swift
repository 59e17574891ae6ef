extension Queue {
  /// Everything that is due by `now`.
  package func tick(now: Now) {
    while let timer = timers.first, timer.at <= now.instant {
      _ = timers.popFirst()
      fire(timer.kind, timer.key, now: now)
    }
    dispatch(now: now)
  }

  private func fire(_ kind: Timer.Kind, _ key: UInt64, now: Now) {
    switch kind {
    case .poll:
      guard let poll = polls[key], poll.reserved.isEmpty else { return }
      endPoll(key, now: now)
    case .task: expireTask(Seq(key), now: now)
    case .handOut, .notBefore, .timeToLive:
      guard let message = messages[Seq(key)] else { return }
      fire(kind, message, now: now)
    }
  }

  func fire(_ kind: Timer.Kind, _ message: Message, now: Now) {
    guard !message.state.isEnd else { return }
    var isPending = message.state.isPending
    #if PLANTS
      if plant == .timerDuringWrite, kind == .handOut, message.state == .answering,
        let handOut = message.handOut, handOut.end <= now.instant
      {
        isPending = false
        message.state = .leased
      }
    #endif
    // No timer of a message acts while a write of it is on its way.
    if isPending { return message.waiting.append(.timer(kind)) }
    switch kind {
    case .notBefore: offerWhenDue(message, now: now)
    case .timeToLive:
      if message.expires <= now.instant { end(message, .timeToLiveEnd, .expired, now: now) }
    case .handOut: handOutEnded(message, now: now)
    case .poll, .task: break
    }
  }

  private func handOutEnded(_ message: Message, now: Now) {
    guard let handOut = message.handOut else { return }
    guard handOut.end <= now.instant else {
      return push(handOut.end, UInt64(message.seq), .handOut)
    }
    let event: MessageEvent = message.state == .offered ? .offerEnd : .leaseEnd
    if event == .offerEnd { message.offersInARow += 1 }
    let isBurnt = event == .leaseEnd || message.offersInARow >= limits.offersInARow
    if isBurnt, message.attempt >= limits.attempts {
      change(message, .lost, now: now)
      return end(message, .lastAttemptEnd, .attemptsUsedUp, now: now)
    }
    guard case .move(let state, .requeue, _) = MessageTable.cell(message.state, event) else {
      bug(message, event)
    }
    if isBurnt { message.offersInARow = 0 }
    takeBack(
      message, to: state, kind: isBurnt ? .lost : .unburnt, delay: isBurnt ? backOff(message) : nil,
      now: now)
  }

  /// The current hand-out is over and the message is in the queue again, at its old position.
  func takeBack(
    _ message: Message, to state: MessageState, kind: HandOutChange.Kind, delay: Duration? = nil,
    reason: String = "", now: Now
  ) {
    change(message, kind, now: now, reason: reason)
    if kind == .unburnt { message.attempt -= 1 }
    message.handOut = nil
    message.state = state
    message.notBefore = now.instant + (delay ?? .zero)
    actions.append(
      .lazy(
        .requeue(
          seq: message.seq, attempt: message.attempt, notBefore: now.wall(at: message.notBefore))))
    offerWhenDue(message, now: now)
  }

  /// Into the order of hand-out, now or when its time has come.
  func offerWhenDue(_ message: Message, now: Now) {
    guard message.state == .queued, tasks[message.task]?.messages.first == message.seq
    else { return }
    #if PLANTS
      if plant == .lostWakeUp, message.attempt > 0 { return }
    #endif
    if message.notBefore <= now.instant {
      ready.insert(Ready(position: message.position, seq: message.seq))
    } else {
      push(message.notBefore, UInt64(message.seq), .notBefore)
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
      if let event = Self.taskEvent(reason) { writeTask(message, event, now: now) }
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

  func writeTask(_ message: Message, _ event: TaskEvent, now: Now) {
    guard let state = tasks[message.task]?.state, let next = TaskTable.next(state, event)
    else { return }
    actions.append(.write(.task(seq: message.task, state: next, at: now.wall)))
  }

  /// The caller ends its task. Answered when that is durable.
  package func cancelTask(_ call: CallID, _ task: Seq, now: Now) {
    guard let entry = tasks[task], !entry.state.isTerminal else {
      return actions.append(.cancelReply(call, .notCancelable))
    }
    for seq in entry.messages {
      if let message = messages[seq], message.state.isPending {
        return message.waiting.append(.cancelTask(call))
      }
    }
    for seq in entry.messages {
      if let message = messages[seq] { end(message, .cancel, .cancelledByCaller, now: now) }
    }
    endTask(task, .cancelled, call, now: now)
  }

  private func endTask(_ task: Seq, _ event: TaskEvent, _ call: CallID?, now: Now) {
    guard let state = tasks[task]?.state, let next = TaskTable.next(state, event) else { return }
    tasks[task]?.isPending = true
    if tasks[task]?.messages.isEmpty == true {
      actions.append(.write(.task(seq: task, state: next, at: now.wall)))
    }
    actions.append(.report(.task(task, next, call)))
  }

  /// A cancel of the task, or its expiry, is on its way.
  package func isTaskClosing(_ task: Seq) -> Bool { tasks[task]?.isPending ?? false }

  private func expireTask(_ task: Seq, now: Now) {
    guard let entry = tasks[task], entry.messages.isEmpty, !entry.isPending,
      let expires = entry.expires
    else { return }
    guard expires <= now.instant else { return push(expires, UInt64(task), .task) }
    endTask(task, .lost, nil, now: now)
  }

  /// Every caller's hold has run out under `when_offline: error`. Answers whether a withdrawal is
  /// on its way; if not, the callers get the Task as it stands.
  package func withdraw(_ seq: Seq, now: Now) -> Bool {
    guard let message = messages[seq], !message.wasHandedOut else { return false }
    switch MessageTable.cell(message.state, .withdraw) {
    case .move: end(message, .withdraw, .withdrawn, now: now)
    case .wait: message.waiting.append(.withdraw)
    case .stay: return false
    case .settle, .back, .vanish, .impossible: bug(message, .withdraw)
    }
    return true
  }

  /// A sign that the agent lives: stretches the leases that it took without confirming.
  package func heartbeat(now: Now, wasActive: (String, Instant) -> Bool) {
    for message in messages.values where message.state == .leased {
      guard let handOut = message.handOut, handOut.isUnconfirmed, handOut.isAcknowledged,
        wasActive(handOut.consumer, handOut.at)
      else { continue }
      let end = min(now.instant + handOut.length, handOut.at + limits.heartbeatLeaseMax)
      guard end > handOut.end else { continue }
      message.handOut?.end = end
      change(message, .extended, now: now)
    }
  }

  /// The agent has started anew: what it had and never touched is lost to it.
  package func agentRestarted(now: Now) {
    for message in messages.values.sorted(by: { $0.seq < $1.seq }) where message.state == .leased {
      guard let handOut = message.handOut, handOut.isUnconfirmed, !handOut.isTouched
      else { continue }
      message.handOut?.end = now.instant
      handOutEnded(message, now: now)
    }
    dispatch(now: now)
  }
}
