extension Queue {
  /// The answer that delivered these messages was acknowledged by the peer's TCP, or never will be.
  package func handOutDelivered(_ poll: PollID, seqs: [Seq], received: Bool, now: Now) {
    if !received { return handOutLost(poll, seqs: seqs, wasSent: true, now: now) }
    for seq in seqs where messages[seq]?.handOut?.poll == poll {
      messages[seq]?.handOut?.isAcknowledged = true
    }
    dispatch(now: now)
  }

  /// The relay itself had no room for the answer that delivers these messages: nothing was sent.
  package func handOutWithheld(_ poll: PollID, seqs: [Seq], now: Now) {
    handOutLost(poll, seqs: seqs, wasSent: false, now: now)
  }

  private func handOutLost(_ poll: PollID, seqs: [Seq], wasSent: Bool, now: Now) {
    for seq in seqs {
      guard let message = messages[seq], let handOut = message.handOut, handOut.poll == poll,
        !handOut.isTouched
      else { continue }
      pollDead(message, handOut.fence, wasSent: wasSent, now: now)
    }
    dispatch(now: now)
  }

  /// A consumer that polls again on a new connection gets the messages for which it has made no
  /// call, at once.
  func returnUntouched(of consumer: String, now: Now, isGone: (PollID) -> Bool) {
    for seq in leases.untouched(of: consumer) {
      guard let message = messages[seq], message.state == .leased, let handOut = message.handOut,
        isGone(handOut.poll)
      else { continue }
      pollDead(message, handOut.fence, wasSent: true, now: now)
    }
  }

  func pollDead(_ message: Message, _ fence: Fence, wasSent: Bool, now: Now) {
    guard message.handOut?.fence == fence else { return }
    switch MessageTable.cell(message.state, .pollDead) {
    case .move(let state, _, _):
      if wasSent {
        returnUntouched(message, to: state, now: now)
      } else {
        takeBack(message, to: state, .withheld, now: now)
      }
    case .wait: message.waiting.append(.pollDead(fence, wasSent: wasSent))
    case .stay, .settle, .back, .vanish: break
    case .impossible: message.isImpossible(.pollDead)
    }
  }

  /// The lease or the offer has run out.
  func handOutEnded(_ message: Message, now: Now) {
    let event: MessageEvent = message.state == .offered ? .offerEnd : .leaseEnd
    guard case .move(let state, .requeue, _) = MessageTable.cell(message.state, event) else {
      message.isImpossible(event)
    }
    if event == .offerEnd {
      returnUntouched(message, to: state, now: now)
    } else {
      loseAttempt(message, to: state, .lost, now: now)
    }
  }

  /// The agent never made a call for the delivery: an unclaimed offer, a lost connection, a
  /// consumer that polls again. The message goes back to the head and no attempt counts. But of
  /// `offersInARow` such deliveries the last one counts, or a message that ends its agent would
  /// come for ever.
  private func returnUntouched(_ message: Message, to state: MessageState, now: Now) {
    message.untouchedInARow += 1
    #if PLANTS
      if plant == .returnsUncounted { message.untouchedInARow = 0 }
    #endif
    guard message.untouchedInARow >= limits.offersInARow else {
      return takeBack(message, to: state, .unburnt, now: now)
    }
    loseAttempt(message, to: state, .lost, now: now)
  }

  /// The delivery counts as an attempt, and the message ends after the last one. Without a `delay`
  /// the back-off decides when it is delivered again.
  func loseAttempt(
    _ message: Message, to state: MessageState, _ kind: HandOutChange.Kind,
    delay: Duration? = nil, reason: String = "", now: Now
  ) {
    guard message.attempt < limits.attempts else {
      writeChange(message, kind, reason: reason, now: now)
      return end(message, .lastAttemptEnd, .attemptsUsedUp, now: now)
    }
    let backOff = BackOff(first: limits.backOffFirst, max: limits.backOffMax)
    let delay = delay ?? backOff.delay(after: message.attempt, dice: &dice)
    takeBack(message, to: state, kind, delay: delay, reason: reason, now: now)
  }

  /// The lease or offer is over, and the message is in the queue again at its old position.
  private func takeBack(
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
    actions.append(kind == .released ? .write(requeue) : .lazy(requeue))
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// Notes how the delivery went on; nobody waits for it.
  func change(_ message: Message, _ kind: HandOutChange.Kind, now: Now) {
    guard let change = message.change(kind, now: now) else { return }
    // A change of a row of this turn must be refused together with the row.
    actions.append(message.handOut?.turn == turn ? .write(change) : .lazy(change))
  }

  /// Notes how the delivery went on, in this turn's transaction: the change is durable or refused
  /// together with the rest of the turn.
  func writeChange(
    _ message: Message, _ kind: HandOutChange.Kind, reason: String = "", now: Now
  ) {
    if let change = message.change(kind, reason: reason, now: now) { write(change) }
  }
}
