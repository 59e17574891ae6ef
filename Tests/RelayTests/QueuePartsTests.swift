import Testing

@testable import Relay

@Suite struct TimersTests {
  @Test func `timers come due in the order of their times`() {
    var timers = Timers<Int>()
    for (at, key) in [(30, 1), (10, 2), (20, 3)] {
      timers.set(key, at: Instant(nanoseconds: Int64(at)), liveMax: 3) { _ in true }
    }
    #expect(timers.next == Instant(nanoseconds: 10))
    let now = Instant(nanoseconds: 20)
    let due = [
      timers.popDue(at: now)?.key, timers.popDue(at: now)?.key, timers.popDue(at: now)?.key,
    ]
    #expect(due == [2, 3, nil])
    #expect(timers.count == 1)
  }

  @Test func `timers that mean nothing are removed once they are in the majority`() {
    var timers = Timers<Int>()
    for key in 1...1000 {
      timers.set(key, at: Instant(nanoseconds: Int64(key)), liveMax: 1) {
        $0.key == 1 || $0.key > 900
      }
    }
    #expect(timers.count < 400)
    #expect(timers.next == Instant(nanoseconds: 1))
  }
}

@Suite struct ReadyMessagesTests {
  @Test func `the message with the first place is first, and is no longer ready once removed`() {
    var index = MessageIndex()
    var ready = ReadyMessages()
    #expect(ready.letsArrivalsPass)
    let messages = [2, 1, 3].map { Part.message(Seq($0)) }
    for message in messages {
      index.insert(message)
      ready.add(message, among: index)
    }
    #expect(!ready.letsArrivalsPass && messages[0].isReady)
    #expect(ready.first == 1)
    ready.removeFirst(among: index)
    #expect(ready.first == 2 && !messages[1].isReady)
  }

  @Test func `a message that is being stored without a poll holds later messages back`() {
    var ready = ReadyMessages()
    ready.beginStoring()
    #expect(!ready.letsArrivalsPass)
    ready.endStoring()
    #expect(ready.letsArrivalsPass)
  }
}

@Suite struct MessageIndexTests {
  @Test func `an equal call finds its message until the reply is received`() {
    var index = MessageIndex()
    let message = Part.message(1)
    index.insert(message)
    #expect(index[1] === message && index[equalTo: message.equalCalls] === message)
    #expect(index[equalTo: EqualCalls(caller: "bob", dedup: message.dedup)] == nil)
    index.noteReceived(message)
    #expect(index[equalTo: message.equalCalls] == nil && index[1] === message)
  }

  @Test func `a second equal call is not forgotten with the first`() {
    var index = MessageIndex()
    let (first, second) = (Part.message(1), Part.message(2, dedup: 1))
    index.insert(first)
    index.insert(second)
    index.remove(first)
    #expect(index[equalTo: second.equalCalls] === second)
  }

  @Test func `places go on from the file, and are never below the message's number`() {
    var index = MessageIndex()
    index.startAfter(7, position: 5)
    #expect(index.nextPosition() == 8)
    #expect(index.number(8) == 9)
    #expect(index.lastSeq == 8)
  }

  @Test func `the oldest unanswered and the oldest unreceived message are found`() {
    var index = MessageIndex()
    let messages = (1...3).map { Part.message(Seq($0), at: Int64($0)) }
    for message in messages { index.insert(message) }
    #expect(index.oldestUnanswered() == WallTime(nanoseconds: 1))
    #expect(index.oldestUnreceived() == nil)
    messages[0].state = .answered
    index.noteEnd(messages[0], at: WallTime(nanoseconds: 9))
    messages[1].state = .dead
    index.noteEnd(messages[1], at: WallTime(nanoseconds: 8))
    #expect(index.oldestUnanswered() == WallTime(nanoseconds: 3))
    #expect(index.oldestUnreceived() == WallTime(nanoseconds: 9), "the dead wait for nobody")
    index.remove(messages[0])
    #expect(index.oldestUnreceived() == nil)
  }
}

