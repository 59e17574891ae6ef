@testable import Relay

/// Turns, commits and barriers, as a driver makes them.
extension ScheduleDriver {
  enum Outcome { case committed, refused, full }

  /// Ends the turn: one transaction, committed or rolled back, and the hand-outs that hang on it.
  func endTurn(_ outcome: Outcome, flushes: Bool = false) {
    guard isDirty || flushes && !writes.isEmpty else {
      if reports.isEmpty, replies.isEmpty { return giveHandOuts() }
      return fail("a report without a write")
    }
    switch outcome {
    case .committed: commit(writes, refusing: [])
    case .refused: refuse()
    case .full:
      let sends = writes.compactMap { if case .message(let new) = $0 { new.seq } else { nil } }
      if sends.isEmpty { refuse() } else { commit(Write.withoutSends(writes), refusing: sends) }
    }
  }

  private func commit(_ taken: [Write], refusing sends: [Seq]) {
    for write in taken { committed.apply(write, attempts: limits.attempts) }
    if let wrong = committed.violation { fail(wrong) }
    let refused = sends.map { Report.message($0) }
    rounds.append(
      Round(writes: taken, reports: reports.filter { !refused.contains($0) }, replies: replies))
    writes = []
    putOff = []
    replies = []
    closeTurn()
    giveHandOuts()
    if !refused.isEmpty {
      for seq in sends { inFlight.remove(seq) }
      queue.refused(refused, now: now)
      drain()
    }
  }

  private func refuse() {
    let failed = reports
    let unanswered = replies
    let notGiven = handOuts
    handOuts = []
    replies = []
    // What was put off is put off again; the rest never was.
    writes = putOff
    closeTurn()
    for (call, _) in unanswered { tell(call, AgentReply.unavailable) }
    for (_, entries) in notGiven {
      queue.handOutRefused(entries.map(\.seq), now: now)
    }
    for case .message(let seq) in failed { inFlight.remove(seq) }
    queue.refused(failed, now: now)
    drain()
  }

  private func closeTurn() {
    queue.turnEnded()
    reports = []
    isDirty = false
  }

  private func giveHandOuts() {
    let leaving = handOuts
    handOuts = []
    for (poll, entries) in leaving {
      if polls[poll]?.isGone == true {
        queue.handOutDelivered(poll, seqs: entries.map(\.seq), received: false, now: now)
        drain()
        continue
      }
      for entry in entries {
        let one = Given(seq: entry.seq, fence: entry.fence, poll: poll, end: entry.end)
        given.append(one)
        leases[entry.seq] = one
        seen.insert(entry.seq)
        checkBound(entry.seq)
      }
    }
  }

  /// No message comes for ever, whatever becomes of its agents, its connections and the relay. Of
  /// hand-outs that a power cut took from the file nobody knows.
  private func checkBound(_ seq: Seq) {
    guard let message = committed.messages[seq] else { return }
    let fences = Set(message.rows[message.earlierRows...].map(\.fence))
    let count = given.count { $0.seq == seq && fences.contains($0.fence) }
    if count > limits.attempts * limits.offersInARow { fail("\(seq) is handed out \(count) times") }
  }

  /// The oldest `count` rounds have passed a barrier.
  func barrier(_ count: Int) {
    let passed = rounds.prefix(count)
    rounds.removeFirst(min(count, rounds.count))
    for round in passed {
      for write in round.writes { durable.apply(write, attempts: limits.attempts) }
      for case .message(let seq) in round.reports { inFlight.remove(seq) }
    }
    queue.durable(passed.flatMap(\.reports), now: now)
    drain()
    for round in passed {
      for (call, reply) in round.replies { tell(call, reply) }
    }
  }
}
