/// The reply to a caller whose hold has run out.
package enum HoldEnd: Sendable, Equatable {
  /// The caller gets the Task as it stands.
  case task
  /// Something is being written: the caller is held until that is reported.
  case wait
  /// The message has ended; the caller has its answer already.
  case over
}

extension Queue {
  /// The message's time has come for something, or seems to have.
  func due(_ message: Message, now: Now) {
    guard !message.state.isEnd else { return }
    // No timer of a message acts while the message is being written.
    if message.state.isPending, !isPlantedTimer(message, now: now) {
      message.isDue = true
      return
    }
    if let retryAt = message.retryAt, retryAt > now.instant {
      return deliveries.line(up: message, now: now)
    }
    message.retryAt = nil
    if let reason = message.mustEnd {
      end(message, reason == .attemptsUsedUp ? .lastAttemptEnd : .taskEnded, reason, now: now)
    } else if message.hasExpired(now: now, expiresFrom: ledger.expiresFrom) {
      end(message, .timeToLiveEnd, .expired, now: now)
    } else if let handOut = message.handOut, handOut.end <= now.instant {
      handOutEnded(message, now: now)
    } else {
      deliveries.offerWhenDue(message, now: now)
    }
    ledger.schedule(message, now: now)
  }

  /// The planted bug that lets a lease end while its result is being written.
  private func isPlantedTimer(_ message: Message, now: Now) -> Bool {
    #if PLANTS
      if plant == .timerDuringWrite, message.state == .answering,
        let handOut = message.handOut, handOut.end <= now.instant
      {
        message.state = .leased
        return true
      }
    #endif
    return false
  }

  /// An end without an answer, by the table.
  func end(_ message: Message, _ event: MessageEvent, _ reason: EndReason, now: Now) {
    switch MessageTable.cell(message.state, event) {
    case .move(let state, .end, _):
      message.begin(.end(reason.finalState, reason), state)
      ledger.write(.end(seq: message.seq, state: reason.finalState, reason: reason, at: now.wall))
      if let event = reason.taskEvent {
        ledger.writeTask(message.task, event, by: message.seq, now: now)
      }
      if reason == .attemptsUsedUp { ledger.keepDead(message, now: now) }
      ledger.report(message)
    case .wait: message.waiting.append(.end(event, reason))
    case .stay: break
    case .move, .settle, .back, .vanish, .impossible: message.isImpossible(event)
    }
  }

  /// A caller's hold has run out.
  package func holdEnded(_ seq: Seq) -> HoldEnd {
    guard let message = ledger.messages[seq] else { return .over }
    switch MessageTable.cell(message.state, .holdEnd) {
    case .stay(.task): return .task
    case .wait: return .wait
    case .stay: return .over
    case .move, .settle, .back, .vanish, .impossible: message.isImpossible(.holdEnd)
    }
  }

  /// Every caller's hold has run out under `when_offline: error`. Returns whether `ended` or
  /// `notWithdrawn` follows; if not, the callers get the Task as it stands.
  package func withdraw(_ seq: Seq, now: Now) -> Bool {
    guard let message = ledger.messages[seq] else { return false }
    switch MessageTable.cell(message.state, .withdraw) {
    case .move:
      guard !message.wasHandedOut else { return false }
      end(message, .withdraw, .withdrawn, now: now)
    case .wait: message.waiting.append(.withdraw)
    case .stay: return message.state == .withdrawing
    case .settle, .back, .vanish, .impossible: message.isImpossible(.withdraw)
    }
    return true
  }

  /// An operator ends the message: `cancelledByOperator`, `purged` or `workspaceRemoved`.
  /// `cancelReply` answers when that is durable, if somebody waits. `note`: who the operator was,
  /// for the timeline.
  package func close(
    _ call: CallID?, _ seq: Seq, _ reason: EndReason, note: [UInt8] = [], now: Now
  ) {
    let event = reason.operatorEvent
    guard let message = ledger.messages[seq] else {
      return ledger.answerCancel(call, .notCancelable)
    }
    switch MessageTable.cell(message.state, event) {
    case .move:
      if let call { message.closers.append(call) }
      if !note.isEmpty {
        ledger.write(.note(seq: seq, kind: .cancelledByOperator, at: now.wall, detail: note))
      }
      end(message, event, reason, now: now)
    case .wait: message.waiting.append(.close(call, reason, note: note))
    case .stay: ledger.answerCancel(call, .notCancelable)
    case .settle, .back, .vanish, .impossible: message.isImpossible(event)
    }
  }

  /// The workspace was removed: ends up to `most` messages and open ledger.tasks. The driver calls
  /// it again until nothing `isOpen`; messages that are being written are left for a later call.
  package func closeSome(_ call: CallID, most: Int, now: Now) {
    let open = ledger.messages.all.lazy.filter { !$0.state.isEnd && !$0.state.isPending }
    let seqs = open.prefix(most).map(\.seq)
    for seq in seqs { close(call, seq, .workspaceRemoved, now: now) }
    for task in ledger.tasks.idle(most: most - seqs.count) { cancelTask(call, task, now: now) }
  }

  func answerClosers(_ message: Message, _ answer: CancelReply) {
    for call in message.closers { ledger.answerCancel(call, answer) }
    message.closers = []
  }
}
