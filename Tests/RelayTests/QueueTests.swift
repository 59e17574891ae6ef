import Testing

@testable import Relay

@Suite struct QueueTests {
  @Test func `the third unclaimed offer counts as an attempt`() {
    let stage = Stage()
    stage.store()
    for attempt in [1, 1, 1, 2] {
      stage.poll(confirm: true)
      #expect(stage.entries.map(\.attempt) == [attempt])
      stage.pass(.seconds(10))
      if stage.message?.state == .queued { stage.pass(.seconds(1)) }
    }
  }

  @Test(arguments: Return.allCases)
  func `the third return untouched counts as an attempt, and the last one ends`(how: Return) {
    let stage = Stage(attempts: 2)
    stage.store()
    for attempt in [1, 1, 1, 2, 2, 2] {
      stage.pass(.seconds(2))
      if stage.message?.handOut == nil { stage.poll(confirm: how == .offer, isNamed: true) }
      #expect(stage.message?.attempt == attempt)
      how.happens(to: stage)
    }
    #expect(stage.message?.state == .closing)
    stage.durable()
    #expect(stage.message?.state == .dead)
  }

  /// The ways back of a hand-out that no agent touches.
  enum Return: CaseIterable {
    case offer, connection, consumer, mixed

    func happens(to stage: Stage) {
      switch self {
      case .offer: stage.pass(.seconds(10))
      case .connection: stage.loseHandOut()
      case .consumer: stage.poll(isNamed: true)
      case .mixed:
        if stage.polls % 2 == 0 { stage.poll(isNamed: true) } else { stage.loseHandOut() }
      }
    }
  }

  @Test func `an agent's call resets the count of returns`() {
    let stage = Stage(attempts: 3)
    stage.store()
    for _ in 0..<2 {
      stage.poll()
      stage.loseHandOut()
    }
    stage.poll()
    stage.release()
    for _ in 0..<2 {
      stage.poll()
      #expect(stage.entries.map(\.attempt) == [2])
      stage.loseHandOut()
    }
    #expect(stage.message?.state == .queued)
  }

  @Test func `messages behind one that crashes its agent are delivered meanwhile`() {
    let stage = Stage()
    stage.store()
    stage.store()
    for _ in 0..<3 {
      stage.poll(isNamed: true)
      #expect(stage.entries.map(\.seq) == [1])
    }
    stage.poll(isNamed: true)
    #expect(stage.entries.map(\.seq) == [2])
  }

  @Test func `what the relay did not send counts for nothing`() {
    let stage = Stage(attempts: 1)
    stage.store()
    for _ in 0..<10 {
      stage.poll()
      #expect(stage.entries.map(\.attempt) == [1])
      stage.queue.handOutWithheld(stage.polls, seqs: [1], now: stage.now)
      stage.take()
    }
    #expect(stage.message?.state == .queued)
  }

