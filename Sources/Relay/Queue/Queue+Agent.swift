extension Queue {
  /// How a fence stands to a message.
  private enum Standing { case current, earlier, unknown }

  private func standing(_ message: Message, _ fence: Fence) -> Standing {
    #if PLANTS
      if plant == .fenceIgnored { return .current }
    #endif
    if message.handOut?.fence == fence { return .current }
    return message.fences.contains(fence) ? .earlier : .unknown
  }

  /// The agent takes up an offer. Claiming a lease that it holds anyway changes nothing of it, but
  /// is written too: the write of the last claim may have been refused.
  package func claim(_ call: CallID, _ seq: Seq, _ fence: Fence, now: Now) {
    guard let message = holding(call, seq, fence, .claim) else { return }
    switch MessageTable.cell(message.state, .claim) {
    case .move(let state, .claim, _):
      if message.state == .offered {
        take(message, to: state, length: message.handOut?.length ?? limits.lease, now: now)
      }
      replyHeld(call, message, .claimed, now: now)
    case .stay(let tell): reply(call, message, tell, fence)
    case .wait: message.waiting.append(.claim(call, fence))
    case .move, .settle, .back, .vanish, .impossible: bug(message, .claim)
    }
  }

  /// The agent works on and needs `length` more, from now.
  package func extend(_ call: CallID, _ seq: Seq, _ fence: Fence, length: Duration?, now: Now) {
    guard let message = holding(call, seq, fence, .extend) else { return }
    let length = min(length ?? message.handOut?.length ?? limits.lease, limits.leaseMax)
    switch MessageTable.cell(message.state, .extend) {
    case .move(let state, _, _):
      take(message, to: state, length: length, now: now)
      replyHeld(call, message, .extended, now: now)
    case .stay(let tell): reply(call, message, tell, fence)
    case .wait: message.waiting.append(.extend(call, fence, length))
    case .settle, .back, .vanish, .impossible: bug(message, .extend)
    }
  }

  /// The agent gives it back. `delay`: not before then; without one the back-off decides.
  package func release(
    _ call: CallID, _ seq: Seq, _ fence: Fence, delay: Duration?, reason: String, now: Now
  ) {
    giveBack(call, seq, fence, delay: delay, reason: reason, now: now)
    dispatch(now: now)
  }

  func giveBack(
    _ call: CallID, _ seq: Seq, _ fence: Fence, delay: Duration?, reason: String, now: Now
  ) {
    guard let message = holding(call, seq, fence, .release) else { return }
    switch MessageTable.cell(message.state, .release) {
    case .move(let state, _, _):
      if message.attempt >= limits.attempts {
        write(message, .released, now: now, reason: reason)
        end(message, .lastAttemptEnd, .attemptsUsedUp, now: now)
      } else {
        let delay = delay.map { min($0, limits.releaseDelayMax) } ?? backOff(message)
        takeBack(message, to: state, kind: .released, delay: delay, reason: reason, now: now)
      }
      actions.append(.reply(call, .released, afterBarrier: true))
    case .stay(let tell): reply(call, message, tell, fence)
    case .wait:
      message.waiting.append(.release(call, fence, delay ?? backOff(message), reason))
    case .settle, .back, .vanish, .impossible: bug(message, .release)
    }
  }

  /// The agent's result. The first one that is durable is the answer, for ever.
  package func result(_ result: AgentResultCall, _ seq: Seq, now: Now) {
    precondition(
      TaskTable.event(ofResult: result.state) != nil, "a result ends or interrupts its task")
    guard let message = messages[seq], let event = resultEvent(message, result) else {
      return actions.append(.reply(result.call, .leaseLost, afterBarrier: false))
    }
    switch MessageTable.cell(message.state, event) {
    case .move(let state, .answer, _):
      accept(result, message, isLate: event == .lateResult, to: state, now: now)
    case .stay(let tell):
      noteRefusedResult(result, message, tell, now: now)
      reply(result.call, message, tell, result.fence)
    case .wait:
      #if PLANTS
        if plant == .doubleAccept, message.state == .answering {
          return accept(result, message, isLate: false, to: .answering, now: now)
        }
      #endif
      message.waiting.append(.result(result))
    case .move, .settle, .back, .vanish, .impossible: bug(message, event)
    }
  }

  private func resultEvent(_ message: Message, _ result: AgentResultCall) -> MessageEvent? {
    if message.state == .answered {
      let isSame = message.answerFence == result.fence && result.isRepeat(of: message.answerHash)
      return isSame ? .repeatedResult : .otherResult
    }
    // Nobody has been shown it: whoever names a fence has made it up.
    if message.state == .storing || message.state == .withdrawing { return nil }
    switch standing(message, result.fence) {
    case .current: return message.state == .queued ? .lateResult : .result
    case .earlier: return .lateResult
    case .unknown: return result.isKnownFence ? .lateResult : nil
    }
  }

  private func accept(
    _ result: AgentResultCall, _ message: Message, isLate: Bool, to state: MessageState, now: Now
  ) {
    guard result.body.count <= resultBytesMax else {
      keepLease(message, of: result, told: .resultsFull, now: now)
      return actions.append(.reply(result.call, .noRoom, afterBarrier: false))
    }
    if isLate { write(message, .revoked, now: now) } else { touch(message) }
    message.before = message.state
    message.state = state
    message.pending = .answer(result)
    actions.append(
      .write(
        .answer(
          Answer(
            seq: message.seq, fence: result.fence, at: now.wall, isLate: isLate,
            bodyHash: result.hash, body: result.body))))
    if let event = TaskTable.event(ofResult: result.state) {
      writeTask(message.task, event, by: message.seq, now: now)
    }
    actions.append(.report(.message(message.seq)))
  }

  /// The timeline keeps what came too late to be the answer; no agent fills a file with that.
  private func noteRefusedResult(
    _ result: AgentResultCall, _ message: Message, _ tell: Tell, now: Now
  ) {
    guard tell != .duplicate, message.lateResults < limits.lateResultsMax else { return }
    message.lateResults += 1
    let kind: NoteKind = tell == .closed ? .resultAfterEnd : .resultConflict
    let detail = Array(result.body.prefix(min(limits.lateBodyBytesMax, resultBytesMax)))
    actions.append(.write(.note(seq: message.seq, kind: kind, at: now.wall, detail: detail)))
  }

  /// The message, if `fence` may speak for it; the call is answered otherwise.
  private func holding(_ call: CallID, _ seq: Seq, _ fence: Fence, _ event: MessageEvent)
    -> Message?
  {
    guard let message = messages[seq] else {
      actions.append(.reply(call, .leaseLost, afterBarrier: false))
      return nil
    }
    let standing = standing(message, fence)
    let isLost =
      switch message.state {
      case .offered, .leased: standing != .current
      // Without a hand-out that is its own it has nothing to wait for.
      case .storing, .queued, .answering, .withdrawing, .closing, .redriving:
        standing == .unknown
      case .answered, .dead, .expired, .cancelled: false
      }
    if isLost {
      actions.append(.reply(call, .leaseLost, afterBarrier: false))
      return nil
    }
    return message
  }

  /// A lease from now on, touched by its agent. It never ends earlier than the agent knows: the
  /// disk may still refuse what is written now, and then the agent counts on the end from before.
  private func take(_ message: Message, to state: MessageState, length: Duration, now: Now) {
    message.state = state
    message.untouchedInARow = 0
    message.handOut?.isOffer = false
    touch(message)
    message.handOut?.isUnconfirmed = false
    message.handOut?.length = length
    let end = message.handOut?.end ?? now.instant
    message.handOut?.end = max(end, now.instant + length)
    schedule(message, now: now)
  }

  /// Notes what became of the hand-out; nobody waits for it.
  func change(_ message: Message, _ kind: HandOutChange.Kind, now: Now) {
    guard let change = changed(message, kind, now: now, reason: "") else { return }
    // A change of a row that is refused with this turn must go with it.
    actions.append(message.handOut?.turn == turn ? .write(change) : .lazy(change))
  }

  /// The same in this turn's transaction, where it stands or falls with what else happens.
  func write(_ message: Message, _ kind: HandOutChange.Kind, now: Now, reason: String = "") {
    guard let change = changed(message, kind, now: now, reason: reason) else { return }
    actions.append(.write(change))
  }

  private func changed(
    _ message: Message, _ kind: HandOutChange.Kind, now: Now, reason: String
  ) -> Write? {
    guard let handOut = message.handOut else { return nil }
    return .handOutChange(
      HandOutChange(
        seq: message.seq, fence: handOut.fence, kind: kind, at: now.wall,
        leaseEnd: now.wall(at: handOut.end), reason: reason))
  }

  /// The agent is told when its lease ends once the file says the same. Refused, the lease stays as
  /// it is here: the agent asks again.
  private func replyHeld(
    _ call: CallID, _ message: Message, _ kind: HandOutChange.Kind, now: Now
  ) {
    touch(message)
    guard let end = message.handOut?.end else { bug(message, .claim) }
    write(message, kind, now: now)
    actions.append(.reply(call, .ok(leaseEnd: end), afterBarrier: true))
  }

  private func reply(_ call: CallID, _ message: Message, _ tell: Tell, _ fence: Fence) {
    let reply: AgentReply
    switch tell {
    case .duplicate: reply = .duplicate
    case .alreadyAnswered:
      reply = fence == message.answerFence ? .alreadyAnswered : .answeredElsewhere
    case .closed: reply = .closed(message.reason ?? .cancelledByCaller)
    case .leaseLost: reply = .leaseLost
    case .nothing, .ok, .entry, .stored, .answer, .ended, .task, .unavailable, .tooLate, .redriven,
      .notDead:
      preconditionFailure("an agent is not told \(tell)")
    }
    actions.append(.reply(call, reply, afterBarrier: false))
  }

  func backOff(_ message: Message) -> Duration {
    BackOff(first: limits.backOffFirst, max: limits.backOffMax)
      .delay(after: message.attempt, dice: &dice)
  }

  func bug(_ message: Message, _ event: MessageEvent) -> Never {
    preconditionFailure("\(event) cannot happen to a message in \(message.state)")
  }
}
