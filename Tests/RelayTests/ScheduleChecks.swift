@testable import Relay

/// What is true after every verb of a queue.
extension ScheduleDriver {
  func check() {
    checkTimers()
    checkIdleness()
    checkCounters()
  }

  private func isReady(_ message: Message) -> Bool {
    message.state == .queued && message.handOut == nil && message.mustEnd == nil
      && message.notBefore <= now.instant && message.expires > now.instant
      && queue.ledger.tasks.isFirst(message)
  }

  /// First in, first out, among those that could be handed out.
  func checkOrder(_ seq: Seq) {
    guard let position = queue.ledger.messages[seq]?.position else { return }
    for message in queue.ledger.messages.all where message.position < position && isReady(message) {
      fail("\(seq) is handed out before \(message.seq)")
    }
  }

  /// No state without a timer or a report.
  private func checkTimers() {
    for message in queue.ledger.messages.all where !message.state.isEnd {
      if message.state.isPending {
        if !inFlight.contains(message.seq) { fail("\(message.seq) waits for no report") }
      } else if message.timerAt == nil {
        fail("\(message.seq) is \(message.state) and has no timer")
      }
      if message.attempt > limits.attempts { fail("\(message.seq) has too many attempts") }
    }
    for (seq, task) in queue.ledger.tasks.all where task.messages.isEmpty && !task.isEnding {
      if task.state.isTerminal { fail("task \(seq) has ended and is kept") }
      if task.expires == nil { fail("task \(seq) is \(task.state) and has no timer") }
    }
  }

  /// Never a parked poll and a ready message.
  private func checkIdleness() {
    guard !queue.isPaused, !queue.deliveries.polls.idle.isEmpty else { return }
    for message in queue.ledger.messages.all where isReady(message) {
      fail("\(message.seq) is ready and a poll is parked")
    }
  }

  private func checkCounters() {
    var bytes = 0
    var unreserved = 0
    for message in queue.ledger.messages.all {
      bytes += message.bytes
      if message.state == .storing, message.handOut == nil { unreserved += 1 }
    }
    let held = queue.ledger.messages.all.count { $0.handOut != nil }
    if held != queue.heldCount { fail("\(queue.heldCount) are counted held, there are \(held)") }
    if bytes != queue.bytes { fail("\(queue.bytes) bytes are counted, there are \(bytes)") }
    let counted = queue.deliveries.ready.unreservedStoring
    if unreserved != counted {
      fail("\(counted) without a poll are counted, there are \(unreserved)")
    }
  }

  /// The same for what costs more to count; once in a turn.
  func checkShares() {
    var all = QueueCounts()
    var shares: [String: QueueCounts] = [:]
    func count(_ caller: String, _ kind: WritableKeyPath<QueueCounts, Int>) {
      all[keyPath: kind] += 1
      shares[caller, default: QueueCounts()][keyPath: kind] += 1
    }
    for message in queue.ledger.messages.all {
      let kind: WritableKeyPath<QueueCounts, Int> =
        !message.state.isEnd ? \.unanswered : message.state == .dead ? \.dead : \.unreceived
      count(message.caller, kind)
    }
    for task in queue.ledger.tasks.all.values where task.state.isInterrupted {
      count(task.caller, \.interrupted)
    }
    let counted = queue.ledger.occupancy.byCaller
    if shares != counted { fail("callers are counted \(counted), not \(shares)") }
    if all != queue.counts { fail("\(queue.counts) are counted, there are \(all)") }
    checkDepth()
  }

  private func checkDepth() {
    let messages = queue.ledger.messages.all
    let depth = queue.depth
    let held = messages.count { $0.handOut != nil }
    if depth.inFlight != held { fail("\(depth.inFlight) count as in flight, \(held) are") }
    let oldest = messages.filter { !$0.state.isEnd }.map(\.at).min()
    if depth.oldestUnanswered != oldest { fail("the oldest unanswered is of \(depth)") }
    let ended = messages.filter { $0.state.isEnd && $0.state != .dead }.compactMap(\.endedAt).min()
    if depth.oldestUnreceived != ended { fail("the oldest unreceived is of \(depth)") }
  }

  /// When everything has come to an end, nothing is left.
  func checkEmpty() {
    if !calls.isEmpty { fail("never answered: \(calls)") }
    for (id, poll) in polls where !poll.isAnswered && !poll.isGone {
      fail("poll \(id) is forgotten")
    }
    if queue.unanswered != 0 { fail("\(queue.unanswered) have not come to an end") }
    if !queue.ledger.tasks.isEmpty { fail("tasks are left: \(queue.ledger.tasks.all)") }
    if !queue.deliveries.polls.isEmpty { fail("polls are left") }
    if queue.deliveries.leases.hasUntouched { fail("untouched leases are left") }
    for (seq, message) in durable.messages where !message.state.isEnd {
      fail("\(seq) is \(message.state) in the file")
    }
    for (seq, task) in durable.tasks where !task.state.isTerminal {
      fail("task \(seq) is \(task.state) in the file")
    }
    if queue.ledger.messages.count != 0 || queue.bytes != 0
      || !queue.ledger.occupancy.byCaller.isEmpty
    {
      fail("\(queue.ledger.messages.count) messages and \(queue.bytes) bytes are left")
    }
    if queue.ledger.messages.hasUnreceived { fail("an equal call would attach to nothing") }
  }
}
