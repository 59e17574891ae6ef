/// The effect of an agent's call on a message.
enum AgentStep: Equatable {
  /// The message moves to this state.
  case move(MessageState)
  /// The call changes nothing and gets this reply.
  case reply(AgentReply)
  /// A write of the message has no report yet: the call is applied again after the report.
  case wait
}

extension Message {
  /// How a fence relates to the message.
  enum Standing { case current, earlier, unknown }

  func standing(_ fence: Fence) -> Standing {
    if handOut?.fence == fence { return .current }
    return fences.contains(fence) ? .earlier : .unknown
  }

  /// Returns the effect of a claim, an extension or a release with this fence.
  func step(_ event: MessageEvent, _ fence: Fence) -> AgentStep {
    isLost(standing(fence)) ? .reply(.leaseLost) : step(applying: event, fence)
  }

  /// The agent has lost the lease, or never had it.
  private func isLost(_ standing: Standing) -> Bool {
    switch state {
    case .offered, .leased: standing != .current
    // A fence that the message never had waits for no report.
    case .storing, .queued, .answering, .withdrawing, .closing, .redriving: standing == .unknown
    case .answered, .dead, .expired, .cancelled: false
    }
  }

  /// The event that a result is to the message; nil if its fence was never given for it.
  func event(of result: AgentResultCall, _ standing: Standing) -> MessageEvent? {
    if state == .answered {
      let isSame = answerFence == result.fence && result.isRepeat(of: answerHash)
      return isSame ? .repeatedResult : .otherResult
    }
    // No agent has seen it: whoever names a fence has invented it.
    if state == .storing || state == .withdrawing { return nil }
    switch standing {
    case .current: return state == .queued ? .lateResult : .result
    case .earlier: return .lateResult
    case .unknown: return result.isKnownFence ? .lateResult : nil
    }
  }

  /// Returns the effect that the table gives to an agent's call with this fence.
  func step(applying event: MessageEvent, _ fence: Fence) -> AgentStep {
    switch MessageTable.cell(state, event) {
    case .move(let state, _, _): .move(state)
    case .stay(let tell): .reply(reply(tell, fence))
    case .wait: .wait
    case .settle, .back, .vanish, .impossible: isImpossible(event)
    }
  }

  private func reply(_ tell: Tell, _ fence: Fence) -> AgentReply {
    switch tell {
    case .duplicate: .duplicate
    case .alreadyAnswered: fence == answerFence ? .alreadyAnswered : .answeredElsewhere
    case .closed: .closed(reason ?? .cancelledByCaller)
    case .leaseLost: .leaseLost
    case .nothing, .ok, .entry, .stored, .answer, .ended, .task, .unavailable, .tooLate, .redriven,
      .notDead:
      preconditionFailure("an agent is not told \(tell)")
    }
  }

  /// The queue or its driver has a bug.
  func isImpossible(_ event: MessageEvent) -> Never {
    preconditionFailure("\(event) cannot happen to a message in \(state)")
  }
}
