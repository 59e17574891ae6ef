@testable import Relay

/// What the driver of a queue does, without a file or a socket: turns, commits, barriers, crashes.
///
/// It believes nothing that it is told before it has looked it up in the file as far as that is
/// durable. The first thing that is wrong stays in `violation`.
final class ScheduleDriver {
  /// A committed transaction whose barrier is outstanding.
  struct Round {
    var writes: [Write]
    var reports: [Report]
    var replies: [(CallID, AgentReply)]
  }

  struct ParkedPoll {
    var poll: Poll
    var isAnswered = false
    var isGone = false
  }

  /// A hand-out whose bytes have left.
  struct Given {
    var seq: Seq
    var fence: Fence
    var poll: PollID
    var end: Instant
  }

  /// A reply to a caller, not yet acknowledged: the Task at work, or the end.
  struct Sent {
    var seq: Seq
    var isEnd: Bool
  }

  enum Call {
    case agent(Seq, Fence)
    case cancelTask(Seq)
    case close(Seq)
    case redrive(Seq)
  }

  var limits = Limits()
  var dice: Dice
  var now: Now
  var queue: Queue
  var boot: UInt32 = 1
  /// The file as it is in the page cache, and as it is on the disk.
  var committed = ScheduleFile()
  var durable = ScheduleFile()
  var doubtfulUpTo: Seq = 0
  var rounds: [Round] = []

  // This turn, so far.
  var writes: [Write] = []
  /// Those among `writes` that nobody waits for.
  var putOff: [Write] = []
  var isDirty = false
  var reports: [Report] = []
  var replies: [(CallID, AgentReply)] = []
  var handOuts: [(PollID, [HandOut])] = []

  var polls: [PollID: ParkedPoll] = [:]
  var given: [Given] = []
  /// The last hand-out of each message, while nobody else may have the message.
  var leases: [Seq: Given] = [:]
  /// Results that came under a lease in force.
  var inTime: Set<CallID> = []
  /// Messages whose bytes an agent has seen.
  var seen: Set<Seq> = []
  var calls: [CallID: Call] = [:]
  /// Replies whose receipts are outstanding, and the messages whose end a caller has taken.
  var sent: [Sent] = []
  var endsTaken: Set<Seq> = []
  var inFlight: Set<Seq> = []
  /// A step of a job is on its way, and what it moves.
  var isJobMoving = false
  var jobMoves: [Seq] = []
  /// Fences as the queue gave them, whether their bytes left or not.
  var current: [Seq: Fence] = [:]
  var nextID: UInt64 = 0
  var violation: String?
  /// A replayed schedule tells what it does.
  var isTold = false
  #if PLANTS
    var plant: Plant?
  #endif

