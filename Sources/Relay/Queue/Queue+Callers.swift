/// What becomes of a caller whose hold has run out.
package enum HoldEnd: Sendable, Equatable {
  /// It gets the Task as it stands.
  case task
  /// A write is on its way: it is held until that is reported.
  case wait
  /// The message has ended; the caller has its answer already.
  case over
}

extension Queue {
  /// A caller's hold has run out.
  package func holdEnded(_ seq: Seq) -> HoldEnd {
    guard let message = messages[seq] else { return .over }
    switch MessageTable.cell(message.state, .holdEnd) {
    case .stay(.task): return .task
    case .wait: return .wait
    case .stay: return .over
    case .move, .settle, .back, .vanish, .impossible: bug(message, .holdEnd)
    }
  }

  /// Every caller's hold has run out under `when_offline: error`. Answers whether `ended` or
  /// `notWithdrawn` follows; if not, the callers get the Task as it stands.
  package func withdraw(_ seq: Seq, now: Now) -> Bool {
    guard let message = messages[seq] else { return false }
    switch MessageTable.cell(message.state, .withdraw) {
    case .move:
      guard !message.wasHandedOut else { return false }
      end(message, .withdraw, .withdrawn, now: now)
    case .wait: message.waiting.append(.withdraw)
    case .stay: return message.state == .withdrawing
    case .settle, .back, .vanish, .impossible: bug(message, .withdraw)
    }
    return true
  }

  /// An operator ends the message: `cancelledByOperator`, `purged` or `workspaceRemoved`.
  /// `cancelReply` answers when that is durable, if somebody waits. `note`: who it was, for the
  /// timeline.
  package func close(
    _ call: CallID?, _ seq: Seq, _ reason: EndReason, note: [UInt8] = [], now: Now
  ) {
    let event = Self.closingEvent(reason)
    guard let message = messages[seq] else {
      if let call { actions.append(.cancelReply(call, .notCancelable)) }
      return
    }
    switch MessageTable.cell(message.state, event) {
    case .move:
      if let call { message.closers.append(call) }
      if !note.isEmpty {
        actions.append(
          .write(.note(seq: seq, kind: .cancelledByOperator, at: now.wall, detail: note)))
      }
      end(message, event, reason, now: now)
    case .wait: message.waiting.append(.close(call, reason, note: note))
    case .stay: if let call { actions.append(.cancelReply(call, .notCancelable)) }
    case .settle, .back, .vanish, .impossible: bug(message, event)
    }
  }

  private static func closingEvent(_ reason: EndReason) -> MessageEvent {
    switch reason {
    case .cancelledByOperator: .cancel
    case .purged: .purge
    case .workspaceRemoved: .workspaceRemoved
    case .attemptsUsedUp, .expired, .cancelledByCaller, .withdrawn, .taskEnded:
      preconditionFailure("an operator does not end a message by \(reason)")
    }
  }

  func answerClosers(_ message: Message, _ reply: CancelReply) {
    for call in message.closers { actions.append(.cancelReply(call, reply)) }
    message.closers = []
  }
}
