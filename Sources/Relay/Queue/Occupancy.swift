/// How much a queue holds, in all and of each caller, compared with its limits.
struct Occupancy {
  /// The counts of one caller. A message points at those of its caller, so that they are found
  /// without a look-up by name.
  final class Share {
    fileprivate(set) var counts = QueueCounts()
  }

  private(set) var counts = QueueCounts()
  /// Bytes of all requests.
  private(set) var bytes = 0
  /// Dead messages that only the file holds, because their caller has had a reply.
  var deadInFile = 0
  private var shares: [String: Share] = [:]

  /// The counts of every caller that has something in the queue.
  var byCaller: [String: QueueCounts] { shares.mapValues(\.counts) }

  /// Whether the caller has unanswered messages.
  func isWaitedFor(by caller: String) -> Bool {
    shares[caller]?.counts.unanswered ?? 0 > 0
  }

  /// Returns why one more message of `caller` is refused; nil if there is room. A message that
  /// continues a task is not refused because too many tasks wait for input: it ends such a wait.
  /// An operator's replays (`caller` nil) have no share.
  func refusal(caller: String?, bytes more: Int, opensTask: Bool, _ limits: Limits)
    -> QueueRefusal?
  {
    if counts.messages >= limits.queueMessagesMax
      || opensTask && counts.interrupted >= limits.interruptedTasksMax
    {
      return QueueRefusal(error: .queueFull, counts: counts)
    }
    if bytes + more > limits.queueBytesMax {
      return QueueRefusal(error: .queueFull, counts: counts, bytes: bytes)
    }
    guard let caller, let own = shares[caller]?.counts else { return nil }
    let isOver =
      own.messages >= limits.queueMessagesMax * limits.callerSharePercent / 100
      || opensTask
        && own.interrupted >= limits.interruptedTasksMax * limits.callerSharePercent / 100
    return isOver ? QueueRefusal(error: .callerShare, counts: own) : nil
  }

  mutating func add(_ message: Message) {
    bytes += message.bytes
    share(of: message).counts.count(message.state, by: 1)
    counts.count(message.state, by: 1)
  }

  mutating func remove(_ message: Message) {
    bytes -= message.bytes
    let share = share(of: message)
    share.counts.count(message.state, by: -1)
    counts.count(message.state, by: -1)
    if share.counts == QueueCounts() { shares[message.caller] = nil }
  }

  /// Moves the message to `new`, and counts it there. `old`: the state that it was counted in.
  mutating func move(_ message: Message, from old: MessageState, to new: MessageState) {
    let share = share(of: message)
    share.counts.count(old, by: -1)
    share.counts.count(new, by: 1)
    counts.count(old, by: -1)
    counts.count(new, by: 1)
    message.state = new
  }

  /// A task of `caller` begins to wait for input, or stops waiting, if `old` and `new` differ in
  /// it.
  mutating func countInterrupted(of caller: String, _ old: TaskState?, _ new: TaskState?) {
    let isNow = new?.isInterrupted == true
    guard (old?.isInterrupted == true) != isNow else { return }
    let share = share(of: caller)
    share.counts.interrupted += isNow ? 1 : -1
    counts.interrupted += isNow ? 1 : -1
    if share.counts == QueueCounts() { shares[caller] = nil }
  }

  private mutating func share(of message: Message) -> Share {
    if let share = message.share { return share }
    let share = share(of: message.caller)
    message.share = share
    return share
  }

  private mutating func share(of caller: String) -> Share {
    if let share = shares[caller] { return share }
    let share = Share()
    shares[caller] = share
    return share
  }
}

extension QueueCounts {
  fileprivate mutating func count(_ state: MessageState, by change: Int) {
    switch state {
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      unanswered += change
    case .answered, .expired, .cancelled: unreceived += change
    case .dead: dead += change
    }
  }
}
