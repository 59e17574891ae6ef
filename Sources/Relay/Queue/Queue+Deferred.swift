/// An event that came while a message was being written. It is applied after the report.
enum Deferred {
  case claim(CallID, Fence)
  case extend(CallID, Fence, Duration)
  case release(CallID, Fence, Duration?, String)
  case result(AgentResultCall)
  case cancelTask(CallID)
  case close(CallID?, EndReason, note: [UInt8])
  case redrive(CallID?, Seq, note: [UInt8])
  case end(MessageEvent, EndReason)
  case pollDead(Fence, wasSent: Bool)
  case withdraw
}

extension Queue {
  /// The message has its report: the events that came meanwhile happen now, in their order.
  func applyDeferred(_ message: Message, now: Now) {
    let waiting = message.waiting
    message.waiting = []
    for deferred in waiting { apply(deferred, message, now: now) }
    if message.isDue {
      message.isDue = false
      due(message, now: now)
    }
    ledger.schedule(message, now: now)
    ledger.forgetIfDone(message)
  }

  private func apply(_ deferred: Deferred, _ message: Message, now: Now) {
    let seq = message.seq
    switch deferred {
    case .claim(let call, let fence): claim(call, seq, fence, now: now)
    case .extend(let call, let fence, let length):
      extend(call, seq, fence, length: length, now: now)
    case .release(let call, let fence, let delay, let reason):
      giveBack(call, seq, fence, delay: delay, reason: reason, now: now)
    case .result(let result): self.result(result, seq, now: now)
    case .cancelTask(let call): cancelTask(call, message.task, now: now)
    case .close(let call, let reason, let note): close(call, seq, reason, note: note, now: now)
    case .redrive(let call, let seq, let note): redrive(call, seq, note: note, now: now)
    case .end(let event, let reason): end(message, event, reason, now: now)
    case .pollDead(let fence, let wasSent):
      pollDead(message, fence, wasSent: wasSent, now: now)
    case .withdraw:
      let isOver = ledger.messages[seq] == nil || message.state.isEnd
      if !withdraw(seq, now: now), !isOver { ledger.actions.append(.notWithdrawn(seq)) }
    }
  }

  /// The message was never stored, so the event has nothing to happen to.
  func answerVanished(_ deferred: Deferred, _ message: Message, now: Now) {
    switch deferred {
    // A cancel of the task that the message would have continued goes on without it.
    case .cancelTask(let call) where message.task != message.seq:
      cancelTask(call, message.task, now: now)
    case .cancelTask(let call): ledger.answerCancel(call, .unavailable)
    case .close(let call, _, _): ledger.answerCancel(call, .unavailable)
    // The redrive is of another message of the task.
    case .redrive(let call, let seq, let note) where seq != message.seq:
      redrive(call, seq, note: note, now: now)
    case .redrive(let call, _, _): ledger.answerRedrive(call, .unavailable)
    // The callers have been told already.
    case .end, .withdraw: break
    case .claim, .extend, .release, .result, .pollDead:
      preconditionFailure("no agent has seen a message that was not stored")
    }
  }
}
