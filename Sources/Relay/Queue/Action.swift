/// What a queue asks its driver to do, in this order, after the call that made it.
package enum Action {
  /// In this turn's transaction.
  case write(Write)
  /// In the workspace's next transaction, at most `lazyWriteMax` later; nobody waits for it. All
  /// writes keep their order: deferred writes go before the writes of the turn that takes them, and
  /// are deferred again when that is refused.
  case lazy(Write)
  /// To be handed back when this turn's transaction is durable, or was rolled back.
  case report(Report)
  /// Send the entries to the poll once this turn's transaction is committed.
  case handOut(PollID, [HandOut])
  /// The poll's wait is over: 204.
  case empty(PollID)
  /// Answer an agent's call; `afterBarrier`: not before this turn's transaction is durable.
  case reply(CallID, AgentReply, afterBarrier: Bool)
  /// Callers of `CancelTask`, and operators who cancel or purge.
  case cancelReply(CallID, CancelReply)
  /// Operators who redrive.
  case redriveReply(CallID, RedriveReply)
  /// The message is at rest again after a redrive, in the queue or dead as before.
  case redriveOver(Seq)
  /// The job's last step is durable, or was refused.
  case jobMoved(JobID, isDurable: Bool)
  /// It is durable: callers who wanted the Task at once get it.
  case stored(Seq)
  /// It was not stored: its callers get 503.
  case refused(Seq)
  /// Every attached caller gets the answer.
  case answered(Seq)
  /// Every attached caller gets the Task as it ended, or the withdrawal.
  case ended(Seq, EndReason)
  /// The withdrawal did not come to be: callers get the Task as it stands.
  case notWithdrawn(Seq)
  /// The message has left memory; whatever is kept for it can go.
  case forget(Seq)
}

/// A write of this turn whose outcome a machine waits for.
package enum Report: Sendable, Equatable {
  case message(Seq)
  case task(Seq, TaskState, CallID?)
  /// A step of a job; `movesSends`: it stands and falls with the messages that it makes.
  case job(JobID, movesSends: Bool)
}

/// One entry of a poll's answer.
package struct HandOut: Sendable, Equatable {
  package var seq: Seq
  package var fence: Fence
  package var attempt: Int
  /// The lease, or the offer, ends then.
  package var end: Instant
  package var isOffer: Bool
  /// An agent has had it before, or may have.
  package var isRedelivered: Bool
}

extension HandOut {
  init(_ message: Message, _ handOut: CurrentHandOut) {
    self.init(
      seq: message.seq, fence: handOut.fence, attempt: message.attempt, end: handOut.end,
      isOffer: handOut.isOffer, isRedelivered: handOut.isRedelivered)
  }
}

/// The reply to an agent's call.
package enum AgentReply: Sendable, Equatable {
  case ok(leaseEnd: Instant)
  case released
  case accepted(isLate: Bool)
  case duplicate
  case leaseLost
  case alreadyAnswered
  case answeredElsewhere
  case closed(EndReason)
  case unavailable
  /// There is no room for a result of its size.
  case noRoom
}

/// What the caller of `CancelTask` is told.
package enum CancelReply: Sendable, Equatable { case cancelled, notCancelable, unavailable }

/// What the operator is told who redrives a message.
package enum RedriveReply: Sendable, Equatable { case redriven, notDead, told, unavailable }

/// A poll, as the queue sees it.
package struct Poll: Sendable {
  package var id: PollID
  package var max: Int
  package var bytesMax: Int
  package var lease: Duration
  package var confirm: Bool
  /// The `consumer=` of the request, or the client's address and token.
  package var consumer: String
  /// The consumer has named itself: it is one poller, and what it never touched can go back to it.
  package var isNamed: Bool
  package var deadline: Instant

  package init(
    id: PollID, max: Int, bytesMax: Int, lease: Duration, confirm: Bool, consumer: String,
    isNamed: Bool = false, deadline: Instant
  ) {
    self.id = id
    self.max = max
    self.bytesMax = bytesMax
    self.lease = lease
    self.confirm = confirm
    self.consumer = consumer
    self.isNamed = isNamed
    self.deadline = deadline
  }
}
