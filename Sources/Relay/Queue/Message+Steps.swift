extension Message {
  /// Begins a write of the message, which has this state until the report.
  func begin(_ write: Pending, _ state: MessageState) {
    before = self.state
    self.state = state
    pending = write
  }

  /// Ends the current write, which has its report, and returns its outcome.
  func takePending() -> Pending {
    defer { pending = .nothing }
    return pending
  }

  /// Returns the time at which the next thing can happen to the message by itself; nil if it has a
  /// timer for that already, or if nothing can.
  func nextDue(now: Now, expiresFrom: Instant) -> Instant? {
    guard !state.isEnd, !state.isPending else { return nil }
    var next = mustEnd == nil ? max(expires, expiresFrom) : now.instant
    if let end = handOut?.end { next = min(next, end) }
    if let retryAt { next = max(next, retryAt) }
    if state == .queued, notBefore > now.instant { next = min(next, notBefore) }
    if let timerAt, timerAt <= next { return nil }
    return next
  }

  /// `expiresFrom`: nothing expires before then.
  func hasExpired(now: Now, expiresFrom: Instant) -> Bool {
    max(expires, expiresFrom) <= now.instant
  }

  /// Returns the write that records the latest event of the current delivery; nil without a
  /// delivery.
  func change(_ kind: HandOutChange.Kind, reason: String = "", now: Now) -> Write? {
    guard let handOut else { return nil }
    return .handOutChange(
      HandOutChange(
        seq: seq, fence: handOut.fence, kind: kind, at: now.wall,
        leaseEnd: now.wall(at: handOut.end), reason: reason))
  }

  /// The agent has done its work and is told to come again: its lease does not run out meanwhile.
  /// Nothing is written; after a restart the lease has its grace anyway.
  func keepLease(
    of result: AgentResultCall, told error: RelayError, _ limits: Limits, now: Now
  ) {
    guard let handOut, handOut.fence == result.fence else { return }
    let told = Duration.seconds(error.retryAfterSeconds ?? 0)
    self.handOut?.end = max(handOut.end, now.instant + told + limits.refusedLeaseMargin)
  }

  /// The write of the message's answer. `isLate`: the result does not carry the current fence.
  func answer(_ result: AgentResultCall, isLate: Bool, now: Now) -> Write {
    .answer(
      Answer(
        seq: seq, fence: result.fence, at: now.wall, isLate: isLate, bodyHash: result.hash,
        body: result.body))
  }

  /// Notes in the timeline a result that came too late to be the answer. The queue bounds how many
  /// and how long: no agent can fill a file with them.
  func note(of result: AgentResultCall, _ reply: AgentReply, bytesMax: Int, now: Now) -> Write {
    lateResults += 1
    let kind: NoteKind = if case .closed = reply { .resultAfterEnd } else { .resultConflict }
    return .note(
      seq: seq, kind: kind, at: now.wall, detail: Array(result.body.prefix(bytesMax)))
  }

  /// The message is as if it were new, but for its age and its id: a redrive is durable.
  func restart(_ redrive: Redrive, _ state: MessageState, now: Now) {
    self.state = state
    reason = nil
    position = redrive.position
    expiresAt = redrive.expires
    expires = now.instant(at: redrive.expires)
    attempt = 0
    untouchedInARow = 0
    notBefore = now.instant
    retryAt = nil
    mustEnd = nil
    timerAt = nil
    // An agent has had it: that is why it was dead.
    wasHandedOut = true
  }

  /// The file says all about the message, and nobody waits for it.
  var isInFile: Bool {
    guard callers == 0, waiting.isEmpty, closers.isEmpty else { return false }
    return state.isEnd || !state.isPending && handOut == nil && retryAt == nil
  }

  /// The message is dead, or the file says so and the report is on its way.
  var isDead: Bool {
    if case .end(.dead, _) = pending { return state == .closing }
    return state == .dead
  }

  /// An event that changes nothing that the table knows.
  func expect(_ event: MessageEvent) {
    switch MessageTable.cell(state, event) {
    case .stay: break
    case .move, .wait, .settle, .back, .vanish, .impossible: isImpossible(event)
    }
  }
}
