extension Queue {
  /// A poll has arrived. `isGone` says whether the connection of an earlier poll has ended.
  package func poll(_ poll: Poll, now: Now, isGone: (PollID) -> Bool) {
    precondition(poll.max > 0, "a poll asks for something")
    if poll.isNamed { returnUntouched(of: poll.consumer, now: now, isGone: isGone) }
    deliveries.park(poll, now: now)
  }

  /// The poll's connection has ended before its answer: it gets nothing.
  package func pollGone(_ id: PollID, now: Now) { deliveries.pollGone(id, now: now) }

  /// Ends every parked poll, so that its client can go elsewhere.
  package func endPolls(now: Now) { deliveries.endPolls(now: now) }

  /// Forgets every parked poll, and returns them: the driver answers them itself.
  package func abandonPolls(now: Now) -> [PollID] { deliveries.abandonPolls(now: now) }

  /// Nothing is delivered while the queue is paused; leases go on.
  package func pause() { deliveries.pause() }

  package func resume(now: Now) { deliveries.resume(now: now) }

  /// The agent takes up an offer.
  package func claim(_ call: CallID, _ seq: Seq, _ fence: Fence, now: Now) {
    deliveries.claim(call, seq, fence, now: now)
  }

  /// The agent goes on working, and needs `length` more from now.
  package func extend(_ call: CallID, _ seq: Seq, _ fence: Fence, length: Duration?, now: Now) {
    deliveries.extend(call, seq, fence, length: length, now: now)
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
    let delay = delay.map { min($0, ledger.limits.releaseDelayMax) }
    let deferred = Deferred.release(call, fence, delay, reason)
    guard let (message, state) = deliveries.moved(call, seq, fence, .release, deferred)
    else { return }
    loseAttempt(message, to: state, .released, delay: delay, reason: reason, now: now)
    ledger.actions.append(.reply(call, .released, afterBarrier: true))
  }

  /// The agent's result. The first one that is durable is the answer, for ever.
  package func result(_ result: AgentResultCall, _ seq: Seq, now: Now) {
    precondition(
      TaskTable.event(ofResult: result.state) != nil, "a result ends or interrupts its task")
    guard let message = message(seq),
      let event = message.event(
        of: result, message.standing(deliveries.believed(result.fence, of: message)))
    else { return ledger.reply(result.call, .leaseLost) }
    switch message.step(applying: event, result.fence) {
    case .move(let state):
      accept(result, message, isLate: event == .lateResult, to: state, now: now)
    case .reply(let answer):
      let bytesMax = min(ledger.limits.lateBodyBytesMax, resultBytesMax)
      if answer != .duplicate, message.lateResults < ledger.limits.lateResultsMax {
        ledger.write(message.note(of: result, answer, bytesMax: bytesMax, now: now))
      }
      ledger.reply(result.call, answer)
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
      message.keepLease(of: result, told: .resultsFull, ledger.limits, now: now)
      return ledger.reply(result.call, .noRoom)
    }
    if isLate {
      deliveries.writeChange(message, .revoked, now: now)
    } else {
      deliveries.touch(message)
    }
    message.begin(.answer(result), state)
    ledger.write(message.answer(result, isLate: isLate, now: now))
    if let event = TaskTable.event(ofResult: result.state) {
      ledger.writeTask(message.task, event, by: message.seq, now: now)
    }
    ledger.report(message)
  }

  /// The fence of the answer that is being written for a message.
  package func fenceOfAnswer(_ seq: Seq) -> Fence? {
    guard case .answer(let result) = message(seq)?.pending else { return nil }
    return result.fence
  }

  /// The oldest message of this caller that an agent holds now, and the fence to answer it by.
  /// `orLost`: if there is none, one whose lease has ended, as its agent may still answer.
  package func oldestHeld(of caller: String, orLost: Bool) -> (seq: Seq, fence: Fence)? {
    // Most callers have nothing here, and other callers may have thousands of messages.
    guard ledger.occupancy.isWaitedFor(by: caller) else { return nil }
    return ledger.messages.oldestHeld(of: caller, orLost: orLost)
  }
}
