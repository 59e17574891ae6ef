/// The queue of one workspace: its messages, tasks, parked polls and timers.
///
/// It owns no file, socket or clock. Each verb is handed what happened and when, changes the state
/// by `MessageTable`, and leaves what is to be done in `actions`; the driver carries it out and
/// hands `Report`s back once their write is durable or refused. Nothing is handed out or answered
/// before its write is durable, except a hand-out, whose row only has to be committed.
package final class Queue {
  package let limits: Limits
  package var actions: [Action] = []

  var messages: [Seq: Message] = [:]
  var tasks: [Seq: TaskEntry] = [:]
  /// Equal calls attach here, until the reply has been received.
  var unreceived: [EqualCalls: Seq] = [:]
  var ready = Heap<Ready>()
  var polls: [PollID: Poll] = [:]
  /// Parked polls, the longest waiting first; those that have gone are skipped.
  var parked: [PollID] = []
  var parkedStart = 0
  var timers = Heap<Timer>()
  var dice: Dice
  let boot: UInt32
  var fenceCounter: UInt64 = 0
  package internal(set) var lastSeq: Seq = 0
  /// The position of the last message in the order; the store counts alike.
  var lastPosition: Int64 = 0
  /// Counts the driver's turns: messages that arrive in one turn may share a poll.
  var turn: UInt64 = 1
  /// What the queue limits count.
  package internal(set) var bytes = 0
  let tally = Tally()
  /// Dead messages that are in the file alone, because their caller has had a reply.
  package var deadInFile = 0
  /// Of every caller that has something in the queue.
  var perCaller: [String: Tally] = [:]
  package var isPaused = false
  /// Nothing expires before then: the wall clock is not believed.
  package var expiresFrom = Instant(nanoseconds: .min)
  /// Bytes that a result may have now; the engine knows what there is room for.
  package var resultBytesMax = Int.max
  /// The poll that messages of this turn share.
  var lastReserved: PollID?
  /// Messages in `storing` that no poll is reserved for: those behind them do not pass them.
  var unreservedStoring = 0
  var lastPollEnd: Instant?
  /// Messages with a hand-out in force.
  package internal(set) var heldCount = 0
  var unansweredAges = Ages()
  var endAges = Ages()
  /// Leases whose named consumer has not touched them, by consumer.
  var untouched: [String: [Seq]] = [:]
  #if PLANTS
    /// A planted bug that the schedule test must find.
    package var plant: Plant?
  #endif

  /// `fencesAbove`: the highest counter that a queue of the same boot number has given.
  package init(limits: Limits, boot: UInt32, seed: UInt64, fencesAbove: UInt64 = 0) {
    self.limits = limits
    self.boot = boot
    fenceCounter = fencesAbove
    dice = Dice(seed: seed)
  }

  struct Ready: Comparable {
    var position: Int64
    var seq: Seq
    static func < (left: Ready, right: Ready) -> Bool { left.position < right.position }
  }

  /// A task with unanswered messages, or one that waits for input.
  struct TaskEntry {
    var state: TaskState
    var context: String
    let caller: String
    /// Unanswered messages in order; only the first is handed out.
    var messages: [Seq] = []
    var expires: Instant?
    /// A cancel of the task, or its expiry, is on its way.
    var isPending = false
    /// States whose write is on its way, each with the message that brought it (0: none).
    var onItsWay: [(by: Seq, state: TaskState)] = []
    /// Those who want to cancel it while its end is on its way.
    var waiting: [CallID] = []

    /// What the file will say when all that is on its way is durable.
    var written: TaskState { onItsWay.last?.state ?? state }
  }

  package var count: Int { messages.count }
  package var parkedCount: Int { polls.count }

  package func message(_ seq: Seq) -> Message? { messages[seq] }
  package func taskState(_ seq: Seq) -> TaskState? { tasks[seq]?.state }
  /// The same while nothing of it is on its way to the disk: then no file says anything newer.
  package func settledTaskState(_ seq: Seq) -> TaskState? {
    guard let entry = tasks[seq], entry.onItsWay.isEmpty, !entry.isPending else { return nil }
    return entry.state
  }

  /// The fence was given for the message in this run, or taken over from the last one.
  package func knows(_ fence: Fence, of seq: Seq) -> Bool {
    messages[seq]?.fences.contains(fence) ?? false
  }

  /// The earliest time at which `tick` has something to do.
  package var nextDeadline: Instant? { timers.first?.at }

  /// A poll is parked, one has just ended, or a lease is held in time.
  package func isPresent(now: Now) -> Bool {
    if !polls.isEmpty { return true }
    if let lastPollEnd, lastPollEnd + limits.presentAfterPoll > now.instant { return true }
    return messages.values.contains { $0.state == .leased && $0.handOut?.isTouched == true }
  }

  /// The turn's transaction has been tried; what follows, its reports too, is of the next one. A
  /// poll reserved in it takes no more messages.
  package func turnEnded() { turn += 1 }

  func push(_ at: Instant, _ key: UInt64, _ kind: Timer.Kind) {
    timers.insert(Timer(at: at, key: key, kind: kind))
    // Timers of what has ended stay until they are in the majority.
    if timers.count > 256 + 6 * (messages.count + polls.count + tasks.count) {
      timers.keep { isLive($0) }
    }
  }

  private func isLive(_ timer: Timer) -> Bool {
    switch timer.kind {
    case .poll: polls[timer.key] != nil
    case .task: tasks[Seq(timer.key)]?.expires == timer.at
    case .message: messages[Seq(timer.key)]?.timerAt == timer.at
    }
  }

  /// Sets the message's timer for the next thing that can happen to it by itself. A timer that is
  /// set for earlier stays: it finds nothing to do and sets the next.
  func schedule(_ message: Message, now: Now) {
    guard !message.state.isEnd, !message.state.isPending else { return }
    var next = message.mustEnd == nil ? max(message.expires, expiresFrom) : now.instant
    if let end = message.handOut?.end { next = min(next, end) }
    if let retryAt = message.retryAt { next = max(next, retryAt) }
    if message.state == .queued, message.notBefore > now.instant {
      next = min(next, message.notBefore)
    }
    if let timerAt = message.timerAt, timerAt <= next { return }
    message.timerAt = next
    push(next, UInt64(message.seq), .message)
  }

  func nextFence() -> Fence {
    fenceCounter += 1
    return Fence(boot: boot, counter: fenceCounter)
  }
}

#if PLANTS
  /// The planted bugs of the negative controls; release builds have none of this.
  package enum Plant: String, CaseIterable, Sendable {
    case lostWakeUp, fenceIgnored, timerDuringWrite, doubleAccept, offerToDeadPoll, redriveTold
    case returnsUncounted
  }
#endif
