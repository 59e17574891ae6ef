/// What the limits of a queue count: of all of it, or of one caller.
package struct QueueCounts: Sendable, Equatable {
  package var unanswered = 0
  /// Ended, and nobody has received how: answers, and ends without one that are not dead.
  package var unreceived = 0
  package var dead = 0
  /// Open tasks that wait for input or authorization.
  package var interrupted = 0

  /// All the messages.
  package var messages: Int { unanswered + unreceived + dead }
}

/// What a file holds beside its queue: messages that have ended, and that nobody waits for.
package struct Kept: Sendable, Equatable {
  package var bytes: Int
  package var messages: Int

  package init(bytes: Int = 0, messages: Int = 0) {
    self.bytes = bytes
    self.messages = messages
  }

  /// More than stays: what somebody has read to its end goes.
  package func isOver(_ limits: Limits) -> Bool {
    bytes > limits.keptBytesMax || messages > limits.keptMessagesMax
  }

  /// More than can be kept of what nobody has read, which does not go.
  package func isFull(_ limits: Limits) -> Bool {
    bytes - limits.keptBytesMax > limits.unreadBytesMax
      || messages - limits.keptMessagesMax > limits.unreadMessagesMax
  }
}

/// Why a message is not taken. Nothing has been created.
package struct QueueRefusal: Sendable, Equatable {
  /// `queueFull` or `callerShare`.
  package var error: RelayError
  /// Of the queue, or of the caller.
  package var counts: QueueCounts
  /// Bytes of the queue's requests, if that is the reason.
  package var bytes: Int?
  /// Messages that the file keeps beside the queue, if that is the reason.
  package var kept: Int?

  package init(error: RelayError, counts: QueueCounts, bytes: Int? = nil, kept: Int? = nil) {
    self.error = error
    self.counts = counts
    self.bytes = bytes
    self.kept = kept
  }
}

extension Queue {
  /// Whether one more message of `caller` fits into the queue's limits. One that continues a task
  /// makes no further task wait: it is how such a task is brought to its end.
  /// An operator's replays (`caller` nil) have no share.
  package func refusal(caller: String?, bytes more: Int, opensTask: Bool) -> QueueRefusal? {
    if messages.count >= limits.queueMessagesMax
      || opensTask && tally.counts.interrupted >= limits.interruptedTasksMax
    {
      return QueueRefusal(error: .queueFull, counts: tally.counts)
    }
    if bytes + more > limits.queueBytesMax {
      return QueueRefusal(error: .queueFull, counts: tally.counts, bytes: bytes)
    }
    guard let caller, let own = perCaller[caller]?.counts else { return nil }
    let isOver =
      own.messages >= limits.queueMessagesMax * limits.callerSharePercent / 100
      || opensTask
        && own.interrupted >= limits.interruptedTasksMax * limits.callerSharePercent / 100
    return isOver ? QueueRefusal(error: .callerShare, counts: own) : nil
  }

  package var counts: QueueCounts { tally.counts }
  package var unanswered: Int { tally.counts.unanswered }

  /// What is counted for one caller, found again from its messages without its name.
  final class Tally {
    var counts = QueueCounts()
  }

  func tally(of caller: String) -> Tally {
    if let tally = perCaller[caller] { return tally }
    let tally = Tally()
    perCaller[caller] = tally
    return tally
  }

  /// Counts `message` in the place that its state has, or takes it out of it.
  func count(_ message: Message, by change: Int) {
    let share = message.tally ?? tally(of: message.caller)
    message.tally = share
    share.count(message.state, by: change)
    tally.count(message.state, by: change)
    if share.counts == QueueCounts() { perCaller[message.caller] = nil }
  }

  /// It counts as something else from now on.
  func recount(_ message: Message, as state: MessageState) {
    for tally in [tally, message.tally ?? tally(of: message.caller)] {
      tally.count(message.state, by: -1)
      tally.count(state, by: 1)
    }
    message.state = state
  }

  /// It has come to its end, whose state it has now.
  func countEnd(_ message: Message) {
    tally.countEnd(message.state)
    (message.tally ?? tally(of: message.caller)).countEnd(message.state)
  }

  /// A task of `caller` begins to wait, or waits no longer.
  func countInterrupted(of caller: String, _ old: TaskState?, _ new: TaskState?) {
    let was = old?.isInterrupted == true
    let isNow = new?.isInterrupted == true
    guard was != isNow else { return }
    let share = tally(of: caller)
    share.counts.interrupted += isNow ? 1 : -1
    tally.counts.interrupted += isNow ? 1 : -1
    if share.counts == QueueCounts() { perCaller[caller] = nil }
  }
}

extension Queue.Tally {
  fileprivate func countEnd(_ state: MessageState) {
    counts.unanswered -= 1
    count(state, by: 1)
  }

  fileprivate func count(_ state: MessageState, by change: Int) {
    switch state {
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      counts.unanswered += change
    case .answered, .expired, .cancelled: counts.unreceived += change
    case .dead: counts.dead += change
    }
  }
}
