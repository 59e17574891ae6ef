extension Queue {
  /// A poll has arrived. `isGone` says whether the connection of an earlier poll has ended.
  package func poll(_ poll: Poll, now: Now, isGone: (PollID) -> Bool) {
    precondition(poll.max > 0, "a poll asks for something")
    if poll.isNamed { returnUntouched(of: poll.consumer, now: now, isGone: isGone) }
    polls.park(poll)
    dispatch(now: now)
    guard polls.contains(poll.id) else { return }
    if poll.deadline > now.instant {
      setTimer(.poll, poll.id, at: poll.deadline)
    } else {
      endPoll(poll.id, now: now)
    }
  }

  /// Nothing is delivered while the queue is paused; leases go on.
  package func pause() { isPaused = true }

  package func resume(now: Now) {
    isPaused = false
    dispatch(now: now)
  }

  /// The poll's connection has ended before its answer: it gets nothing.
  package func pollGone(_ id: PollID, now: Now) {
    #if PLANTS
      if plant == .offerToDeadPoll { return }
    #endif
    _ = polls.end(id, at: now.instant)
  }

  func endPoll(_ id: PollID, now: Now) {
    if polls.end(id, at: now.instant) { actions.append(.empty(id)) }
  }

  /// Ends every parked poll, so that its client can go elsewhere.
  package func endPolls(now: Now) {
    for id in polls.idle { endPoll(id, now: now) }
  }

  /// Forgets every parked poll, and returns them: the driver answers them itself.
  package func abandonPolls(now: Now) -> [PollID] {
    let ids = polls.ids
    for id in ids { pollGone(id, now: now) }
    return ids
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
        ready.removeFirst(among: messages)
        bytes += message.bytes
        beginDelivery(message, to: poll, now: now)
        entries.append(handOver(message, to: poll, now: now))
        next = nextReady(now: now)
      }
      polls.answer(poll.id, at: now.instant)
      actions.append(.handOut(poll.id, entries))
    }
  }

  /// The first message that can be delivered now.
  private func nextReady(now: Now) -> Message? {
    while let first = ready.first {
      // A message that has come to its end is not delivered, even if that cannot be written yet.
      if let message = messages[first], message.state == .queued, message.mustEnd == nil,
        !message.hasExpired(now: now, expiresFrom: expiresFrom)
      {
        return message
      }
      ready.removeFirst(among: messages)
    }
    return nil
  }

  /// Makes the message ready if its time has come and it is the first of its task; if its time has
  /// not come, its timer does it later.
  func offerWhenDue(_ message: Message, now: Now) {
    guard message.state == .queued, message.mustEnd == nil, !message.isReady,
      message.notBefore <= now.instant, tasks.isFirst(message)
    else { return }
    #if PLANTS
      if plant == .lostWakeUp, message.attempt > 0 { return }
    #endif
    ready.add(message, among: messages)
  }

  /// Gives an arriving message to a parked poll at once, so that its delivery is in the same
  /// transaction; the poll is answered when that is durable.
  func reserve(_ message: Message, now: Now) {
    guard !isPaused, ready.letsArrivalsPass, tasks.isFirst(message),
      let poll = polls.reserve(message.seq, bytes: message.bytes, turn: turn)
    else { return }
    beginDelivery(message, to: poll, now: now)
  }

  /// The messages that reserved this poll are durable: it gets them, if it is still there.
  func answerReserved(_ id: PollID, now: Now) {
    var entries: [HandOut] = []
    if let (poll, reserved) = polls.answer(id, at: now.instant) {
      for message in reserved.compactMap({ messages[$0] }) {
        message.handOut?.turn = turn
        entries.append(handOver(message, to: poll, now: now))
      }
    } else {
      let reserved = messages.all.filter { $0.state == .queued && $0.handOut?.poll == id }
      for message in reserved.sorted(by: { $0.seq < $1.seq }) { unreserve(message, now: now) }
    }
    if !entries.isEmpty { actions.append(.handOut(id, entries)) }
  }

  /// The poll went away while the message was being stored: the message counts as never delivered,
  /// but its task counts as working, since the delivery has its row.
  private func unreserve(_ message: Message, now: Now) {
    startTask(of: message, now: now)
    change(message, .withheld, now: now)
    leases.undo(message)
    offerWhenDue(message, now: now)
  }

  /// Writes the delivery's row under a new fence.
  private func beginDelivery(_ message: Message, to poll: Poll, now: Now) {
    write(.handOut(leases.begin(message, for: poll, limits, turn: turn, now: now)))
  }

  /// Moves the message, whose delivery has begun, out of the queue by the table.
  private func handOver(_ message: Message, to poll: Poll, now: Now) -> HandOut {
    let event: MessageEvent = poll.confirm ? .offer : .poll
    guard case .move(let state, .handOut, .entry) = MessageTable.cell(message.state, event),
      let handOut = message.handOut
    else { message.isImpossible(event) }
    message.state = state
    schedule(message, now: now)
    startTask(of: message, now: now)
    return HandOut(message, handOut)
  }

  /// A delivery moves the task to `working`. For the message that opened the task, the delivery's
  /// own row says so; otherwise the task's row follows with the next transaction.
  private func startTask(of message: Message, now: Now) {
    guard let state = tasks[message.task]?.written, let next = TaskTable.next(state, .handedOut)
    else { return }
    tasks.enter(next, message.task, &occupancy)
    if state == .submitted, message.task == message.seq { return }
    actions.append(.lazy(.task(seq: message.task, state: next, at: now.wall)))
  }
}
