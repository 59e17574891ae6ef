import Testing

@testable import Relay

@Suite struct ParkedPollsTests {
  static func poll(_ id: PollID, max: Int = 2, bytesMax: Int = 100, until deadline: Int64 = 50)
    -> Poll
  {
    Poll(
      id: id, max: max, bytesMax: bytesMax, lease: .seconds(60), confirm: false, consumer: "ada",
      deadline: Instant(nanoseconds: deadline))
  }

  static func parked(_ ids: PollID...) -> ParkedPolls {
    var polls = ParkedPolls()
    for id in ids { polls.park(poll(id)) }
    return polls
  }

  let now = Instant(nanoseconds: 10)

  @Test func `the poll that has waited longest is next, and only once`() {
    var polls = Self.parked(3, 1, 2)
    #expect(
      [polls.next()?.id, polls.next()?.id, polls.next()?.id, polls.next()?.id] == [3, 1, 2, nil])
    #expect(polls.count == 3, "a poll stays parked until it is answered")
  }

  @Test func `a poll that has gone is skipped`() {
    var polls = Self.parked(1, 2)
    let (first, again) = (polls.end(1, at: now), polls.end(1, at: now))
    #expect(first && !again)
    #expect(polls.next()?.id == 2)
    #expect(polls.lastEnd == now)
  }

  @Test func `messages of one turn share a poll until it is full`() {
    var polls = Self.parked(1, 2)
    let shared = (7...9).map { polls.reserve($0, bytes: 10, turn: 1)?.id }
    #expect(shared == [1, 1, 2])
    let answered = polls.answer(1, at: now)
    #expect(answered?.poll.id == 1 && answered?.reserved == [7, 8])
  }

  @Test func `a message that does not fit takes the next poll`() {
    var polls = Self.parked(1, 2)
    #expect(polls.reserve(7, bytes: 60, turn: 1)?.id == 1)
    #expect(polls.reserve(8, bytes: 41, turn: 1)?.id == 2)
    #expect(polls.reserve(9, bytes: 1, turn: 1)?.id == 2, "the last one is shared")
  }

  @Test func `a later turn reserves another poll`() {
    var polls = Self.parked(1, 2)
    #expect(polls.reserve(7, bytes: 1, turn: 1)?.id == 1)
    #expect(polls.reserve(8, bytes: 1, turn: 2)?.id == 2)
    #expect(polls.reserve(9, bytes: 1, turn: 3) == nil)
  }

  @Test func `a reserved poll is not idle, and waits again behind the others when it is freed`() {
    var polls = Self.parked(1, 2)
    _ = polls.reserve(7, bytes: 1, turn: 1)
    _ = polls.reserve(8, bytes: 1, turn: 1)
    #expect(polls.idle == [2] && polls.ids == [1, 2])
    polls.unreserve(7, bytes: 1, from: 1, now: now)
    #expect(polls.idle == [2], "message 8 has it still")
    polls.unreserve(8, bytes: 1, from: 1, now: now)
    #expect(polls.idle == [1, 2])
    #expect(polls.next()?.id == 2)
    #expect(polls.next()?.id == 1)
  }

  @Test func `a poll comes due at its deadline, unless messages have reserved it`() {
    var polls = ParkedPolls()
    for poll in [Self.poll(1, until: 20), Self.poll(2, until: 20)] {
      polls.park(poll)
      polls.setTimer(poll)
    }
    _ = polls.reserve(7, bytes: 1, turn: 1)
    #expect(polls.popDue(at: now) == nil && polls.nextDeadline == Instant(nanoseconds: 20))
    let later = Instant(nanoseconds: 20)
    let due = [polls.popDue(at: later), polls.popDue(at: later)]
    #expect(due == [2, nil])
    polls.unreserve(7, bytes: 1, from: 1, now: later)
    #expect(polls.popDue(at: later) == 1, "its timer is set anew")
  }

  @Test func `an agent is present while a poll waits, and for a time after the last one`() {
    var polls = ParkedPolls()
    #expect(!polls.isPresent(at: now, for: .seconds(1)))
    polls.park(Self.poll(1))
    #expect(polls.isPresent(at: now, for: .zero))
    polls.answer(1, at: now)
    #expect(polls.isPresent(at: now, for: .nanoseconds(1)))
    #expect(!polls.isPresent(at: now + .nanoseconds(1), for: .nanoseconds(1)))
  }

  @Test func `polls that have gone are dropped once they are in the majority`() {
    var polls = Self.parked(1)
    for id in PollID(2)...1000 {
      polls.park(Self.poll(id))
      _ = polls.end(id, at: now)
    }
    #expect(polls.order.count < 32)
    #expect(polls.next()?.id == 1)
  }
}
