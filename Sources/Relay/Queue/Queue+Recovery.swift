extension Queue {
  /// Takes over what the file holds. Messages that an agent may still work on come back as leased,
  /// with the old fence, until `max(lease end, now + restartGrace)`.
  ///
  /// What has come to its end meanwhile ends with the next `tick`.
  package func recover(_ recovered: Recovered, now: Now, isAfterPowerCut: Bool) {
    precondition(messages.isEmpty, "recovery comes first")
    lastSeq = recovered.lastSeq
    lastPosition = max(recovered.lastPosition, recovered.lastSeq)
    for task in recovered.tasks {
      tasks[task.seq] = TaskEntry(
        state: task.state, context: task.context, caller: task.caller)
      countInterrupted(of: task.caller, nil, task.state)
    }
    let doubtful = isAfterPowerCut || recovered.isAfterPowerCut ? Seq.max : recovered.doubtfulUpTo
    for stored in recovered.messages.sorted(by: { $0.position < $1.position }) {
      // A withdrawn one is over: an equal call is a new one.
      if stored.state == .cancelled, stored.reason == .withdrawn { continue }
      let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
      expect(.recovered, message)
      message.wasHandedOut = stored.seq <= doubtful || stored.attempt > 0
      insert(message)
      guard !stored.state.isEnd else { continue }
      let unknown = TaskEntry(
        state: .working, context: stored.context, caller: stored.caller)
      tasks[stored.task, default: unknown].messages.append(stored.seq)
    }
    takeOver(recovered, now: now)
    for task in recovered.tasks where tasks[task.seq]?.messages.isEmpty == true {
      if task.state.isTerminal { tasks[task.seq] = nil }
      watchInput(task.seq, changed: task.changed, now: now)
    }
    for message in messages.values where !message.state.isEnd {
      resume(recovered: message, now: now)
    }
    // A receipt that was deferred when the process ended.
    for message in messages.values.filter(\.state.isEnd) { receiveReplay(message, now: now) }
  }

  private func resume(recovered message: Message, now: Now) {
    if let task = tasks[message.task] {
      if task.state.isTerminal { message.mustEnd = .taskEnded }
      // It is stored: what interrupted the task is answered.
      if task.state.isInterrupted { enter(.working, message.task) }
    }
    if message.state == .queued, message.attempt >= limits.attempts {
      message.mustEnd = .attemptsUsedUp
    }
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  private func takeOver(_ recovered: Recovered, now: Now) {
    var changes: [Fence: HandOutChange] = [:]
    for change in recovered.handOutChanges { changes[change.fence] = change }
    for row in recovered.handOuts {
      guard let message = messages[row.seq], message.state == .queued else { continue }
      message.wasHandedOut = true
      guard row.kind != .shown else { continue }
      message.fences = [row.fence]
      message.untouchedInARow = recovered.untouchedInARow[row.seq] ?? 0
      takeOver(row, changes[row.fence], message, now: now)
    }
  }

  /// `row` is the last hand-out, and `change` what became of it.
  private func takeOver(_ row: HandOutRow, _ change: HandOutChange?, _ message: Message, now: Now) {
    let isClaimed: Bool
    switch change?.kind {
    case nil: isClaimed = false
    case .claimed, .extended: isClaimed = true
    case .released, .lost, .unburnt, .ended, .revoked, .withheld: return
    }
    let isOffer = row.kind == .offer && !isClaimed
    message.state = isOffer ? .offered : .leased
    message.attempt = row.attempt
    heldCount += 1
    // By a clock in doubt nobody knows how much of it is left: all of it.
    let left =
      expiresFrom > now.instant ? row.leaseEnd - row.at : row.leaseEnd - now.wall
    let end = now.instant + min(left, limits.leaseMax)
    message.handOut = CurrentHandOut(
      fence: row.fence, poll: 0, consumer: row.consumer, isOffer: isOffer,
      isUnconfirmed: row.kind == .lease && !isClaimed, at: now.instant(at: row.at),
      end: max(end, now.instant + limits.restartGrace),
      length: limits.lease, isTouched: isClaimed, isAcknowledged: true, isRedelivered: true)
  }
}
