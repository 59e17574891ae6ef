extension Queue {
  /// The agent takes up an offer. A claim of a lease that the agent holds already changes nothing
  /// of it, but is written too: the write of the last claim may have been refused.
  package func claim(_ call: CallID, _ seq: Seq, _ fence: Fence, now: Now) {
    guard let (message, state) = moved(call, seq, fence, .claim, .claim(call, fence)) else {
      return
    }
    if message.state == .offered {
      message.state = state
      leases.extend(message, length: message.handOut?.length ?? limits.lease, now: now)
      schedule(message, now: now)
    }
    replyHeld(call, message, .claimed, now: now)
  }

  /// The agent goes on working, and needs `length` more from now.
  package func extend(_ call: CallID, _ seq: Seq, _ fence: Fence, length: Duration?, now: Now) {
    let length = min(length ?? messages[seq]?.handOut?.length ?? limits.lease, limits.leaseMax)
    guard let (message, state) = moved(call, seq, fence, .extend, .extend(call, fence, length))
    else { return }
    message.state = state
    leases.extend(message, length: length, now: now)
    schedule(message, now: now)
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
    actions.append(.reply(call, .ok(leaseEnd: end), afterBarrier: true))
  }

  /// The agent gives the message back. It is delivered again after `delay`; without one the
  /// back-off decides.
  package func release(
    _ call: CallID, _ seq: Seq, _ fence: Fence, delay: Duration?, reason: String, now: Now
  ) {
    giveBack(call, seq, fence, delay: delay, reason: reason, now: now)
    dispatch(now: now)
  }

  func giveBack(
    _ call: CallID, _ seq: Seq, _ fence: Fence, delay: Duration?, reason: String, now: Now
  ) {
    let delay = delay.map { min($0, limits.releaseDelayMax) }
    let deferred = Deferred.release(call, fence, delay, reason)
    guard let (message, state) = moved(call, seq, fence, .release, deferred) else { return }
    loseAttempt(message, to: state, .released, delay: delay, reason: reason, now: now)
    actions.append(.reply(call, .released, afterBarrier: true))
  }

  /// Returns the message and its new state if the table lets the call move it. Otherwise the call
  /// gets its reply, or is applied again as `deferred` after the report of the current write.
  private func moved(
    _ call: CallID, _ seq: Seq, _ fence: Fence, _ event: MessageEvent,
    _ deferred: @autoclosure () -> Deferred
  ) -> (Message, MessageState)? {
    guard let message = messages[seq] else {
      reply(call, .leaseLost)
      return nil
    }
    switch message.step(event, believed(fence, of: message)) {
    case .move(let state): return (message, state)
    case .reply(let answer): reply(call, answer)
    case .wait: message.waiting.append(deferred())
    }
    return nil
  }

  /// The fence, unless a planted bug takes every fence for the current one.
  private func believed(_ fence: Fence, of message: Message) -> Fence {
    #if PLANTS
      if plant == .fenceIgnored { return message.handOut?.fence ?? message.fences.last ?? fence }
    #endif
    return fence
  }

  /// The agent's result. The first one that is durable is the answer, for ever.
  package func result(_ result: AgentResultCall, _ seq: Seq, now: Now) {
    precondition(
      TaskTable.event(ofResult: result.state) != nil, "a result ends or interrupts its task")
    guard let message = messages[seq],
      let event = message.event(of: result, message.standing(believed(result.fence, of: message)))
    else { return reply(result.call, .leaseLost) }
    switch message.step(applying: event, result.fence) {
    case .move(let state):
      accept(result, message, isLate: event == .lateResult, to: state, now: now)
    case .reply(let answer):
      noteRefusedResult(result, message, answer, now: now)
      reply(result.call, answer)
    case .wait:
      #if PLANTS
        if plant == .doubleAccept, message.state == .answering {
          return accept(result, message, isLate: false, to: .answering, now: now)
        }
      #endif
      message.waiting.append(.result(result))
    }
  }

  private func accept(
    _ result: AgentResultCall, _ message: Message, isLate: Bool, to state: MessageState, now: Now
  ) {
    guard result.body.count <= resultBytesMax else {
      message.keepLease(of: result, told: .resultsFull, limits, now: now)
      return reply(result.call, .noRoom)
    }
    if isLate { writeChange(message, .revoked, now: now) } else { leases.touch(message) }
    message.begin(.answer(result), state)
    write(
      .answer(
        Answer(
          seq: message.seq, fence: result.fence, at: now.wall, isLate: isLate,
          bodyHash: result.hash, body: result.body)))
    if let event = TaskTable.event(ofResult: result.state) {
      writeTask(message.task, event, by: message.seq, now: now)
    }
    actions.append(.report(.message(message.seq)))
  }

  /// The timeline keeps a result that came too late to be the answer, up to a bound: no agent can
  /// fill a file with them.
  private func noteRefusedResult(
    _ result: AgentResultCall, _ message: Message, _ reply: AgentReply, now: Now
  ) {
    guard reply != .duplicate, message.lateResults < limits.lateResultsMax else { return }
    message.lateResults += 1
    let kind: NoteKind = if case .closed = reply { .resultAfterEnd } else { .resultConflict }
    let detail = Array(result.body.prefix(min(limits.lateBodyBytesMax, resultBytesMax)))
    write(.note(seq: message.seq, kind: kind, at: now.wall, detail: detail))
  }

  /// An agent's request shows that it lives: leases that were taken without a confirmation are
  /// stretched.
  package func heartbeat(now: Now, wasActive: (String, Instant) -> Bool) {
    for message in messages.all where message.state == .leased {
      guard let handOut = message.handOut, handOut.isUnconfirmed, handOut.isAcknowledged,
        wasActive(handOut.consumer, handOut.at)
      else { continue }
      let end = min(now.instant + handOut.length, handOut.at + limits.heartbeatLeaseMax)
      guard end > handOut.end else { continue }
      message.handOut?.end = end
      writeChange(message, .extended, now: now)
      schedule(message, now: now)
    }
  }

  /// The agent has started anew: leases for which it has made no call are lost.
  package func agentRestarted(now: Now) {
    for message in messages.all.sorted(by: { $0.seq < $1.seq }) where message.state == .leased {
      // A message delivered in this turn has not left yet: the new agent asked for it.
      guard let handOut = message.handOut, handOut.isUnconfirmed, !handOut.isTouched,
        handOut.turn != turn
      else { continue }
      message.handOut?.end = now.instant
      handOutEnded(message, now: now)
    }
    dispatch(now: now)
  }

  /// The process has not run for `gap`: leases and offers end later by that. Nothing is written, as
  /// a start gives agents time anyway.
  package func stoodStill(_ gap: Duration, now: Now) {
    for message in messages.all {
      guard let end = message.handOut?.end else { continue }
      message.handOut?.end = end + gap
      schedule(message, now: now)
    }
  }

  /// The oldest message of this caller that an agent holds now, and the fence to answer it by.
  /// `orLost`: if there is none, one whose lease has ended, as its agent may still answer.
  package func oldestHeld(of caller: String, orLost: Bool) -> (seq: Seq, fence: Fence)? {
    // Most callers have nothing here, and other callers may have thousands of messages.
    guard occupancy.isWaitedFor(by: caller) else { return nil }
    let own = messages.all.filter { $0.caller == caller }
    let held = own.filter { $0.state == .offered || $0.state == .leased }
    if let first = held.min(by: { $0.seq < $1.seq }), let fence = first.handOut?.fence {
      return (first.seq, fence)
    }
    guard orLost else { return nil }
    let lost = own.filter { $0.state == .queued && $0.handOut == nil && !$0.fences.isEmpty }
    guard let first = lost.min(by: { $0.seq < $1.seq }), let fence = first.fences.last
    else { return nil }
    return (first.seq, fence)
  }

  /// The fence of the answer that is being written for a message.
  package func fenceOfAnswer(_ seq: Seq) -> Fence? {
    guard let message = messages[seq], case .answer(let result) = message.pending
    else { return nil }
    return result.fence
  }
}
