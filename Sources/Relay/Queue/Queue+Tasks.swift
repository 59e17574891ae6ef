extension Queue {
  /// The caller ends its task. Answered when that is durable.
  package func cancelTask(_ call: CallID, _ task: Seq, now: Now) {
    guard let entry = ledger.tasks[task], !entry.state.isTerminal else {
      return ledger.answerCancel(call, .notCancelable)
    }
    let own = entry.messages.compactMap { ledger.messages[$0] }
    if let pending = own.first(where: \.state.isPending) {
      return pending.waiting.append(.cancelTask(call))
    }
    if entry.isEnding { return ledger.tasks.addCancel(call, task) }
    for message in own { end(message, .cancel, .cancelledByCaller, now: now) }
    endTask(task, .cancelled, call, now: now)
  }

  /// Ends the task by a write of its own. Its messages carry the new state in their own writes.
  private func endTask(_ task: Seq, _ event: TaskEvent, _ call: CallID?, now: Now) {
    ledger.writeTask(task, event, by: 0, now: now)
    guard let state = ledger.tasks[task]?.written, state.isTerminal else { return }
    ledger.tasks.beginEnd(task)
    ledger.actions.append(.report(.task(task, state, call)))
  }

  func expireTask(_ task: Seq, now: Now) {
    guard ledger.tasks.hasExpired(task, at: now.instant) else { return }
    guard ledger.expiresFrom <= now.instant else {
      return ledger.expire(task, at: ledger.expiresFrom)
    }
    endTask(task, .lost, nil, now: now)
  }

  /// The end of the task alone is durable.
  func taskEnded(_ task: Seq, _ state: TaskState, _ call: CallID?, now: Now) {
    let (others, cancels) = ledger.tasks.end(task, state, &ledger.occupancy)
    for seq in others { endWithTask(seq, now: now) }
    for call in cancels { ledger.answerCancel(call, .notCancelable) }
    ledger.answerCancel(call, .cancelled)
  }

  /// The end of the task alone was refused. It is tried again later, unless a caller asked for it.
  func taskEndRefused(_ task: Seq, _ call: CallID?, now: Now) {
    ledger.answerCancel(call, .unavailable)
    let (expires, cancels) = ledger.tasks.unend(task)
    for call in cancels { ledger.answerCancel(call, .unavailable) }
    if let expires {
      ledger.expire(task, at: max(expires, now.instant + ledger.limits.backOffFirst))
    }
  }

  /// A message has left its task.
  func goOn(with task: Seq, _ next: OpenTasks.Next, now: Now) {
    switch next {
    case .over: break
    case .end(let others): for seq in others { endWithTask(seq, now: now) }
    case .deliver(let seq):
      if let message = ledger.messages[seq] { deliveries.offerWhenDue(message, now: now) }
    case .wait(let expires?):
      // The task's timer may have found the message that was not stored, and is gone then.
      if expires <= now.instant { ledger.expire(task, at: expires) }
    case .wait(nil): ledger.watchInput(task, changed: now.wall, now: now)
    }
  }

  /// The message's task has ended without it.
  func endWithTask(_ seq: Seq, now: Now) {
    guard let message = ledger.messages[seq] else { return }
    message.mustEnd = .taskEnded
    end(message, .taskEnded, .taskEnded, now: now)
  }
}