  init(seed: UInt64) {
    dice = Dice(seed: seed)
    limits.attempts = [1, 1, 2, 3][Int(truncatingIfNeeded: dice.next() >> 33) % 4]
    limits.offersInARow = 1 + Int(truncatingIfNeeded: dice.next() >> 33) % 3
    now = Now(
      instant: Instant(nanoseconds: 1_000_000_000_000),
      wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
    queue = Queue(limits: limits, boot: 1, seed: seed)
  }

  func fail(_ what: @autoclosure () -> String) {
    if violation == nil { violation = what() }
  }

  func id() -> UInt64 {
    nextID += 1
    return nextID
  }

  /// 0 ..< sides.
  func roll(_ sides: Int) -> Int { Int(truncatingIfNeeded: dice.next() >> 33) % sides }

  // MARK: what the queue asks for

  /// After every verb: carries out what the queue asks for, and looks whether it may.
  func drain() {
    let actions = queue.actions
    queue.actions.removeAll(keepingCapacity: true)
    for action in actions {
      if isTold { print("  \(action)") }
      carryOut(action)
    }
    check()
  }

  private func carryOut(_ action: Action) {
    switch action {
    case .write(let write):
      isDirty = true
      take(write)
    case .lazy(let write):
      putOff.append(write)
      take(write)
    case .report(let report): expect(report)
    case .handOut(let poll, let entries):
      answer(poll)
      checkEntries(poll, entries)
      handOuts.append((poll, entries))
    case .empty(let poll): answer(poll)
    case .reply(let call, let reply, let afterBarrier):
      if afterBarrier { replies.append((call, reply)) } else { tell(call, reply) }
    case .cancelReply(let call, let reply): tell(call, reply)
    case .stored(let seq):
      if durable.messages[seq] == nil { fail("\(seq) is told stored and is not") }
      sent.append(Sent(seq: seq, isEnd: false))
    case .refused(let seq):
      if committed.messages[seq] != nil { fail("\(seq) is told refused and is stored") }
    case .answered(let seq):
      if durable.messages[seq]?.answer == nil { fail("\(seq) is told answered and is not") }
      sendToCaller(seq)
    case .ended(let seq, let reason):
      if durable.messages[seq]?.reason != reason { fail("\(seq) is told \(reason) and is not") }
      sendToCaller(seq)
    case .notWithdrawn(let seq):
      if durable.messages[seq]?.reason == .withdrawn { fail("\(seq) is withdrawn after all") }
    case .redriveReply(let call, let reply): tell(call, reply)
    case .redriveOver, .forget: break
    case .jobMoved(let job, let isDurable): jobMoved(job, isDurable)
    }
  }

  private func expect(_ report: Report) {
    reports.append(report)
    guard case .message(let seq) = report else { return }
    if !inFlight.insert(seq).inserted { fail("two writes of \(seq) are on their way") }
  }

  func take(_ write: Write) {
    writes.append(write)
    switch write {
    case .handOut(let row):
      if let last = current[row.seq], last >= row.fence { fail("fence \(row.fence) is old") }
      let isNew = committed.messages[row.seq] == nil
      if inFlight.contains(row.seq) != isNew { fail("\(row.seq) is handed out during a write") }
      current[row.seq] = row.fence
      checkOrder(row.seq)
    case .requeue(let seq, _, _):
      if inFlight.contains(seq) { fail("\(seq) is put back during a write") }
    case .answer(let answer):
      if !answer.isLate, current[answer.seq] != answer.fence {
        fail("a wrong fence is accepted as the current one of \(answer.seq)")
      }
      if committed.messages[answer.seq]?.rows.contains(where: { $0.fence == answer.fence }) != true
      {
        fail("a fence that was never given is accepted for \(answer.seq)")
      }
    case .message, .handOutChange, .end, .task, .received, .note, .told, .redrive, .delete,
      .job, .retire, .trim, .expire:
      break
    }
  }

  private func answer(_ id: PollID) {
    guard let poll = polls[id] else { return fail("poll \(id) is unknown") }
    if poll.isGone { fail("poll \(id) is answered after it has gone") }
    if poll.isAnswered { fail("poll \(id) is answered twice") }
    polls[id]?.isAnswered = true
  }

  private func checkEntries(_ id: PollID, _ entries: [HandOut]) {
    guard let poll = polls[id]?.poll else { return }
    if entries.isEmpty || entries.count > poll.max { fail("poll \(id) gets \(entries.count)") }
    for entry in entries {
      if durable.messages[entry.seq] == nil { fail("\(entry.seq) is shown before it is durable") }
      if entry.isOffer != poll.confirm { fail("poll \(id) asked otherwise") }
      if seen.contains(entry.seq), entry.attempt == 1, !entry.isRedelivered {
        fail("\(entry.seq) is handed out again as if for the first time")
      }
      if let lease = leases[entry.seq], lease.end > now.instant {
        fail("\(entry.seq) is handed out while it is leased until \(lease.end)")
      }
    }
  }

  func tell(_ call: CallID, _ reply: AgentReply) {
    guard case .agent(let seq, let fence) = calls.removeValue(forKey: call) else {
      return fail("call \(call) is answered twice, or was never made")
    }
    let message = durable.messages[seq]
    let isTrue =
      switch reply {
      case .ok(let end): durable.leaseEnds[fence]?.contains(now.wall(at: end)) == true
      case .released:
        message?.state != .queued || message?.change != nil || message?.rows.last?.fence != fence
      case .accepted(let isLate):
        message?.answer?.fence == fence && message?.answer?.isLate == isLate
      case .duplicate: message?.answer?.fence == fence
      case .leaseLost: true
      case .alreadyAnswered: message?.answer?.fence == fence
      case .answeredElsewhere: message?.answer != nil && message?.answer?.fence != fence
      case .closed(let reason): message?.reason == reason
      case .unavailable, .noRoom: true
      }
    if !isTrue { fail("\(reply) is told for \(seq), which is \(String(describing: message))") }
    let wasInTime = inTime.remove(call) != nil
    guard let lease = leases[seq], lease.fence == fence else { return }
    switch reply {
    case .ok(let end): leases[seq]?.end = end
    // A result that was refused; it may come again until then.
    case .unavailable where wasInTime:
      leases[seq]?.end = max(lease.end, now.instant + .seconds(5) + limits.refusedLeaseMargin)
    default: break
    }
  }

  func tell(_ call: CallID, _ reply: CancelReply) {
    guard let asked = calls.removeValue(forKey: call) else {
      return fail("call \(call) is answered twice, or was never made")
    }
    guard reply == .cancelled else { return }
    switch asked {
    case .cancelTask(let task):
      if durable.tasks[task]?.state != .canceled { fail("task \(task) is told cancelled") }
    case .close(let seq):
      if durable.messages[seq]?.state != .cancelled { fail("\(seq) is told cancelled") }
    case .agent, .redrive: fail("call \(call) is no cancel")
    }
  }
}
