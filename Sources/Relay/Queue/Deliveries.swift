/// Decides which agent gets which message, and until when: ready messages, parked polls and leases.
///
/// The deliveries move a message between `queued`, `offered` and `leased`. How a message ends is
/// the queue's part.
final class Deliveries {
  let ledger: Ledger
  private(set) var ready = ReadyMessages()
  private(set) var polls = ParkedPolls()
  var leases: Leases
  /// Counts the driver's turns: messages that arrive in one turn may share a poll.
  private(set) var turn: UInt64 = 1
  private(set) var isPaused = false

  init(_ ledger: Ledger, boot: UInt32, fencesAbove: UInt64) {
    self.ledger = ledger
    leases = Leases(boot: boot, fencesAbove: fencesAbove)
  }

  /// A poll reserved in the last turn takes no more messages.
  func turnEnded() { turn += 1 }

  func pause() { isPaused = true }

  func resume(now: Now) {
    isPaused = false
    dispatch(now: now)
  }

  // MARK: polls

  func park(_ poll: Poll, now: Now) {
    polls.park(poll)
    dispatch(now: now)
    guard polls.contains(poll.id) else { return }
    if poll.deadline > now.instant {
      polls.setTimer(poll)
    } else {
      endPoll(poll.id, now: now)
    }
  }

  /// The poll's connection has ended before its answer: it gets nothing.
  func pollGone(_ id: PollID, now: Now) {
    #if PLANTS
      if ledger.plant == .offerToDeadPoll { return }
    #endif
    _ = polls.end(id, at: now.instant)
  }

  private func endPoll(_ id: PollID, now: Now) {
    if polls.end(id, at: now.instant) { ledger.actions.append(.empty(id)) }
  }

  /// Ends the polls whose wait is over.
  func endDuePolls(now: Now) {
    while let id = polls.popDue(at: now.instant) { endPoll(id, now: now) }
  }

  /// Ends every parked poll, so that its client can go elsewhere.
  func endPolls(now: Now) {
    for id in polls.idle { endPoll(id, now: now) }
  }

  /// Forgets every parked poll, and returns them: the driver answers them itself.
  func abandonPolls(now: Now) -> [PollID] {
    let ids = polls.ids
    for id in ids { pollGone(id, now: now) }
    return ids
  }

  // MARK: delivery

  /// Makes the message ready if its time has come and it is the first of its task; if its time has
  /// not come, its timer does it later.
  func offerWhenDue(_ message: Message, now: Now) {
    guard message.state == .queued, message.mustEnd == nil, !message.isReady,
      message.notBefore <= now.instant, ledger.tasks.isFirst(message)
    else { return }
    #if PLANTS
      if ledger.plant == .lostWakeUp, message.attempt > 0 { return }
    #endif
    ready.add(message, among: ledger.messages)
  }

  /// The message waits for a poll, or for the next thing that can happen to it by itself.
  func line(up message: Message, now: Now) {
    offerWhenDue(message, now: now)
    ledger.schedule(message, now: now)
  }

  /// Delivers ready messages to parked polls, the oldest of each first.
  func dispatch(now: Now) {
    guard !isPaused else { return }
    while let first = nextReady(now: now), let poll = polls.next() {
      var entries: [HandOut] = []
      var bytes = 0
      var next: Message? = first
      while let message = next, entries.count < poll.max,
        entries.isEmpty || bytes + message.bytes <= poll.bytesMax
      {
        ready.removeFirst(among: ledger.messages)
        bytes += message.bytes
        begin(message, poll, now: now)
        entries.append(handOver(message, to: poll, now: now))
        next = nextReady(now: now)
      }
      polls.answer(poll.id, at: now.instant)
      ledger.actions.append(.handOut(poll.id, entries))
    }
  }

  /// The first message that can be delivered now.
  private func nextReady(now: Now) -> Message? {
    while let first = ready.first {
      // A message that has come to its end is not delivered, even if that cannot be written yet.
      if let message = ledger.messages[first], message.state == .queued, message.mustEnd == nil,
        !message.hasExpired(now: now, expiresFrom: ledger.expiresFrom)
      {
        return message
      }
      ready.removeFirst(among: ledger.messages)
    }
    return nil
  }

  /// Writes the delivery's row under a new fence.
  private func begin(_ message: Message, _ poll: Poll, now: Now) {
    ledger.write(.handOut(leases.begin(message, for: poll, ledger.limits, turn: turn, now: now)))
  }

  /// Moves the message, whose delivery has begun, out of the queue by the table.
  private func handOver(_ message: Message, to poll: Poll, now: Now) -> HandOut {
    let event: MessageEvent = poll.confirm ? .offer : .poll
    guard case .move(let state, .handOut, .entry) = MessageTable.cell(message.state, event),
      let handOut = message.handOut
    else { message.isImpossible(event) }
    message.state = state
    ledger.schedule(message, now: now)
    ledger.startTask(of: message, now: now)
    return HandOut(message, handOut)
  }

  // MARK: arriving messages

  /// An arriving message takes a parked poll at once, if one waits, so that its delivery is in the
  /// same transaction; the poll is answered when that is durable.
  func arrive(_ message: Message, now: Now) {
    // Earlier messages that are not stored yet go first.
    guard !isPaused, ready.letsArrivalsPass, ledger.tasks.isFirst(message),
      let poll = polls.reserve(message.seq, bytes: message.bytes, turn: turn)
    else { return ready.beginStoring() }
    begin(message, poll, now: now)
  }

  /// The message is stored, and is ready or has reserved a poll. Returns the poll, which is
  /// answered once every message of the report is stored.
  func stored(_ message: Message, now: Now) -> PollID? {
    if let poll = message.handOut?.poll { return poll }
    ready.endStoring()
    offerWhenDue(message, now: now)
    return nil
  }

  /// The messages that reserved this poll are durable: it gets them, if it is still there.
  func answerReserved(_ id: PollID, now: Now) {
    var entries: [HandOut] = []
    if let (poll, reserved) = polls.answer(id, at: now.instant) {
      for message in reserved.compactMap({ ledger.messages[$0] }) {
        message.handOut?.turn = turn
        entries.append(handOver(message, to: poll, now: now))
      }
    } else {
      let reserved = ledger.messages.all.filter { $0.state == .queued && $0.handOut?.poll == id }
      for message in reserved.sorted(by: { $0.seq < $1.seq }) { unreserve(message, now: now) }
    }
    if !entries.isEmpty { ledger.actions.append(.handOut(id, entries)) }
  }

  /// The poll went away while the message was being stored: the message counts as never delivered,
  /// but its task counts as working, since the delivery has its row.
  private func unreserve(_ message: Message, now: Now) {
    ledger.startTask(of: message, now: now)
    change(message, .withheld, now: now)
    leases.undo(message)
    offerWhenDue(message, now: now)
  }

  /// The message was not stored: the poll that it has reserved waits for another one.
  func notStored(_ message: Message, now: Now) {
    if let id = message.handOut?.poll {
      polls.unreserve(message.seq, bytes: message.bytes, from: id, now: now.instant)
    } else {
      ready.endStoring()
    }
    leases.end(message)
  }
}
