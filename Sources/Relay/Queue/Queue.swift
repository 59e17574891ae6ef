/// The queue of one workspace: its messages, tasks, parked polls and timers.
///
/// It owns no file, socket or clock. Each verb is told what happened and when, changes the state by
/// `MessageTable`, and leaves in `actions` what the driver has to do. The driver carries the
/// actions out and hands `Report`s back once their write is durable or refused. Nothing is
/// delivered or answered before its write is durable, except a delivery, whose row only has to be
/// committed.
///
/// The parts each own a question: `tasks` which task goes on with which message, `ready` and
/// `polls` which message and which poll are next, `leases` which fence is in force, `occupancy`
/// whether there is room, `timers` what is due. The queue applies the table of a message to them.
package final class Queue {
  package let limits: Limits
  package var actions: [Action] = []

  var messages = MessageIndex()
  var tasks = OpenTasks()
  var occupancy = Occupancy()
  var ready = ReadyMessages()
  var polls = ParkedPolls()
  var leases: Leases
  var timers = Timers()
  var dice: Dice
  /// Counts the driver's turns: messages that arrive in one turn may share a poll.
  var turn: UInt64 = 1
  package var isPaused = false
  /// No message or task expires before then: the wall clock is in doubt until then.
  package var expiresFrom = Instant(nanoseconds: .min)
  /// The largest result that is accepted now. The engine sets it by the room that it has.
  package var resultBytesMax = Int.max
  #if PLANTS
    /// A planted bug that the schedule test must find.
    package var plant: Plant?
  #endif

  /// `fencesAbove`: the highest counter that a queue of the same boot number has given.
  package init(limits: Limits, boot: UInt32, seed: UInt64, fencesAbove: UInt64 = 0) {
    self.limits = limits
    leases = Leases(boot: boot, fencesAbove: fencesAbove)
    dice = Dice(seed: seed)
  }

  package var count: Int { messages.count }
  package var parkedCount: Int { polls.count }
  /// Messages that an agent has, or is about to be given.
  package var heldCount: Int { leases.count }
  package var lastSeq: Seq { messages.lastSeq }
  package var bytes: Int { occupancy.bytes }
  package var counts: QueueCounts { occupancy.counts }
  package var unanswered: Int { counts.unanswered }
  /// The counter of the last fence given; the next queue of this run begins above it.
  package var lastFence: UInt64 { leases.lastFence }
  /// Dead messages that only the file holds, because their caller has had a reply.
  package var deadInFile: Int {
    get { occupancy.deadInFile }
    set { occupancy.deadInFile = newValue }
  }

  package func message(_ seq: Seq) -> Message? { messages[seq] }
  package func taskState(_ task: Seq) -> TaskState? { tasks[task]?.state }

  /// The state of a task of which nothing is being written: no file says anything newer.
  package func settledTaskState(_ task: Seq) -> TaskState? {
    guard let entry = tasks[task], entry.unreported.isEmpty, !entry.isEnding else { return nil }
    return entry.state
  }

  /// Whether the fence was given for the message in this run, or taken over from the last one.
  package func knows(_ fence: Fence, of seq: Seq) -> Bool {
    messages[seq]?.fences.contains(fence) ?? false
  }

  /// The earliest time at which `tick` has something to do.
  package var nextDeadline: Instant? { timers.next }

  /// Whether a poll is parked, one has just ended, or an agent works under a lease in force.
  package func isPresent(now: Now) -> Bool {
    polls.isPresent(at: now.instant, for: limits.presentAfterPoll)
      || messages.all.contains { $0.state == .leased && $0.handOut?.isTouched == true }
  }

  /// An agent counts as present until then.
  package func restsAt(now: Now) -> Instant {
    polls.lastEnd.map { $0 + limits.presentAfterPoll } ?? now.instant
  }

  /// Some message has no end yet, or some task waits for its caller.
  package var isOpen: Bool { unanswered > 0 || tasks.hasOpen }

  /// The queue can be read from the file again, exactly: nobody waits, no agent holds anything, and
  /// nothing is being written. (The driver commits deferred writes before.)
  package var isInFile: Bool {
    polls.isEmpty && heldCount == 0 && actions.isEmpty && !isPaused
      && messages.all.allSatisfy(\.isInFile) && tasks.isSettled
  }

  /// The queue in numbers, for operators. The time that this takes does not grow with the queue.
  package var depth: QueueDepth {
    var depth = QueueDepth(counts, deadInFile: max(0, deadInFile))
    depth.inFlight = heldCount
    depth.bytes = bytes
    depth.oldestUnanswered = messages.oldestUnanswered()
    depth.oldestUnreceived = messages.oldestUnreceived()
    return depth
  }

  /// The turn's transaction has been tried. What follows is part of the next turn, reports
  /// included. A poll reserved in the last turn takes no more messages.
  package func turnEnded() { turn += 1 }

  /// Everything that is due by `now`.
  package func tick(now: Now) {
    while let timer = timers.popDue(at: now.instant) {
      switch timer.kind {
      case .poll: if polls.isIdle(timer.key) { endPoll(timer.key, now: now) }
      case .task: expireTask(Seq(timer.key), now: now)
      case .message:
        guard let message = messages[Seq(timer.key)], message.timerAt == timer.at else { continue }
        message.timerAt = nil
        due(message, now: now)
      }
    }
    dispatch(now: now)
  }

  func setTimer(_ kind: Timer.Kind, _ key: UInt64, at time: Instant) {
    timers.set(
      Timer(at: time, key: key, kind: kind), liveMax: messages.count + polls.count + tasks.count
    ) { timer in
      switch timer.kind {
      case .poll: polls.contains(timer.key)
      case .task: tasks[Seq(timer.key)]?.expires == timer.at
      case .message: messages[Seq(timer.key)]?.timerAt == timer.at
      }
    }
  }

  /// Sets the message's timer for the next thing that can happen to it by itself. A timer that is
  /// set for an earlier time stays: it finds nothing to do and sets the next one.
  func schedule(_ message: Message, now: Now) {
    guard let next = message.nextDue(now: now, expiresFrom: expiresFrom) else { return }
    message.timerAt = next
    setTimer(.message, UInt64(message.seq), at: next)
  }

  func write(_ write: Write) { actions.append(.write(write)) }

  func reply(_ call: CallID, _ reply: AgentReply) {
    actions.append(.reply(call, reply, afterBarrier: false))
  }

  func answerCancel(_ call: CallID?, _ reply: CancelReply) {
    if let call { actions.append(.cancelReply(call, reply)) }
  }

  func answerRedrive(_ call: CallID?, _ reply: RedriveReply) {
    if let call { actions.append(.redriveReply(call, reply)) }
  }
}

#if PLANTS
  /// The planted bugs of the negative controls; release builds have none of this.
  package enum Plant: String, CaseIterable, Sendable {
    case lostWakeUp, fenceIgnored, timerDuringWrite, doubleAccept, offerToDeadPoll, redriveTold
    case returnsUncounted
  }
#endif