  @Test func `a late result wins over a newer lease`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    let old = stage.fence
    stage.release()
    stage.poll()
    let new = stage.fence
    stage.result(old)
    stage.durable()
    #expect(stage.replies == [.accepted(isLate: true)])
    stage.queue.claim(stage.call(), 1, new, now: stage.now)
    stage.take()
    #expect(stage.replies == [.answeredElsewhere])
    stage.result(old)
    #expect(stage.replies == [.duplicate])
    stage.result(old, hash: 2)
    #expect(stage.replies == [.alreadyAnswered])
  }

  @Test(arguments: [false, true])
  func `a result that is refused keeps its lease, as often as it comes again`(isOffer: Bool) {
    let stage = Stage()
    stage.store()
    stage.poll(confirm: isOffer)
    let fence = stage.fence
    // Its lease would have ended after the first.
    for _ in 0..<50 {
      stage.result()
      stage.refused()
      #expect(stage.replies == [.unavailable])
      stage.pass(.seconds(34))
      #expect(stage.message?.handOut?.fence == fence && stage.message?.attempt == 1)
    }
    stage.result()
    stage.durable()
    #expect(stage.replies == [.accepted(isLate: false)])
  }

  @Test func `who never comes again with a refused result loses the lease`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    stage.pass(.seconds(59))
    stage.result()
    // Its lease ends while the write is on its way.
    stage.pass(.seconds(2))
    stage.queue.refused([.message(1)], now: stage.now)
    #expect(stage.message?.state == .leased)
    stage.pass(.seconds(34))
    #expect(stage.message?.state == .leased)
    stage.pass(.seconds(1))
    #expect(stage.message?.state == .queued && stage.message?.attempt == 1)
  }

  @Test func `a late result that is refused changes nothing for the new lease`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    let old = stage.fence
    stage.release()
    stage.poll()
    let end = stage.message?.handOut?.end
    stage.pass(.seconds(50))
    stage.result(old)
    stage.refused()
    #expect(stage.replies == [.unavailable])
    #expect(stage.message?.handOut?.end == end)
  }

  @Test func `a named consumer that polls again gets the entries that it never touched`() {
    let stage = Stage()
    stage.store()
    stage.poll(isNamed: true)
    stage.poll(isNamed: true)
    #expect(stage.entries.map(\.attempt) == [1])
    #expect(stage.entries.map(\.isRedelivered) == [true])
  }

  @Test func `an agent that starts again loses the entries that it never touched`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    stage.queue.agentRestarted(now: stage.now)
    stage.take()
    #expect(stage.message?.state == .queued)
    #expect(stage.message?.attempt == 1)
  }

  @Test func `a heartbeat stretches an acknowledged lease to fifteen minutes`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    let start = stage.now.instant
    stage.queue.heartbeat(now: stage.now) { _, _ in true }
    #expect(stage.message?.handOut?.end == start + .seconds(60), "it is not acknowledged")
    stage.queue.handOutDelivered(stage.polls, seqs: [1], received: true, now: stage.now)
    for _ in 0..<30 {
      stage.pass(.seconds(50))
      stage.queue.heartbeat(now: stage.now) { _, _ in true }
    }
    #expect(stage.message?.state == .queued, "it was lost after 15 minutes")
  }

  @Test func `an interrupted task fails after seven days`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    stage.result(state: .inputRequired)
    stage.durable()
    stage.pass(.seconds(7 * 86_400 - 1))
    #expect(stage.queue.taskState(1) == .inputRequired)
    stage.pass(.seconds(1))
    stage.durable()
    #expect(stage.queue.taskState(1) == nil)
  }

  @Test func `messages of one task are handed out one at a time, in order`() {
    let stage = Stage()
    stage.store()
    stage.arrive(task: 1)
    stage.durable()
    stage.poll()
    #expect(stage.entries.map(\.seq) == [1])
    stage.poll()
    #expect(stage.entries.isEmpty)
    stage.result(state: .inputRequired)
    stage.durable()
    #expect(stage.entries.map(\.seq) == [2])
  }

  @Test func `a cancel ends every message of its task`() {
    for state in [MessageState.queued, .offered, .leased] {
      let stage = Stage.set(state, for: .cancel)
      stage.arrive(task: 1)
      stage.durable()
      stage.queue.cancelTask(stage.call(), 1, now: stage.now)
      stage.take()
      stage.durable()
      #expect(stage.cancelReplies == [.cancelled])
      #expect(stage.queue.unanswered == 0)
      stage.queue.cancelTask(stage.call(), 1, now: stage.now)
      stage.take()
      #expect(stage.cancelReplies == [.notCancelable])
    }
  }

  @Test func `a cancel waits for the result that is on its way`() {
    let stage = Stage.set(.answering, for: .cancel)
    let report = Report.message(1)
    stage.queue.cancelTask(stage.call(), 1, now: stage.now)
    stage.queue.durable([report], now: stage.now)
    stage.take()
    #expect(stage.cancelReplies == [.notCancelable])
  }

  @Test func `an interrupted task is cancelled at once`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    stage.result(state: .authRequired)
    stage.durable()
    stage.queue.cancelTask(stage.call(), 1, now: stage.now)
    stage.take()
    stage.durable()
    #expect(stage.cancelReplies == [.cancelled])
  }

  @Test func `an old token is good for thirty seconds after a start`() {
    let stage = Stage()
    stage.recover(.leased, attempt: 0)
    stage.pass(.seconds(59))
    stage.queue.extend(stage.call(), 1, Fence(number: 5), length: nil, now: stage.now)
    stage.take()
    #expect(stage.replies.count == 1 && stage.message?.state == .leased)
  }

  @Test func `a queue refuses what its limits do not hold`() {
    let stage = Stage()
    stage.store()
    #expect(stage.queue.refusal(caller: "ann", bytes: 1, opensTask: true) == nil)
    let bytes = stage.limits.queueBytesMax
    let refusal = stage.queue.refusal(caller: "ann", bytes: bytes, opensTask: true)
    #expect(refusal?.error == .queueFull && refusal?.bytes == 3)
    #expect(refusal?.counts == QueueCounts(unanswered: 1))
    #expect(stage.queue.bytes == 3)
  }

  @Test func `polls that come and go leave nothing`() {
    let stage = Stage()
    for _ in 0..<1000 {
      stage.poll()
      stage.pass(.seconds(25))
    }
    #expect(stage.queue.deliveries.polls.order.count < 32 && stage.queue.nextDeadline == nil)
  }

  @Test func `a lease that is stretched for ever has one timer`() {
    let stage = Stage()
    stage.store()
    stage.poll()
    for length in 0..<1000 {
      let length = Duration.seconds(length % 2 == 0 ? 3600 : 1)
      stage.queue.extend(stage.call(), 1, stage.fence, length: length, now: stage.now)
    }
    #expect(stage.queue.ledger.timers.count < 8)
  }
}
