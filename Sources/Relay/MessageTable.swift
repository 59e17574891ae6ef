/// The events of a message after it has arrived.
package enum MessageEvent: UInt8, Sendable, CaseIterable {
  /// The message's write has passed the barrier.
  case durable
  /// The message's write was rolled back: nothing of it is on disk.
  case refused
  /// A poll with `confirm=1` takes the message.
  case offer
  /// A poll without `confirm` takes the message.
  case poll
  /// The peer's TCP never acknowledged the response that delivered the message.
  case pollDead
  case claim
  case extend
  case release
  /// The last attempt was released, or its lease ended.
  case lastAttemptEnd
  /// A result with the fence of the current delivery.
  case result
  /// A result with the fence of an earlier delivery, while nobody has answered.
  case lateResult
  /// The accepted result once more: same fence, same body.
  case repeatedResult
  /// Any other result for a message that has its answer.
  case otherResult
  case callerGone
  case callerAttached
  /// A caller's hold ran out, and the caller gets the Task.
  case holdEnd
  /// Every caller's hold ran out under `when_offline: error`, and no agent ever had the message.
  case withdraw
  case offerEnd
  case leaseEnd
  case timeToLiveEnd
  case cancel
  /// Another message, or a cancel, ended the task.
  case taskEnded
  case purge
  /// An operator puts the dead message back into the queue; no caller was told of its end.
  case redrive
  case pause
  case workspaceRemoved
  case shutdown
  /// The message was read from the file after a start.
  case recovered
}

/// The write that a transition causes.
package enum TableWrite: String, Sendable {
  case none, handOut, claim, extend, requeue, answer, end, redrive
}

/// The reply that a transition causes, and its receiver. Replies to callers and agents leave after
/// the barrier.
package enum Tell: String, Sendable {
  case nothing
  /// The agent: done, 200.
  case ok
  /// The poll: the entry.
  case entry
  /// Callers who wanted the Task at once: the Task, SUBMITTED.
  case stored
  /// The agent: accepted, 200; every caller: the answer.
  case answer
  /// Every caller: the Task as it ended, or the error of a withdrawal.
  case ended
  /// One caller: the Task as it stands.
  case task
  /// The agent: 200 with `duplicate:true`.
  case duplicate
  /// The agent: 409 `already_answered`, or `answered_elsewhere` with another fence.
  case alreadyAnswered
  /// The agent: 409 `closed` (`cancelled:true` after a cancel); a result's body is kept.
  case closed
  /// The agent: 409 `lease_lost`.
  case leaseLost
  /// The client that asked for the write: 503, nothing was stored.
  case unavailable
  /// The client that asked: the message has ended already.
  case tooLate
  /// The operator: the message is in the queue again.
  case redriven
  /// The operator: 409 `not_dead`.
  case notDead
}

/// One cell of the table.
package enum Cell: Equatable, Sendable {
  case move(MessageState, write: TableWrite, tell: Tell)
  case stay(Tell)
  /// The message is being written: the event is deferred, and applied again after the report.
  case wait
  /// The message moves to the end that was written: dead, expired or cancelled.
  case settle(Tell)
  /// The message moves back to the state from before the write.
  case back(Tell)
  /// The message never existed.
  case vanish(Tell)
  /// This cannot happen, or the driver has a bug.
  case impossible
}

