import Testing

@testable import Relay

@Suite struct LedgerTests {
  let ledger = Ledger(limits: Limits())
  let now = Part.now

  func forgotten() -> [Seq] {
    ledger.actions.compactMap { if case .forget(let seq) = $0 { seq } else { nil } }
  }

  @Test func `a message leaves once it has ended and its reply was received`() {
    let message = Part.message(1, in: ledger)
    ledger.receive(message, .task, now: now)
    #expect(ledger.messages[equalTo: message.equalCalls] == nil)
    #expect(forgotten().isEmpty, "it has not ended")
    ledger.end(message, .answered, now: now)
    ledger.forgetIfDone(message)
    #expect(forgotten() == [1] && ledger.messages.isEmpty && ledger.occupancy.counts.messages == 0)
  }

  @Test func `a receipt of the end is written after that of the Task, and each once`() {
    let message = Part.message(1, in: ledger)
    for reply in [ReplyTaken.task, .task, .end, .end, .task] {
      ledger.receive(message, reply, now: now)
    }
    let receipts = ledger.actions.compactMap { action -> ReplyTaken? in
      if case .lazy(.received(_, let reply, _)) = action { reply } else { nil }
    }
    #expect(receipts == [.task, .end])
  }

  @Test func `a dead message whose reply was received is counted in the file, and comes back`() {
    let message = Part.message(1, in: ledger)
    ledger.end(message, .dead, now: now)
    ledger.receive(message, .task, now: now)
    #expect(ledger.occupancy.deadInFile == 1 && ledger.messages.isEmpty)
  }

  @Test func `a caller is told of a death once, and of nothing else`() {
    let message = Part.message(1, in: ledger)
    #expect(!ledger.tell(1, now: now) && !ledger.tell(2, now: now))
    message.begin(.end(.dead, .attemptsUsedUp), .closing)
    #expect(ledger.tell(1, now: now), "the file says so already")
    #expect(ledger.tell(1, now: now))
    #expect(message.isTold && ledger.actions.count == 1)
  }

  @Test func `a message comes due once, at the earliest of its times`() {
    let message = Part.message(1, in: ledger)
    message.state = .queued
    ledger.schedule(message, now: now)
    #expect(ledger.nextDeadline == message.expires)
    message.notBefore = now.instant + .seconds(3)
    ledger.schedule(message, now: now)
    ledger.schedule(message, now: now)
    #expect(ledger.timers.count == 2)
    #expect(ledger.popDue(at: now.instant) == nil)
    let later = now.instant + .seconds(3)
    #expect(ledger.popDue(at: later) == .message(1) && message.timerAt == nil)
    #expect(ledger.popDue(at: message.expires) == nil, "the older timer means nothing")
  }

  @Test func `a task that waits for input expires a lifetime after its last change`() {
    ledger.tasks.open(5, .inputRequired, caller: "ann", &ledger.occupancy)
    ledger.watchInput(5, changed: now.wall, now: now)
    let end = now.instant + ledger.limits.timeToLive
    #expect(ledger.nextDeadline == end)
    #expect(ledger.popDue(at: end) == .task(5) && ledger.tasks.hasExpired(5, at: end))
  }

  @Test func `a delivery sets the task to work, and writes so unless its own row does`() {
    let first = Part.message(1, in: ledger)
    ledger.startTask(of: first, now: now)
    #expect(ledger.tasks[1]?.state == .working && ledger.actions.isEmpty)
    ledger.tasks.open(9, .inputRequired, caller: "ann", &ledger.occupancy)
    ledger.startTask(of: Part.message(2, task: 9, in: ledger), now: now)
    #expect(ledger.tasks[9]?.state == .working && ledger.actions.count == 1)
  }
}

@Suite struct AgentStepTests {
  /// Leased under the second of two fences.
  static func leased() -> Message {
    let message = Part.message(1)
    var leases = Leases(boot: 1, fencesAbove: 0)
    let poll = ParkedPollsTests.poll(1)
    for _ in 0..<2 {
      leases.end(message)
      _ = leases.begin(message, for: poll, Limits(), turn: 1, now: Part.now)
    }
    message.state = .leased
    return message
  }

  static func result(_ fence: Fence, hash: UInt64 = 1, isKnownFence: Bool = false)
    -> AgentResultCall
  {
    AgentResultCall(
      call: 1, fence: fence, hash: UUIDBytes(high: 0, low: hash), body: [], state: .completed,
      isKnownFence: isKnownFence)
  }

  @Test func `only the current fence extends a lease`() {
    let message = Self.leased()
    let fences = message.fences
    #expect(message.step(.extend, fences[1]) == .move(.leased))
    #expect(message.step(.extend, fences[0]) == .reply(.leaseLost))
    #expect(message.step(.extend, Fence(number: 77)) == .reply(.leaseLost))
  }

  @Test func `while a result is being written a known fence waits and another one has lost`() {
    let message = Self.leased()
    message.state = .answering
    #expect(message.step(.release, message.fences[0]) == .wait)
    #expect(message.step(.release, Fence(number: 77)) == .reply(.leaseLost))
  }

  @Test func `a result of an earlier fence is late, and one of an unknown fence is none`() {
    let message = Self.leased()
    let fences = message.fences
    func event(_ result: AgentResultCall) -> MessageEvent? {
      message.event(of: result, message.standing(result.fence))
    }
    #expect(event(Self.result(fences[1])) == .result)
    #expect(event(Self.result(fences[0])) == .lateResult)
    #expect(event(Self.result(Fence(number: 77))) == nil)
    #expect(event(Self.result(Fence(number: 77), isKnownFence: true)) == .lateResult)
  }

  @Test func `the answer again is a duplicate, and any other result is refused`() {
    let message = Self.leased()
    let fences = message.fences
    message.state = .answered
    message.answerFence = fences[0]
    message.answerHash = UUIDBytes(high: 0, low: 1)
    func reply(_ result: AgentResultCall) -> AgentStep? {
      message.event(of: result, .current).map { message.step(applying: $0, result.fence) }
    }
    #expect(reply(Self.result(fences[0])) == .reply(.duplicate))
    #expect(reply(Self.result(fences[0], hash: 2)) == .reply(.alreadyAnswered))
    #expect(reply(Self.result(fences[1])) == .reply(.answeredElsewhere))
  }
}