@Suite struct OccupancyTests {
  @Test func `a message counts where its state belongs, in all and for its caller`() {
    var occupancy = Occupancy()
    let message = Part.message(1)
    occupancy.add(message)
    #expect(occupancy.counts == QueueCounts(unanswered: 1) && occupancy.bytes == 5)
    #expect(occupancy.isWaitedFor(by: "ann") && !occupancy.isWaitedFor(by: "bob"))
    occupancy.move(message, from: .storing, to: .answered)
    #expect(message.state == .answered)
    #expect(occupancy.byCaller == ["ann": QueueCounts(unreceived: 1)])
    occupancy.move(message, from: .answered, to: .dead)
    #expect(occupancy.counts == QueueCounts(dead: 1))
    occupancy.remove(message)
    #expect(occupancy.counts == QueueCounts() && occupancy.byCaller.isEmpty && occupancy.bytes == 0)
  }

  @Test func `a task counts once as waiting for input`() {
    var occupancy = Occupancy()
    occupancy.countInterrupted(of: "ann", .working, .inputRequired)
    occupancy.countInterrupted(of: "ann", .inputRequired, .authRequired)
    #expect(occupancy.counts.interrupted == 1)
    occupancy.countInterrupted(of: "ann", .authRequired, .completed)
    #expect(occupancy.byCaller.isEmpty)
  }

  @Test func `a full queue, too many bytes and a caller's share each refuse`() {
    var limits = Limits()
    limits.queueMessagesMax = 4
    limits.queueBytesMax = 100
    limits.callerSharePercent = 50
    var occupancy = Occupancy()
    func refusal(_ caller: String?, _ bytes: Int = 1) -> RelayError? {
      occupancy.refusal(caller: caller, bytes: bytes, opensTask: true, limits)?.error
    }
    for seq in 1...2 { occupancy.add(Part.message(Seq(seq))) }
    #expect(refusal("ann") == .callerShare)
    #expect(refusal("bob") == nil && refusal(nil) == nil)
    #expect(refusal("bob", 90) == nil && refusal("bob", 91) == .queueFull)
    for seq in 3...4 { occupancy.add(Part.message(Seq(seq))) }
    #expect(refusal("bob") == .queueFull && refusal(nil) == .queueFull)
  }

  @Test func `tasks that wait for input refuse new tasks, and nothing that continues one`() {
    var limits = Limits()
    limits.interruptedTasksMax = 2
    limits.callerSharePercent = 50
    var occupancy = Occupancy()
    func refusal(_ caller: String, opensTask: Bool) -> RelayError? {
      occupancy.refusal(caller: caller, bytes: 1, opensTask: opensTask, limits)?.error
    }
    occupancy.countInterrupted(of: "ann", nil, .inputRequired)
    #expect(refusal("ann", opensTask: true) == .callerShare)
    #expect(refusal("bob", opensTask: true) == nil)
    occupancy.countInterrupted(of: "ann", nil, .authRequired)
    #expect(refusal("bob", opensTask: true) == .queueFull)
    #expect(refusal("ann", opensTask: false) == nil)
  }
}

/// Messages for tests of the parts of a queue.
enum Part {
  static let now = Now(
    instant: Instant(nanoseconds: 1_000), wall: WallTime(nanoseconds: 1_000_000))

  static func message(
    _ seq: Seq, task: Seq? = nil, dedup: UInt64? = nil, at: Int64 = 1_000_000
  ) -> Message {
    let now = Now(instant: now.instant, wall: WallTime(nanoseconds: at))
    var new = Stage.new(seq, task: task ?? seq, now: now, limits: Limits())
    new.dedup = UUIDBytes(high: 0, low: dedup ?? UInt64(seq))
    return Message(new, position: seq, bytes: 5, now: now)
  }

  /// A message in a ledger, whose number is the next one.
  static func message(_ seq: Seq, task: Seq? = nil, in ledger: Ledger) -> Message {
    let new = Stage.new(seq, task: task ?? seq, now: now, limits: ledger.limits)
    let message = ledger.number(new, now: now)
    ledger.tasks.open(new.task, .submitted, caller: new.caller, &ledger.occupancy)
    ledger.insert(message)
    ledger.tasks.append(seq, to: new.task)
    return message
  }
}
