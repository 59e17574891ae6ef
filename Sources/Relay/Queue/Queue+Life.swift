extension Queue {
  /// A sign that the agent lives: stretches the leases that it took without confirming.
  package func heartbeat(now: Now, wasActive: (String, Instant) -> Bool) {
    for message in messages.values where message.state == .leased {
      guard let handOut = message.handOut, handOut.isUnconfirmed, handOut.isAcknowledged,
        wasActive(handOut.consumer, handOut.at)
      else { continue }
      let end = min(now.instant + handOut.length, handOut.at + limits.heartbeatLeaseMax)
      guard end > handOut.end else { continue }
      message.handOut?.end = end
      write(message, .extended, now: now)
      schedule(message, now: now)
    }
  }

  /// The agent has started anew: what it had and never touched is lost to it.
  package func agentRestarted(now: Now) {
    for message in messages.values.sorted(by: { $0.seq < $1.seq }) where message.state == .leased {
      // What is handed out in this very turn has not left yet: the new agent asked for it.
      guard let handOut = message.handOut, handOut.isUnconfirmed, !handOut.isTouched,
        handOut.turn != turn
      else { continue }
      message.handOut?.end = now.instant
      handOutEnded(message, now: now)
    }
    dispatch(now: now)
  }

  /// The process has not run for `gap`: what agents hold ends later by that, and the file need not
  /// know, as a start gives them time anyway.
  package func stoodStill(_ gap: Duration, now: Now) {
    for message in messages.values {
      guard let end = message.handOut?.end else { continue }
      message.handOut?.end = end + gap
      schedule(message, now: now)
    }
  }
}
