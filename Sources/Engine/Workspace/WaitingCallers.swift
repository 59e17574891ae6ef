import Relay

/// The callers of a workspace that wait, and what has to happen before they are answered.
struct WaitingCallers {
  /// Callers that wait for the end of a message.
  var waiters: [Seq: [Waiter]] = [:]
  /// What waits until a message is stored, or a redrive of it is over, or either was refused.
  var afterWrite: [Seq: [(Now) -> Void]] = [:]
  /// Dead messages that a caller is told of, while their write is not committed.
  var telling: Set<Seq> = []
  /// Callers of CancelTask, and the task that they mean.
  var cancels: [CallID: (addressee: Addressee, task: Seq)] = [:]
  var keys = PendingKeys()
  /// The workspace's answers to what it has asked itself.
  var ownAnswers = OwnAnswers()

  /// Whether nobody waits for the end of a message.
  var isEmpty: Bool { waiters.isEmpty }

  /// How many callers wait for the end of a message.
  var count: Int { waiters.values.reduce(0) { $0 + $1.count } }
}

/// A caller that is held until its message ends, or its hold does.
struct Waiter {
  var addressee: Addressee
  /// What it waits for, which leaves memory when it ends if its Task was received before.
  var message: MessageID?
  var deadline: Instant
  /// It asked for the Task at once, and gets it as soon as the message is stored.
  var isImmediate: Bool
  /// It brings the answer of a message: that it is told the Task says nothing of who has asked.
  var isAnswerer = false
  /// A withdrawal was asked for when its hold ran out.
  var isWithdrawing = false
}
