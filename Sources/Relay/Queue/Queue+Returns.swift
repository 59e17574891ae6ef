extension Queue {
  /// The answer that delivered these messages was acknowledged by the peer's TCP, or never will be.
  package func handOutDelivered(_ poll: PollID, seqs: [Seq], received: Bool, now: Now) {
    if !received { return handOutLost(poll, seqs: seqs, wasSent: true, now: now) }
    deliveries.acknowledge(poll, seqs)
    dispatch(now: now)
  }

  /// The relay itself had no room for the answer that delivers these messages: nothing was sent.
  package func handOutWithheld(_ poll: PollID, seqs: [Seq], now: Now) {
    handOutLost(poll, seqs: seqs, wasSent: false, now: now)
  }

  /// The rows of a poll's deliveries were rolled back; the poll is not answered with them. This
  /// comes, for every poll of the turn, before `refused` (with the turn's reports, if it had any),
  /// which applies deferred events and delivers again.
  package func handOutRefused(_ seqs: [Seq], now: Now) { deliveries.refused(seqs, now: now) }

  /// An agent's request shows that it lives: leases that were taken without a confirmation are
  /// stretched.
  package func heartbeat(now: Now, wasActive: (String, Instant) -> Bool) {
    deliveries.heartbeat(now: now, wasActive: wasActive)
  }

  /// The process has not run for `gap`: leases and offers end later by that.
  package func stoodStill(_ gap: Duration, now: Now) { deliveries.stoodStill(gap, now: now) }

  /// The agent has started anew: leases for which it has made no call are lost.
  package func agentRestarted(now: Now) {
    for message in deliveries.unconfirmed() {
      message.handOut?.end = now.instant
      handOutEnded(message, now: now)
    }
    dispatch(now: now)
  }

  private func handOutLost(_ poll: PollID, seqs: [Seq], wasSent: Bool, now: Now) {
    for seq in seqs {
      guard let message = message(seq), let handOut = message.handOut, handOut.poll == poll,
        !handOut.isTouched
      else { continue }
      pollDead(message, handOut.fence, wasSent: wasSent, now: now)
    }
    dispatch(now: now)
  }

  /// A consumer that polls again on a new connection gets the messages for which it has made no
  /// call, at once.
  func returnUntouched(of consumer: String, now: Now, isGone: (PollID) -> Bool) {
    for seq in deliveries.leases.untouched(of: consumer) {
      guard let message = message(seq), message.state == .leased, let handOut = message.handOut,
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
        deliveries.takeBack(message, to: state, .withheld, now: now)
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
    if message.untouchedInARow < ledger.limits.offersInARow {
      deliveries.takeBack(message, to: state, .unburnt, now: now)
    } else {
      loseAttempt(message, to: state, .lost, now: now)
    }
  }

  /// The delivery counts as an attempt, and the message ends after the last one. Without a `delay`
  /// the back-off decides when it is delivered again.
  func loseAttempt(
    _ message: Message, to state: MessageState, _ kind: HandOutChange.Kind,
    delay: Duration? = nil, reason: String = "", now: Now
  ) {
    guard message.attempt < ledger.limits.attempts else {
      deliveries.writeChange(message, kind, reason: reason, now: now)
      return end(message, .lastAttemptEnd, .attemptsUsedUp, now: now)
    }
    let backOff = BackOff(first: ledger.limits.backOffFirst, max: ledger.limits.backOffMax)
    let delay = delay ?? backOff.delay(after: message.attempt, dice: &dice)
    deliveries.takeBack(message, to: state, kind, delay: delay, reason: reason, now: now)
  }
}
