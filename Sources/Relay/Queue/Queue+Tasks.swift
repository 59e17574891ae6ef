extension Queue {
  /// The caller ends its task. Answered when that is durable.
  package func cancelTask(_ call: CallID, _ task: Seq, now: Now) {
    guard let entry = tasks[task], !entry.state.isTerminal else {
      return answerCancel(call, .notCancelable)
    }
    let own = entry.messages.compactMap { messages[$0] }
    if let pending = own.first(where: \.state.isPending) {
      return pending.waiting.append(.cancelTask(call))
    }
    if entry.isEnding { return tasks.addCancel(call, task) }
    for message in own { end(message, .cancel, .cancelledByCaller, now: now) }
    endTask(task, .cancelled, call, now: now)
  }

  /// Ends the task by a write of its own. Its messages carry the new state in their own writes.
  private func endTask(_ task: Seq, _ event: TaskEvent, _ call: CallID?, now: Now) {
    writeTask(task, event, by: 0, now: now)
    guard let state = tasks[task]?.written, state.isTerminal else { return }
    tasks.beginEnd(task)
    actions.append(.report(.task(task, state, call)))
  }

  /// Writes the task's next state, unless a terminal state is written already.
  func writeTask(_ task: Seq, _ event: TaskEvent, by seq: Seq, now: Now) {
    guard let next = tasks.write(task, event, by: seq) else { return }
    write(.task(seq: task, state: next, at: now.wall))
  }

  func expireTask(_ task: Seq, now: Now) {
    guard tasks.hasExpired(task, at: now.instant) else { return }
    guard expiresFrom <= now.instant else { return expireLater(task, expiresFrom) }
    endTask(task, .lost, nil, now: now)
  }

  /// The end of the task alone is durable.
  func taskEnded(_ task: Seq, _ state: TaskState, _ call: CallID?, now: Now) {
    let (others, cancels) = tasks.end(task, state, &occupancy)
    for seq in others { endWithTask(seq, now: now) }
    for call in cancels { answerCancel(call, .notCancelable) }
    answerCancel(call, .cancelled)
  }

  /// The end of the task alone was refused. It is tried again later, unless a caller asked for it.
  func taskEndRefused(_ task: Seq, _ call: CallID?, now: Now) {
    answerCancel(call, .unavailable)
    let (expires, cancels) = tasks.unend(task)
    for call in cancels { answerCancel(call, .unavailable) }
    if let expires { expireLater(task, max(expires, now.instant + limits.backOffFirst)) }
  }

  /// An open task without messages ends when nobody has gone on with it for as long as a message
  /// lives.
  func watchInput(_ task: Seq, changed: WallTime, now: Now) {
    guard let entry = tasks[task], !entry.state.isTerminal, entry.messages.isEmpty else { return }
    expireLater(task, now.instant(at: changed) + limits.timeToLive)
  }

  private func expireLater(_ task: Seq, _ time: Instant) {
    tasks.expire(task, at: time)
    setTimer(.task, UInt64(task), at: time)
  }

  /// A message has left its task.
  func goOn(with task: Seq, _ next: OpenTasks.Next, now: Now) {
    switch next {
    case .over: break
    case .end(let others): for seq in others { endWithTask(seq, now: now) }
    case .deliver(let seq): if let message = messages[seq] { offerWhenDue(message, now: now) }
    case .wait(let expires?):
      // The task's timer may have found the message that was not stored, and is gone then.
      if expires <= now.instant { expireLater(task, expires) }
    case .wait(nil): watchInput(task, changed: now.wall, now: now)
    }
  }

  /// The message's task has ended without it.
  func endWithTask(_ seq: Seq, now: Now) {
    guard let message = messages[seq] else { return }
    message.mustEnd = .taskEnded
    end(message, .taskEnded, .taskEnded, now: now)
  }
}
