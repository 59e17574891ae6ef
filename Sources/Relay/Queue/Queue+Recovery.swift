extension Queue {
  /// Takes over the messages and tasks that a file holds. Messages that an agent may still work on
  /// come back as leased, with the old fence, until `max(lease end, now + restartGrace)`. Messages
  /// that have come to their end meanwhile end with the next `tick`.
  package func recover(_ recovered: Recovered, now: Now, isAfterPowerCut: Bool) {
    precondition(messages.isEmpty, "recovery comes first")
    messages.startAfter(recovered.lastSeq, position: recovered.lastPosition)
    for task in recovered.tasks {
      tasks.open(task.seq, task.state, caller: task.caller, &occupancy)
    }
    let doubtful = isAfterPowerCut || recovered.isAfterPowerCut ? Seq.max : recovered.doubtfulUpTo
    for stored in recovered.messages.sorted(by: { $0.position < $1.position }) {
      // A withdrawn message is over: an equal call is a new one.
      if stored.state == .cancelled, stored.reason == .withdrawn { continue }
      takeOver(stored, isDoubtful: stored.seq <= doubtful, now: now)
    }
    takeOverLeases(recovered, now: now)
    for task in recovered.tasks where tasks[task.seq]?.messages.isEmpty == true {
      if task.state.isTerminal { tasks.remove(task.seq) }
      watchInput(task.seq, changed: task.changed, now: now)
    }
    for message in messages.all where !message.state.isEnd { goOn(with: message, now: now) }
    // A receipt that was deferred when the process ended.
    for message in messages.all.filter(\.state.isEnd) { receiveReplay(message, now: now) }
  }

  /// `isDoubtful`: an agent may have had the message, whatever the file says.
  private func takeOver(_ stored: StoredMessage, isDoubtful: Bool, now: Now) {
    let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
    message.expect(.recovered)
    message.wasHandedOut = isDoubtful || stored.attempt > 0
    insert(message)
    guard !stored.state.isEnd else { return }
    tasks.open(stored.task, .working, caller: stored.caller, &occupancy)
    tasks.append(stored.seq, to: stored.task)
  }

  private func goOn(with message: Message, now: Now) {
    if let task = tasks[message.task] {
      if task.state.isTerminal { message.mustEnd = .taskEnded }
      // The message is stored, so it has ended the task's wait for input.
      if task.state.isInterrupted { tasks.enter(.working, message.task, &occupancy) }
    }
    if message.state == .queued, message.attempt >= limits.attempts {
      message.mustEnd = .attemptsUsedUp
    }
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  private func takeOverLeases(_ recovered: Recovered, now: Now) {
    var changes: [Fence: HandOutChange.Kind] = [:]
    for change in recovered.handOutChanges { changes[change.fence] = change.kind }
    for row in recovered.handOuts {
      guard let message = messages[row.seq], message.state == .queued else { continue }
      message.wasHandedOut = true
      guard row.kind != .shown else { continue }
      message.fences = [row.fence]
      message.untouchedInARow = recovered.untouchedInARow[row.seq] ?? 0
      let change = changes[row.fence]
      switch change {
      case .released, .lost, .unburnt, .ended, .revoked, .withheld: continue
      case nil, .claimed, .extended: break
      }
      // While the clock is in doubt nobody knows how much of the lease is left: all of it.
      let left = expiresFrom > now.instant ? row.leaseEnd - row.at : row.leaseEnd - now.wall
      leases.takeOver(row, message, isClaimed: change != nil, left: left, limits, now: now)
    }
  }
}
