/// The queue of one workspace: its messages, tasks, parked polls and timers.
///
/// The queue owns no file, socket or clock. Each verb is told what happened and when, changes the
/// state by `MessageTable`, and leaves in `actions` what the driver has to do. The driver carries
/// the actions out and hands `Report`s back once their write is durable or refused. Nothing is
/// delivered or answered before its write is durable, except a delivery, whose row only has to be
/// committed.
///
/// `Ledger` holds the messages and tasks, `Deliveries` decides which agent gets which message until
/// when. How a message and its task end, and what a report means, is decided here.
package final class Queue {
  let ledger: Ledger
  let deliveries: Deliveries
  var dice: Dice
  /// The largest result that is accepted now. The engine sets it by the room that it has.
  package var resultBytesMax = Int.max

  /// `fencesAbove`: the highest counter that a queue of the same boot number has given.
  package init(limits: Limits, boot: UInt32, seed: UInt64, fencesAbove: UInt64 = 0) {
    ledger = Ledger(limits: limits)
    deliveries = Deliveries(ledger, boot: boot, fencesAbove: fencesAbove)
    dice = Dice(seed: seed)
  }

  package var actions: [Action] {
    get { ledger.actions }
    set { ledger.actions = newValue }
  }
  /// No message or task expires before then: the wall clock is in doubt until then.
  package var expiresFrom: Instant {
    get { ledger.expiresFrom }
    set { ledger.expiresFrom = newValue }
  }
  /// Dead messages that only the file holds, because their caller has had a reply.
  package var deadInFile: Int {
    get { ledger.occupancy.deadInFile }
    set { ledger.occupancy.deadInFile = newValue }
  }
  #if PLANTS
    /// A planted bug that the schedule test must find.
    package var plant: Plant? {
      get { ledger.plant }
      set { ledger.plant = newValue }
    }
  #endif

  package var count: Int { ledger.messages.count }
  package var parkedCount: Int { deliveries.polls.count }
  package var isPaused: Bool { deliveries.isPaused }
  /// Messages that an agent has, or is about to be given.
  package var heldCount: Int { deliveries.leases.count }
  package var lastSeq: Seq { ledger.messages.lastSeq }
  package var bytes: Int { ledger.occupancy.bytes }
  package var counts: QueueCounts { ledger.occupancy.counts }
  package var unanswered: Int { counts.unanswered }
  /// The counter of the last fence given; the next queue of this run begins above it.
  package var lastFence: UInt64 { deliveries.leases.lastFence }

  package func message(_ seq: Seq) -> Message? { ledger.messages[seq] }
  package func taskState(_ task: Seq) -> TaskState? { ledger.tasks[task]?.state }
  /// The state of a task of which nothing is being written: no file says anything newer.
  package func settledTaskState(_ task: Seq) -> TaskState? { ledger.tasks.settledState(task) }

  /// Whether the fence was given for the message in this run, or taken over from the last one.
  package func knows(_ fence: Fence, of seq: Seq) -> Bool {
    message(seq)?.fences.contains(fence) ?? false
  }

  /// Whether a poll is parked, one has just ended, or an agent works under a lease in force.
  package func isPresent(now: Now) -> Bool { deliveries.isAgentPresent(now: now) }

  /// An agent counts as present until then.
  package func restsAt(now: Now) -> Instant {
    deliveries.polls.lastEnd.map { $0 + ledger.limits.presentAfterPoll } ?? now.instant
  }

  /// Some message has no end yet, or some task waits for its caller.
  package var isOpen: Bool { unanswered > 0 || ledger.tasks.hasOpen }

  /// The queue can be read from the file again, exactly: nobody waits, no agent holds anything, and
  /// nothing is being written. (The driver commits deferred writes before.)
  package var isInFile: Bool {
    parkedCount == 0 && heldCount == 0 && actions.isEmpty && !isPaused
      && ledger.messages.all.allSatisfy(\.isInFile) && ledger.tasks.isSettled
  }

  /// The queue in numbers, for operators. The time that this takes does not grow with the queue.
  package var depth: QueueDepth {
    var depth = QueueDepth(counts, deadInFile: max(0, deadInFile))
    depth.inFlight = heldCount
    depth.bytes = bytes
    (depth.oldestUnanswered, depth.oldestUnreceived) = ledger.oldest()
    return depth
  }

  /// The earliest time at which `tick` has something to do.
  package var nextDeadline: Instant? {
    guard let message = ledger.nextDeadline, let poll = deliveries.polls.nextDeadline
    else { return ledger.nextDeadline ?? deliveries.polls.nextDeadline }
    return min(message, poll)
  }

  /// Everything that is due by `now`.
  package func tick(now: Now) {
    while let due = ledger.popDue(at: now.instant) {
      switch due {
      case .message(let seq): if let message = message(seq) { self.due(message, now: now) }
      case .task(let task): expireTask(task, now: now)
      }
    }
    deliveries.endDuePolls(now: now)
    dispatch(now: now)
  }

  /// The turn's transaction has been tried. What follows is part of the next turn, reports
  /// included.
  package func turnEnded() { deliveries.turnEnded() }

  func dispatch(now: Now) { deliveries.dispatch(now: now) }
}

#if PLANTS
  /// The planted bugs of the negative controls; release builds have none of this.
  package enum Plant: String, CaseIterable, Sendable {
    case lostWakeUp, fenceIgnored, timerDuringWrite, doubleAccept, offerToDeadPoll, redriveTold
    case returnsUncounted
  }
#endif
