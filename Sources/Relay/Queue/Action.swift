/// A request of the queue to its driver. The driver carries the requests out in their order, after
/// the call that made them.
package enum Action {
  /// Write this in the turn's transaction.
  case write(Write)
  /// Write this in the workspace's next transaction, at most `lazyWriteMax` later; nobody waits for
  /// it. All writes keep their order: deferred writes go before the writes of the turn that takes
  /// them, and are deferred again if that transaction is refused.
  case lazy(Write)
  /// Hand the report back when the turn's transaction is durable, or was rolled back.
  case report(Report)
  /// Answer the poll with the entries once the turn's transaction is committed.
  case handOut(PollID, [HandOut])
  /// Answer the poll without an entry (204): its wait is over.
  case empty(PollID)
  /// Answer an agent's call. `afterBarrier`: not before the turn's transaction is durable.
  case reply(CallID, AgentReply, afterBarrier: Bool)
  /// Answer a caller of `CancelTask`, or an operator who cancels or purges.
  case cancelReply(CallID, CancelReply)
  /// Answer an operator who redrives.
  case redriveReply(CallID, RedriveReply)
  /// A redrive is over: the message is in the queue, or dead as before.
  case redriveOver(Seq)
  /// The job's last step is durable, or was refused.
  case jobMoved(JobID, isDurable: Bool)
  /// The message is stored: callers who wanted the Task at once get it.
  case stored(Seq)
  /// The message was not stored: its callers get 503.
  case refused(Seq)
  /// Every attached caller gets the answer.
  case answered(Seq)
  /// Every attached caller gets the Task as it ended, or the withdrawal.
  case ended(Seq, EndReason)
  /// The message was not withdrawn after all: its callers get the Task as it stands.
  case notWithdrawn(Seq)
  /// The message has left memory: whatever is kept for it there can go.
  case forget(Seq)
}

/// A write of the turn whose outcome the queue or a job waits for.
package enum Report: Sendable, Equatable {
  case message(Seq)
  case task(Seq, TaskState, CallID?)
  /// A step of a job. `movesSends`: the step is durable or refused together with the messages that
  /// it makes.
  case job(JobID, movesSends: Bool)
}

/// One entry of a poll's answer.
package struct HandOut: Sendable, Equatable {
  package var seq: Seq
  package var fence: Fence
  package var attempt: Int
  /// When the lease or the offer ends.
  package var end: Instant
  package var isOffer: Bool
  /// An agent has had the message before, or may have.
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
  /// There is no room for a result of this size.
  case noRoom
}

/// The reply to a caller of `CancelTask`, or to an operator who ends a message.
package enum CancelReply: Sendable, Equatable { case cancelled, notCancelable, unavailable }

/// The reply to an operator who redrives a message.
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
  /// The consumer has named itself: it is a single poller, and messages that it never made a call
  /// for can go back to it.
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
