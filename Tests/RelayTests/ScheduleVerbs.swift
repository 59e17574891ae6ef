@testable import Relay

/// What operators do in a random schedule: redrives, replays, purges, jobs; and callers who are
/// told of an end.
extension ScheduleDriver {
  func operate() {
    switch roll(8) {
    case 0...2: redrive()
    case 3: tellSomebody()
    case 4: replay()
    case 5: purge()
    default: stepJob()
    }
  }

  /// Mostly a dead one, sometimes any.
  private func target() -> Seq? {
    let dead = queue.ledger.messages.all.filter { $0.state == .dead }.map(\.seq).sorted()
    if roll(3) > 0, !dead.isEmpty { return dead[roll(dead.count)] }
    return queue.lastSeq == 0 ? nil : Seq(1 + roll(Int(queue.lastSeq)))
  }

  private func redrive() {
    guard let seq = target() else { return }
    takeUp(seq)
    let call = id()
    calls[call] = .redrive(seq)
    queue.redrive(call, seq, note: [1], now: now)
    drain()
  }

  /// Some callers are told of the dead ones, and then all of those are redriven that may be.
  func redriveAll() {
    for seq in queue.ledger.messages.all.map(\.seq).sorted()
    where queue.message(seq)?.state == .dead {
      if roll(2) == 0 { tellOf(seq) }
    }
    settle()
    for seq in queue.ledger.messages.all.map(\.seq).sorted()
    where queue.message(seq)?.state == .dead {
      let call = id()
      calls[call] = .redrive(seq)
      queue.redrive(call, seq, note: [1], now: now)
      drain()
    }
    settle()
  }

  func tell(_ call: CallID, _ reply: RedriveReply) {
    guard case .redrive(let seq) = calls.removeValue(forKey: call) else {
      return fail("call \(call) is answered twice, or was never made")
    }
    guard reply == .redriven else { return }
    if durable.messages[seq]?.state != .queued { fail("\(seq) is told redriven and is not") }
  }

  /// Somebody reads a Task: a dead message of it is told when the file knows that.
  private func tellSomebody() {
    guard let seq = target(), committed.messages[seq]?.state == .dead else { return }
    tellOf(seq)
  }

  func tellOf(_ seq: Seq) {
    if queue.message(seq) != nil {
      _ = queue.tell(seq, now: now)
    } else if committed.messages[seq]?.isTold == false,
      !writes.contains(where: { $0.deletes(seq) })
    {
      queue.actions.append(.write(.told(seq: seq, at: now.wall)))
    }
    drain()
  }

  /// What the queue has let go of, and the file says may come back.
  private func takeUp(_ seq: Seq) {
    guard queue.message(seq) == nil, let message = committed.messages[seq], message.state == .dead,
      isUntold(message), !writes.contains(where: { $0.isOf(seq) })
    else { return }
    queue.takeUp(dead: ScheduleFile.stored(message), now: now)
  }

  private func isUntold(_ message: FileMessage) -> Bool {
    #if PLANTS
      if plant == .redriveTold { return true }
    #endif
    return !message.isTold
  }

  private func replay() {
    guard let seq = target(), let original = durable.messages[seq], original.state.isEnd,
      queue.message(seq)?.state.isEnd ?? true,
      queue.refusal(caller: nil, bytes: 4, opensTask: true) == nil
    else { return }
    let new = queue.nextSeq()
    queue.arrive(
      NewMessage(
        seq: new, tag: 7, at: now.wall, expires: now.wall + limits.timeToLive, caller: "operator",
        method: 1, dialect: 1, task: new, context: "c", messageID: "m",
        dedup: UUIDBytes(high: 9, low: UInt64(new)), rpcID: [], head: [1],
        body: original.new.body, isImmediate: true,
        replay: NewMessage.Replay(
          of: seq, id: UUIDBytes(high: 1, low: UInt64(seq)), notes: ([], []))), now: now)
    drain()
  }

  /// What has ended is deleted; nothing of it may be on its way.
  private func purge() {
    guard let seq = target(), let message = committed.messages[seq], message.state.isEnd,
      queue.message(seq)?.state.isEnd ?? true, queue.taskState(message.new.task) == nil,
      !committed.messages.values.contains(where: { $0.new.task == seq && $0.new.seq != seq }),
      !writes.contains(where: { $0.isOf(seq) })
    else { return }
    queue.actions.append(.write(.delete(seq: seq, tombstone: nil)))
    queue.drop(seq, isDead: message.state == .dead)
    drain()
  }

  /// A job redrives all that it may, and writes its cursor with that.
  private func stepJob() {
    guard !isJobMoving else { return }
    var moved: [Seq] = []
    for seq in queue.ledger.messages.all.map(\.seq).sorted() where queue.canRedrive(seq) {
      queue.redrive(nil, seq, note: [1], now: now)
      moved.append(seq)
    }
    guard !moved.isEmpty else { return }
    var row = JobRow(
      id: 1, verb: .redrive, filter: MessageFilter(), actor: "admin", rate: 1, startedAt: now.wall)
    row.cursor = moved[moved.count - 1]
    row.counts.done = (committed.jobs[1]?.counts.done ?? 0) + moved.count
    isJobMoving = true
    jobMoves = moved
    queue.actions.append(.write(.job(row)))
    queue.actions.append(.report(.job(1, movesSends: false)))
    drain()
  }

  func jobMoved(_ job: JobID, _ isDurable: Bool) {
    if !isJobMoving { fail("job \(job) has moved nothing") }
    isJobMoving = false
    for seq in jobMoves where isDurable && durable.messages[seq]?.state == .dead {
      // It may have died again, but not of the same attempts.
      if durable.messages[seq]?.rows.last?.attempt != limits.attempts {
        fail("\(seq) was moved by a job, and is where it was")
      }
    }
  }
}

extension Write {
  func deletes(_ seq: Seq) -> Bool {
    if case .delete(let of, _) = self { of == seq } else { false }
  }

  func isOf(_ seq: Seq) -> Bool {
    switch self {
    case .message(let new): new.seq == seq || new.task == seq || new.replay?.of == seq
    case .handOut(let row): row.seq == seq
    case .handOutChange(let change): change.seq == seq
    case .answer(let answer): answer.seq == seq
    case .requeue(let of, _, _), .end(let of, _, _, _), .task(let of, _, _),
      .received(let of, _, _), .note(let of, _, _, _), .told(let of, _),
      .redrive(let of, _, _, _), .delete(let of, _), .trim(let of, _):
      of == seq
    case .retire(let first, let last, _, _): (first...last).contains(seq)
    case .job, .expire: false
    }
  }
}
