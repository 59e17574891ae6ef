extension Queue {
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
    if entry.isPending {
      tasks[task]?.waiting.append(call)
      return
    }
    for seq in entry.messages {
      if let message = messages[seq] { end(message, .cancel, .cancelledByCaller, now: now) }
    }
    endTask(task, .cancelled, call, now: now)
  }

  private func endTask(_ task: Seq, _ event: TaskEvent, _ call: CallID?, now: Now) {
    // Messages of the task carry the new state in their own writes.
    writeTask(task, event, by: 0, now: now)
    guard let state = tasks[task]?.written, state.isTerminal else { return }
    tasks[task]?.isPending = true
    actions.append(.report(.task(task, state, call)))
  }

  /// Writes the task's next state, unless one that is never left is written already.
  func writeTask(_ task: Seq, _ event: TaskEvent, by seq: Seq, now: Now) {
    guard let written = tasks[task]?.written, let next = TaskTable.next(written, event)
    else { return }
    tasks[task]?.onItsWay.append((seq, next))
    actions.append(.write(.task(seq: task, state: next, at: now.wall)))
  }

  /// The task's state is another from now on.
  func enter(_ state: TaskState, _ task: Seq) {
    guard let entry = tasks[task] else { return }
    countInterrupted(of: entry.caller, entry.state, state)
    tasks[task]?.state = state
  }

  func expireTask(_ task: Seq, now: Now) {
    guard let entry = tasks[task], entry.messages.isEmpty, !entry.isPending,
      let expires = entry.expires, expires <= now.instant
    else { return }
    guard expiresFrom <= now.instant else { return expireLater(task, expiresFrom) }
    endTask(task, .lost, nil, now: now)
  }

  /// The end of the task alone is durable.
  func taskEnded(_ task: Seq, _ state: TaskState, _ call: CallID?, now: Now) {
    if var entry = tasks.removeValue(forKey: task) {
      let waiting = entry.waiting
      entry.isPending = false
      entry.waiting = []
      entry.onItsWay.removeAll { $0.by == 0 }
      countInterrupted(of: entry.caller, entry.state, state)
      entry.state = state
      if !entry.messages.isEmpty { tasks[task] = entry }
      for seq in entry.messages { endWithTask(seq, now: now) }
      for call in waiting { actions.append(.cancelReply(call, .notCancelable)) }
    }
    if let call { actions.append(.cancelReply(call, .cancelled)) }
  }

  /// The end of the task alone was refused: it is tried again later, unless a caller asked for it.
  func taskEndRefused(_ task: Seq, _ call: CallID?, now: Now) {
    if let call { actions.append(.cancelReply(call, .unavailable)) }
    guard var entry = tasks[task] else { return }
    for call in entry.waiting { actions.append(.cancelReply(call, .unavailable)) }
    entry.isPending = false
    entry.waiting = []
    entry.onItsWay.removeAll { $0.by == 0 }
    tasks[task] = entry
    if let expires = entry.expires {
      expireLater(task, max(expires, now.instant + limits.backOffFirst))
    }
  }

  /// An open task without messages ends when nobody has gone on with it for as long as a message
  /// lives.
  func watchInput(_ task: Seq, changed: WallTime, now: Now) {
    guard let entry = tasks[task], !entry.state.isTerminal, entry.messages.isEmpty else { return }
    expireLater(task, now.instant(at: changed) + limits.timeToLive)
  }

  func expireLater(_ task: Seq, _ at: Instant) {
    tasks[task]?.expires = at
    push(at, UInt64(task), .task)
  }

  /// Its task has ended without it.
  func endWithTask(_ seq: Seq, now: Now) {
    guard let message = messages[seq] else { return }
    message.mustEnd = .taskEnded
    end(message, .taskEnded, .taskEnded, now: now)
  }
}
