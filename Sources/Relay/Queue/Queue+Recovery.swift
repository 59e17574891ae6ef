extension Queue {
  /// Takes over the messages and tasks that a file holds. Messages that an agent may still work on
  /// come back as leased, with the old fence, until `max(lease end, now + restartGrace)`. Messages
  /// that have come to their end meanwhile end with the next `tick`.
  package func recover(_ recovered: Recovered, now: Now, isAfterPowerCut: Bool) {
    ledger.recover(recovered, isAfterPowerCut: isAfterPowerCut, now: now)
    deliveries.recover(recovered, now: now)
    for task in recovered.tasks where ledger.tasks[task.seq]?.messages.isEmpty == true {
      if task.state.isTerminal { ledger.tasks.remove(task.seq) }
      ledger.watchInput(task.seq, changed: task.changed, now: now)
    }
    for message in ledger.messages.all where !message.state.isEnd { goOn(with: message, now: now) }
    // A receipt that was deferred when the process ended.
    for message in ledger.messages.all.filter(\.state.isEnd) {
      ledger.receiveReplay(message, now: now)
    }
  }

  private func goOn(with message: Message, now: Now) {
    if let task = ledger.tasks[message.task] {
      if task.state.isTerminal { message.mustEnd = .taskEnded }
      // The message is stored, so it has ended the task's wait for input.
      if task.state.isInterrupted { ledger.tasks.enter(.working, message.task, &ledger.occupancy) }
    }
    if message.state == .queued, message.attempt >= ledger.limits.attempts {
      message.mustEnd = .attemptsUsedUp
    }
    deliveries.line(up: message, now: now)
  }
}
