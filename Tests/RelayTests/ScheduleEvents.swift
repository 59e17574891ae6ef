@testable import Relay

/// The events of a random schedule, one function each.
extension ScheduleDriver {
  func step() {
    let event = roll(35)
    if isTold { print("event \(event) at \(now.instant.nanoseconds / 1_000_000) ms") }
    switch event {
    case 0...4: arrive()
    case 5...8: poll()
    case 9: pollGone()
    case 10...15: agentCall()
    case 16: delivered()
    case 17: cancelTask()
    case 18: callerEvent()
    case 19: close()
    case 20...22: passTime()
    case 23...25: barrier(1 + roll(3))
    case 26: heartbeat()
    case 27: rare()
    case 32...34: operate()
    default: turn()
    }
  }

  func turn() {
    let outcome: Outcome =
      switch roll(12) {
      case 0: .refused
      case 1: .full
      default: .committed
      }
    endTurn(outcome, flushes: roll(2) == 0)
    checkShares()
    checkReceipts()
  }

  private func rare() {
    switch roll(8) {
    case 0...2: crash(isPowerCut: roll(2) == 0)
    case 3:
      for (seq, lease) in leases where polls[lease.poll]?.poll.confirm != true {
        leases[seq] = nil
      }
      queue.agentRestarted(now: now)
      drain()
    case 4:
      queue.endPolls(now: now)
      drain()
    case 5: queue.pause()
    default:
      queue.resume(now: now)
      drain()
    }
  }

  // MARK: callers

  private func arrive() {
    let seq = queue.nextSeq()
    // A message continues a task that somebody has been told of.
    let open = durable.tasks.keys.sorted().filter { queue.isOpen(task: $0) }
    let task = roll(3) == 0 && !open.isEmpty ? open[roll(open.count)] : seq
    let dedup = UUIDBytes(high: 0, low: UInt64(roll(12)))
    let caller = roll(2) == 0 ? "ann" : "ben"
    if let equal = queue.attachable(dedup, of: caller) {
      queue.attach(equal.seq)
      return drain()
    }
    guard queue.refusal(caller: caller, bytes: 4, opensTask: task == seq) == nil else { return }
    let new = NewMessage(
      seq: seq, tag: 7, at: now.wall, expires: now.wall + limits.timeToLive, caller: caller,
      method: 1, dialect: 1, task: task, context: "c", messageID: "m", dedup: dedup, rpcID: [],
      head: [1], body: Array(repeating: 0, count: 1 + roll(3)), isImmediate: false)
    queue.arrive(new, now: now)
    queue.attach(seq)
    drain()
  }

  private func anySeq() -> Seq? {
    queue.lastSeq == 0 ? nil : Seq(1 + roll(Int(queue.lastSeq)))
  }

  private func callerEvent() {
    guard let seq = anySeq() else { return }
    switch roll(5) {
    case 0: _ = queue.withdraw(seq, now: now)
    case 1: queue.detach(seq)
    case 2: _ = queue.holdEnded(seq)
    case 3: drop(seq)
    default:
      if roll(2) == 0 { sendToCaller(seq) }
      replyTaken()
    }
    drain()
  }

  /// Retention, or a purge, deletes a message that has ended, and all that was put off for it.
  private func drop(_ seq: Seq) {
    guard durable.messages[seq]?.state.isEnd == true,
      let message = committed.messages[seq], message.state.isEnd,
      queue.message(seq)?.state.isEnd ?? true, queue.taskState(message.new.task) == nil,
      committed.messages.values.allSatisfy({ $0.new.task != seq || $0.state.isEnd }),
      !writes.contains(where: { $0.isOf(seq) })
    else { return }
    isDirty = true
    take(.delete(seq: seq, tombstone: nil))
    queue.drop(seq, isDead: message.state == .dead)
  }

  private func cancelTask() {
    guard let seq = anySeq() else { return }
    let call = id()
    calls[call] = .cancelTask(seq)
    queue.cancelTask(call, seq, now: now)
    drain()
  }

  private func close() {
    guard let seq = anySeq(), roll(2) == 0 else { return }
    let reasons: [EndReason] = [.cancelledByOperator, .purged, .workspaceRemoved]
    let call = id()
    calls[call] = .close(seq)
    queue.close(call, seq, reasons[roll(3)], now: now)
    drain()
  }

  // MARK: agents

  func poll() {
    let names = ["ada", "bob", "10.0.0.1"]
    let which = roll(3)
    let poll = Poll(
      id: id(), max: roll(3) == 0 ? 16 : 1 + roll(3), bytesMax: roll(4) == 0 ? 5 : 1000,
      lease: .seconds(roll(2) == 0 ? 60 : 300), confirm: roll(2) == 0, consumer: names[which],
      isNamed: which < 2, deadline: now.instant + .seconds(roll(4) == 0 ? 0 : 25))
    begin(poll)
  }

  func begin(_ poll: Poll) {
    let gone = polls.filter { $0.value.isGone }
    if poll.isNamed {
      for (seq, lease) in leases
      where gone[lease.poll]?.poll.consumer == poll.consumer { leases[seq] = nil }
    }
    polls[poll.id] = ParkedPoll(poll: poll)
    queue.poll(poll, now: now) { gone[$0] != nil }
    drain()
  }

