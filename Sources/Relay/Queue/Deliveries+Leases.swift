extension Deliveries {
  /// The agent takes up an offer. A claim of a lease that the agent holds already changes nothing
  /// of it, but is written too: the write of the last claim may have been refused.
  func claim(_ call: CallID, _ seq: Seq, _ fence: Fence, now: Now) {
    guard let (message, state) = moved(call, seq, fence, .claim, .claim(call, fence)) else {
      return
    }
    if message.state == .offered {
      message.state = state
      let length = message.handOut?.length ?? ledger.limits.lease
      leases.extend(message, length: length, now: now)
      ledger.schedule(message, now: now)
    }
    replyHeld(call, message, .claimed, now: now)
  }

  /// The agent goes on working, and needs `length` more from now.
  func extend(_ call: CallID, _ seq: Seq, _ fence: Fence, length: Duration?, now: Now) {
    let length = length ?? ledger.messages[seq]?.handOut?.length ?? ledger.limits.lease
    let bounded = min(length, ledger.limits.leaseMax)
    guard let (message, state) = moved(call, seq, fence, .extend, .extend(call, fence, bounded))
    else { return }
    message.state = state
    leases.extend(message, length: bounded, now: now)
    ledger.schedule(message, now: now)
    replyHeld(call, message, .extended, now: now)
  }

  /// The agent is told when its lease ends once the file says the same. If the write is refused,
  /// the lease stays as it is here, and the agent asks again.
  private func replyHeld(
    _ call: CallID, _ message: Message, _ kind: HandOutChange.Kind, now: Now
  ) {
    leases.touch(message)
    guard let end = message.handOut?.end else { message.isImpossible(.claim) }
    writeChange(message, kind, now: now)
    ledger.actions.append(.reply(call, .ok(leaseEnd: end), afterBarrier: true))
  }

  /// Returns the message and its new state if the table lets the agent's call move it. Otherwise
  /// the call gets its reply, or is applied again as `deferred` after the report of the current
  /// write.
  func moved(
    _ call: CallID, _ seq: Seq, _ fence: Fence, _ event: MessageEvent,
    _ deferred: @autoclosure () -> Deferred
  ) -> (Message, MessageState)? {
    guard let message = ledger.messages[seq] else {
      ledger.reply(call, .leaseLost)
      return nil
    }
    switch message.step(event, believed(fence, of: message)) {
    case .move(let state): return (message, state)
    case .reply(let answer): ledger.reply(call, answer)
    case .wait: message.waiting.append(deferred())
    }
    return nil
  }

  /// The fence, unless a planted bug takes every fence for the current one.
  func believed(_ fence: Fence, of message: Message) -> Fence {
    #if PLANTS
      if ledger.plant == .fenceIgnored {
        return message.handOut?.fence ?? message.fences.last ?? fence
      }
    #endif
    return fence
  }

  func touch(_ message: Message) { leases.touch(message) }

  /// The lease or offer is over, and the message is in the queue again at its old position.
  func takeBack(
    _ message: Message, to state: MessageState, _ kind: HandOutChange.Kind,
    delay: Duration = .zero, reason: String = "", now: Now
  ) {
    if kind == .released {
      writeChange(message, kind, reason: reason, now: now)
    } else {
      change(message, kind, now: now)
    }
    if kind.countsNoAttempt { message.attempt -= 1 } else { message.untouchedInARow = 0 }
    leases.end(message)
    message.state = state
    message.notBefore = now.instant + delay
    let requeue = Write.requeue(
      seq: message.seq, attempt: message.attempt, notBefore: now.wall(at: message.notBefore))
    // An agent waits until its release is durable; nobody waits for the other returns.
    ledger.actions.append(kind == .released ? .write(requeue) : .lazy(requeue))
    line(up: message, now: now)
  }

  /// The message has ended: its lease or offer is over.
  func end(_ message: Message) { leases.end(message) }

  /// Notes how the delivery went on; nobody waits for it.
  func change(_ message: Message, _ kind: HandOutChange.Kind, now: Now) {
    guard let change = message.change(kind, now: now) else { return }
    // A change of a row of this turn must be refused together with the row.
    ledger.actions.append(message.handOut?.turn == turn ? .write(change) : .lazy(change))
  }

  /// Notes how the delivery went on, in this turn's transaction: the change is durable or refused
  /// together with the rest of the turn.
  func writeChange(
    _ message: Message, _ kind: HandOutChange.Kind, reason: String = "", now: Now
  ) {
    if let change = message.change(kind, reason: reason, now: now) { ledger.write(change) }
  }

  /// The answer that delivered these messages was acknowledged by the peer's TCP.
  func acknowledge(_ poll: PollID, _ seqs: [Seq]) {
    for seq in seqs where ledger.messages[seq]?.handOut?.poll == poll {
      ledger.messages[seq]?.handOut?.isAcknowledged = true
    }
  }

  /// The rows of these deliveries were rolled back.
  func refused(_ seqs: [Seq], now: Now) {
    for seq in seqs {
      guard let message = ledger.messages[seq], message.handOut != nil else { continue }
      if message.state.isPending {
        // The message came to its end in the same turn; that write is refused too.
        message.before = .queued
        leases.undo(message)
      } else if case .move(let state, .none, .unavailable) =
        MessageTable.cell(message.state, .refused)
      {
        leases.undo(message)
        message.state = state
        line(up: message, now: now)
      }
    }
  }

  /// An agent's request shows that it lives: leases that were taken without a confirmation are
  /// stretched.
  func heartbeat(now: Now, wasActive: (String, Instant) -> Bool) {
    for message in ledger.messages.all where message.state == .leased {
      guard let handOut = message.handOut, handOut.isUnconfirmed, handOut.isAcknowledged,
        wasActive(handOut.consumer, handOut.at)
      else { continue }
      let end = min(now.instant + handOut.length, handOut.at + ledger.limits.heartbeatLeaseMax)
      guard end > handOut.end else { continue }
      message.handOut?.end = end
      writeChange(message, .extended, now: now)
      ledger.schedule(message, now: now)
    }
  }

  /// The messages that an agent has and has made no call for, in the order of their numbers.
  func unconfirmed() -> [Message] {
    // A message delivered in this turn has not left yet.
    let messages = ledger.messages.all.filter { message in
      guard message.state == .leased, let handOut = message.handOut else { return false }
      return handOut.isUnconfirmed && !handOut.isTouched && handOut.turn != turn
    }
    return messages.sorted { $0.seq < $1.seq }
  }

  /// The process has not run for `gap`: leases and offers end later by that. Nothing is written, as
  /// a start gives agents time anyway.
  func stoodStill(_ gap: Duration, now: Now) {
    for message in ledger.messages.all {
      guard let end = message.handOut?.end else { continue }
      message.handOut?.end = end + gap
      ledger.schedule(message, now: now)
    }
  }

  /// Whether a poll is parked, one has just ended, or an agent works under a lease in force.
  func isAgentPresent(now: Now) -> Bool {
    polls.isPresent(at: now.instant, for: ledger.limits.presentAfterPoll)
      || ledger.messages.all.contains { $0.state == .leased && $0.handOut?.isTouched == true }
  }

  /// Goes on with the leases and offers that a file holds, unless it says how they ended.
  func recover(_ recovered: Recovered, now: Now) {
    var changes: [Fence: HandOutChange.Kind] = [:]
    for change in recovered.handOutChanges { changes[change.fence] = change.kind }
    for row in recovered.handOuts {
      guard let message = ledger.messages[row.seq], message.state == .queued else { continue }
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
      let isInDoubt = ledger.expiresFrom > now.instant
      let left = row.leaseEnd - (isInDoubt ? row.at : now.wall)
      leases.takeOver(
        row, message, isClaimed: change != nil, left: left, ledger.limits, now: now)
    }
  }
}
