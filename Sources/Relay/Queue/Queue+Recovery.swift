extension Queue {
  /// Takes over what the file holds. Messages that an agent may still work on come back as leased,
  /// with the old fence, until `max(lease end, now + restartGrace)`.
  package func recover(_ recovered: Recovered, now: Now) {
    precondition(messages.isEmpty, "recovery comes first")
    lastSeq = recovered.lastSeq
    for task in recovered.tasks where !task.state.isTerminal {
      tasks[task.seq] = TaskEntry(state: task.state, context: task.context)
    }
    for stored in recovered.messages.sorted(by: { $0.position < $1.position }) {
      let message = Message(stored, now: now)
      expect(.recovered, message)
      message.wasHandedOut = stored.seq <= recovered.doubtfulUpTo || stored.attempt > 0
      insert(message)
      guard !stored.state.isEnd else { continue }
      tasks[stored.task, default: TaskEntry(state: .working, context: stored.context)]
        .messages.append(stored.seq)
      push(message.expires, UInt64(stored.seq), .timeToLive)
    }
    let over = Set(recovered.handOutChanges.filter(\.isOver).map(\.fence))
    for row in recovered.handOuts where !over.contains(row.fence) { takeOver(row, now: now) }
    for task in recovered.tasks where tasks[task.seq]?.messages.isEmpty == true {
      watchInput(task.seq, changed: task.changed, now: now)
    }
    for message in messages.values where message.state == .queued { offerWhenDue(message, now: now) }
  }

  /// `row` is a hand-out that had not ended when the relay stopped.
  private func takeOver(_ row: HandOutRow, now: Now) {
    guard let message = messages[row.seq], message.state == .queued else { return }
    let grace = now.instant + limits.restartGrace
    let end = max(now.instant(at: row.leaseEnd), grace)
    message.state = row.kind == .offer ? .offered : .leased
    message.attempt = row.attempt
    message.wasHandedOut = true
    message.fences = [row.fence]
    message.handOut = CurrentHandOut(
      fence: row.fence, poll: 0, consumer: row.consumer, isOffer: row.kind == .offer,
      isUnconfirmed: false, at: now.instant(at: row.at), end: end, length: limits.lease)
    push(end, UInt64(row.seq), .handOut)
  }

  /// An interrupted task ends when nobody has gone on with it for as long as a message lives.
  func watchInput(_ task: Seq, changed: WallTime, now: Now) {
    guard let entry = tasks[task], entry.state.isInterrupted, entry.messages.isEmpty else { return }
    let expires = now.instant(at: changed) + limits.timeToLive
    tasks[task]?.expires = expires
    push(expires, UInt64(task), .task)
  }
}

extension HandOutChange {
  /// The hand-out is not in force any more.
  var isOver: Bool {
    switch kind {
    case .claimed, .extended: false
    case .released, .lost, .unburnt, .ended, .revoked: true
    }
  }
}