  /// A connection ends, of a poll that is parked or of one that has its answer.
  private func pollGone() {
    let ids = polls.keys.sorted()
    guard !ids.isEmpty else { return }
    let id = ids[roll(ids.count)]
    let wasAnswered = polls[id]?.isAnswered ?? true
    polls[id]?.isGone = true
    if !wasAnswered { queue.pollGone(id, now: now) }
    drain()
  }

  /// What TCP says of a poll's answer.
  private func delivered() {
    guard !given.isEmpty else { return }
    let one = given[roll(given.count)]
    let isReceived = roll(2) == 0
    let seqs = given.filter { $0.poll == one.poll }.map(\.seq)
    if !isReceived {
      polls[one.poll]?.isGone = true
      for seq in seqs where leases[seq]?.poll == one.poll { leases[seq] = nil }
    }
    queue.handOutDelivered(one.poll, seqs: seqs, received: isReceived, now: now)
    drain()
  }

  private func heartbeat() {
    let isActive = roll(2) == 0
    queue.heartbeat(now: now) { _, _ in isActive }
    drain()
  }

  private func agentCall() {
    guard !given.isEmpty else { return }
    // Mostly one of the last hand-outs, sometimes any, sometimes a fence that nobody has given.
    let index = roll(4) == 0 ? roll(given.count) : given.count - 1 - roll(min(3, given.count))
    let seq = given[index].seq
    let fence = roll(16) == 0 ? Fence(number: Int64(roll(1000))) : given[index].fence
    call(seq, fence)
    drain()
  }

  private func call(_ seq: Seq, _ fence: Fence) {
    let call = id()
    calls[call] = .agent(seq, fence)
    switch roll(6) {
    case 0: queue.claim(call, seq, fence, now: now)
    case 1:
      queue.extend(
        call, seq, fence, length: roll(2) == 0 ? nil : .seconds(1 + roll(600)), now: now)
    case 2:
      if leases[seq]?.fence == fence { leases[seq] = nil }
      let delay: Duration? = roll(2) == 0 ? nil : .seconds(roll(20))
      queue.release(call, seq, fence, delay: delay, reason: "busy", now: now)
    default:
      let states: [TaskState] = [.completed, .inputRequired, .authRequired, .failed]
      result(call, seq, fence, states[roll(4)], hash: UInt64(roll(3)))
    }
  }

  func result(
    _ call: CallID, _ seq: Seq, _ fence: Fence, _ state: TaskState, hash: UInt64
  ) {
    // The driver looks an unknown fence up in the file.
    if let lease = leases[seq], lease.fence == fence, lease.end > now.instant {
      inTime.insert(call)
    }
    let isKnown = committed.messages[seq]?.rows.contains { $0.fence == fence } ?? false
    queue.result(
      AgentResultCall(
        call: call, fence: fence, hash: UUIDBytes(high: 1, low: hash), body: [7], state: state,
        isKnownFence: isKnown),
      seq, now: now)
  }

  // MARK: time and death

  func passTime() {
    let steps: [Duration] = [
      .milliseconds(1), .seconds(1), .seconds(11), .seconds(31), .seconds(61), .seconds(301),
      .seconds(3601), .seconds(7 * 86_400),
    ]
    move(by: steps[min(roll(9), roll(9)) % 8])
  }

  func move(by duration: Duration) {
    now = Now(instant: now.instant + duration, wall: now.wall + duration)
    queue.tick(now: now)
    drain()
  }

  /// The process dies. After `kill -9` everything committed survives, after a power cut what has
  /// passed a barrier and perhaps some rounds more, in their order.
  func crash(isPowerCut: Bool) {
    if isPowerCut {
      for round in rounds.prefix(roll(rounds.count + 1)) {
        for write in round.writes { durable.apply(write, attempts: limits.attempts) }
      }
      committed = durable
      doubtfulUpTo = committed.lastSeq
    } else {
      durable = committed
    }
    forgetTheProcess()
    forgetReceipts()
    boot += 1
    let instant = Instant(nanoseconds: 1_000_000_000_000 * Int64(boot))
    now = Now(instant: instant, wall: now.wall + .seconds(roll(3)))
    queue = Queue(limits: limits, boot: boot, seed: dice.next())
    #if PLANTS
      queue.plant = plant
    #endif
    let recovered = committed.recovered(isAfterPowerCut: isPowerCut, doubtfulUpTo: doubtfulUpTo)
    takeLeasesOver(recovered)
    queue.recover(recovered, now: now, isAfterPowerCut: isPowerCut)
    queue.tick(now: now)
    drain()
  }

  private func forgetTheProcess() {
    rounds = []
    writes = []
    putOff = []
    reports = []
    replies = []
    handOuts = []
    isDirty = false
    polls = [:]
    calls = [:]
    inTime = []
    inFlight = []
    isJobMoving = false
    current = [:]
  }

  /// Leases that the file knows and that were not given up hold for 30 s at least.
  private func takeLeasesOver(_ recovered: Recovered) {
    leases = [:]
    let changes = recovered.handOutChanges
    // A number that was never durable is given again: it is another message then.
    given = given.filter { committed.messages[$0.seq] != nil }
    seen = seen.filter { committed.messages[$0] != nil }
    for row in recovered.handOuts where committed.messages[row.seq]?.state == .queued {
      current[row.seq] = row.fence
      let change = changes.first { $0.fence == row.fence }
      if let change, change.kind != .claimed, change.kind != .extended { continue }
      let end = max(now.instant(at: row.leaseEnd), now.instant + limits.restartGrace)
      leases[row.seq] = Given(seq: row.seq, fence: row.fence, poll: 0, end: end)
    }
  }
}
