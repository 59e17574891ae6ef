import Relay

/// The waiting callers of a workspace, and the events that they wait for.
struct WaitingCallers {
  /// The callers that wait for the end of a message.
  var waiters: [Seq: [Waiter]] = [:]
  /// The work that waits until a message is stored, or a redrive of it is over, or either is
  /// refused.
  var afterWrite: [Seq: [(Now) -> Void]] = [:]
  /// The dead messages whose end is being sent to a caller, while the note of that is not
  /// committed.
  var notifying: Set<Seq> = []
  /// The callers of CancelTask, and their tasks.
  var cancels: [CallID: (addressee: Addressee, task: Seq)] = [:]
  var keys = PendingKeys()
  /// The workspace's answers to its own messages.
  var ownAnswers = OwnAnswers()

  /// Whether nobody waits for the end of a message.
  var isEmpty: Bool { waiters.isEmpty }

  /// The number of callers that wait for the end of a message.
  var count: Int { waiters.values.reduce(0) { $0 + $1.count } }
}

/// A caller that is held until its message or its hold ends.
struct Waiter {
  var addressee: Addressee
  /// The message's id, kept here because an ended message leaves memory if its Task was received
  /// before.
  var message: MessageID?
  var deadline: Instant
  /// Whether the caller asked for the Task at once, and gets it as soon as the message is stored.
  var isImmediate: Bool
  /// Whether the caller has sent the answer of the message: its receipt of the Task is no receipt
  /// by the message's caller.
  var isAnswerer = false
  /// Whether a withdrawal was requested when the hold ran out.
  var isWithdrawing = false
}