/// The full table of a message: state × event → new state, write, reply.
///
/// Every cell is written out, so that a new state or event does not compile until somebody has
/// thought it through. `arrive` comes before the table: it makes a message in `storing`.
package enum MessageTable {
  package static func cell(_ state: MessageState, _ event: MessageEvent) -> Cell {
    switch state {
    case .storing: storing(event)
    case .queued: queued(event)
    case .offered: offered(event)
    case .leased: leased(event)
    case .answering: answering(event)
    case .answered: answered(event)
    case .dead, .expired, .cancelled: ended(state, event)
    case .withdrawing: withdrawing(event)
    case .closing: closing(event)
    case .redriving: redriving(event)
    }
  }

  private static func storing(_ event: MessageEvent) -> Cell {
    switch event {
    case .durable: .move(.queued, write: .none, tell: .stored)
    case .refused: .vanish(.unavailable)
    case .callerGone, .callerAttached, .pause, .shutdown: .stay(.nothing)
    case .holdEnd, .withdraw, .timeToLiveEnd, .cancel, .taskEnded, .purge, .redrive,
      .workspaceRemoved:
      .wait
    // No agent has seen the message: whatever token is shown for it was not made here.
    case .claim, .extend, .release: .stay(.leaseLost)
    case .offer, .poll, .pollDead, .lastAttemptEnd, .result, .lateResult, .repeatedResult,
      .otherResult, .offerEnd, .leaseEnd, .recovered:
      .impossible
    }
  }

  private static func queued(_ event: MessageEvent) -> Cell {
    switch event {
    case .offer: .move(.offered, write: .handOut, tell: .entry)
    case .poll: .move(.leased, write: .handOut, tell: .entry)
    // The message was delivered before and came back; the earlier agent has lost its lease, but its
    // result still counts.
    case .claim, .extend, .release: .stay(.leaseLost)
    case .lateResult: .move(.answering, write: .answer, tell: .nothing)
    case .callerGone, .callerAttached, .pause, .shutdown, .recovered: .stay(.nothing)
    case .holdEnd: .stay(.task)
    case .withdraw: .move(.withdrawing, write: .end, tell: .nothing)
    case .redrive: .stay(.notDead)
    case .lastAttemptEnd, .timeToLiveEnd, .cancel, .taskEnded, .purge, .workspaceRemoved:
      .move(.closing, write: .end, tell: .nothing)
    case .durable, .refused, .pollDead, .result, .repeatedResult, .otherResult, .offerEnd,
      .leaseEnd:
      .impossible
    }
  }

  private static func offered(_ event: MessageEvent) -> Cell {
    switch event {
    case .refused: .move(.queued, write: .none, tell: .unavailable)
    case .claim: .move(.leased, write: .claim, tell: .ok)
    case .extend: .move(.leased, write: .extend, tell: .ok)
    case .release: .move(.queued, write: .requeue, tell: .ok)
    case .result, .lateResult: .move(.answering, write: .answer, tell: .nothing)
    case .pollDead, .offerEnd: .move(.queued, write: .requeue, tell: .nothing)
    case .lastAttemptEnd, .timeToLiveEnd, .cancel, .taskEnded, .purge, .workspaceRemoved:
      .move(.closing, write: .end, tell: .nothing)
    case .callerGone, .callerAttached, .pause, .shutdown, .recovered: .stay(.nothing)
    // The message was delivered, so it is not withdrawn: the caller gets the Task.
    case .holdEnd, .withdraw: .stay(.task)
    case .redrive: .stay(.notDead)
    case .durable, .offer, .poll, .repeatedResult, .otherResult, .leaseEnd: .impossible
    }
  }

  private static func leased(_ event: MessageEvent) -> Cell {
    switch event {
    case .refused: .move(.queued, write: .none, tell: .unavailable)
    case .claim: .move(.leased, write: .claim, tell: .ok)
    case .extend: .move(.leased, write: .extend, tell: .ok)
    case .release: .move(.queued, write: .requeue, tell: .ok)
    case .result, .lateResult: .move(.answering, write: .answer, tell: .nothing)
    case .pollDead, .leaseEnd: .move(.queued, write: .requeue, tell: .nothing)
    case .lastAttemptEnd, .timeToLiveEnd, .cancel, .taskEnded, .purge, .workspaceRemoved:
      .move(.closing, write: .end, tell: .nothing)
    case .callerGone, .callerAttached, .pause, .shutdown, .recovered: .stay(.nothing)
    case .holdEnd, .withdraw: .stay(.task)
    case .redrive: .stay(.notDead)
    case .durable, .offer, .poll, .repeatedResult, .otherResult, .offerEnd: .impossible
    }
  }

  private static func answering(_ event: MessageEvent) -> Cell {
    switch event {
    case .durable: .move(.answered, write: .none, tell: .answer)
    case .refused: .back(.unavailable)
    case .callerGone, .callerAttached, .pause, .shutdown: .stay(.nothing)
    case .claim, .extend, .release, .result, .lateResult, .repeatedResult, .otherResult, .pollDead,
      .lastAttemptEnd, .holdEnd, .withdraw, .offerEnd, .leaseEnd, .timeToLiveEnd, .cancel,
      .taskEnded, .purge, .redrive, .workspaceRemoved:
      .wait
    case .offer, .poll, .recovered: .impossible
    }
  }

  private static func answered(_ event: MessageEvent) -> Cell {
    switch event {
    case .repeatedResult: .stay(.duplicate)
    case .otherResult, .claim, .extend, .release: .stay(.alreadyAnswered)
    case .callerAttached: .stay(.answer)
    case .cancel: .stay(.tooLate)
    case .redrive: .stay(.notDead)
    case .callerGone, .holdEnd, .withdraw, .taskEnded, .purge, .pause, .workspaceRemoved, .shutdown,
      .recovered, .timeToLiveEnd, .offerEnd, .leaseEnd, .lastAttemptEnd, .pollDead:
      .stay(.nothing)
    case .durable, .refused, .offer, .poll, .result, .lateResult: .impossible
    }
  }

  private static func ended(_ state: MessageState, _ event: MessageEvent) -> Cell {
    switch event {
    case .claim, .extend, .release, .result, .lateResult, .repeatedResult, .otherResult:
      .stay(.closed)
    case .callerAttached: .stay(.ended)
    case .cancel: .stay(.tooLate)
    // A message that has expired or was cancelled can only be replayed.
    case .redrive:
      state == .dead ? .move(.redriving, write: .redrive, tell: .nothing) : .stay(.notDead)
    case .callerGone, .holdEnd, .withdraw, .taskEnded, .purge, .pause, .workspaceRemoved, .shutdown,
      .recovered, .timeToLiveEnd, .offerEnd, .leaseEnd, .lastAttemptEnd, .pollDead:
      .stay(.nothing)
    case .durable, .refused, .offer, .poll: .impossible
    }
  }

  private static func withdrawing(_ event: MessageEvent) -> Cell {
    switch event {
    case .durable: .settle(.ended)
    case .refused: .back(.task)
    case .callerGone, .callerAttached, .pause, .shutdown, .withdraw: .stay(.nothing)
    case .holdEnd, .timeToLiveEnd, .cancel, .taskEnded, .purge, .redrive, .workspaceRemoved: .wait
    // The message was never delivered: whatever token is shown for it was not made here.
    case .claim, .extend, .release: .stay(.leaseLost)
    case .offer, .poll, .pollDead, .lastAttemptEnd, .result, .lateResult, .repeatedResult,
      .otherResult, .offerEnd, .leaseEnd, .recovered:
      .impossible
    }
  }

  private static func closing(_ event: MessageEvent) -> Cell {
    switch event {
    case .durable: .settle(.ended)
    case .refused: .back(.unavailable)
    case .callerGone, .callerAttached, .pause, .shutdown: .stay(.nothing)
    case .claim, .extend, .release, .result, .lateResult, .repeatedResult, .otherResult, .pollDead,
      .lastAttemptEnd, .holdEnd, .withdraw, .offerEnd, .leaseEnd, .timeToLiveEnd, .cancel,
      .taskEnded, .purge, .redrive, .workspaceRemoved:
      .wait
    case .offer, .poll, .recovered: .impossible
    }
  }

  private static func redriving(_ event: MessageEvent) -> Cell {
    switch event {
    case .durable: .move(.queued, write: .none, tell: .redriven)
    case .refused: .back(.unavailable)
    // The redriven message gets a new time to live.
    case .callerGone, .callerAttached, .pause, .shutdown, .timeToLiveEnd: .stay(.nothing)
    case .claim, .extend, .release, .result, .lateResult, .repeatedResult, .otherResult, .holdEnd,
      .withdraw, .cancel, .taskEnded, .purge, .redrive, .workspaceRemoved:
      .wait
    // No agent holds a dead message.
    case .offer, .poll, .pollDead, .lastAttemptEnd, .offerEnd, .leaseEnd, .recovered: .impossible
    }
  }
}
