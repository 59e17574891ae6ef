extension Queue {
  /// A poll has arrived. `isGone` says whether the connection of an earlier poll has ended.
  package func poll(_ poll: Poll, now: Now, isGone: (PollID) -> Bool) {
    precondition(polls[poll.id] == nil, "a poll arrives once")
    precondition(poll.max > 0, "a poll asks for something")
    if poll.isNamed { returnUntouched(of: poll.consumer, now: now, isGone: isGone) }
    polls[poll.id] = poll
    park(poll.id)
    dispatch(now: now)
    guard polls[poll.id] != nil else { return }
    guard poll.deadline > now.instant else {
      endPoll(poll.id, now: now)
      return
    }
    push(poll.deadline, poll.id, .poll)
  }

  /// Behind every other parked poll.
  func park(_ id: PollID) {
    parked.append(id)
    // Polls that have gone stay until they are in the majority.
    guard parked.count > 16 + 2 * polls.count else { return }
    parked = parked[parkedStart...].filter { polls[$0]?.reserved.isEmpty == true }
    parkedStart = 0
  }

  /// Nothing is handed out while the queue is paused; leases go on.
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
    guard polls.removeValue(forKey: id) != nil else { return }
    lastPollEnd = now.instant
  }

  /// The answer that handed these out was acknowledged by the peer's TCP, or never will be.
  package func handOutDelivered(_ poll: PollID, seqs: [Seq], received: Bool, now: Now) {
    if !received { return handOutLost(poll, seqs: seqs, wasSent: true, now: now) }
    for seq in seqs where messages[seq]?.handOut?.poll == poll {
      messages[seq]?.handOut?.isAcknowledged = true
    }
    dispatch(now: now)
  }

  /// The relay itself had no room for the answer that hands these out: nothing of it was sent.
  package func handOutWithheld(_ poll: PollID, seqs: [Seq], now: Now) {
    handOutLost(poll, seqs: seqs, wasSent: false, now: now)
  }

  private func handOutLost(_ poll: PollID, seqs: [Seq], wasSent: Bool, now: Now) {
    for seq in seqs {
      guard let message = messages[seq], let handOut = message.handOut, handOut.poll == poll,
        !handOut.isTouched
      else { continue }
      pollDead(message, handOut.fence, wasSent: wasSent, now: now)
    }
    dispatch(now: now)
  }

  func pollDead(_ message: Message, _ fence: Fence, wasSent: Bool, now: Now) {
    guard message.handOut?.fence == fence else { return }
    switch MessageTable.cell(message.state, .pollDead) {
    case .move(let state, _, _):
      if wasSent {
        returnUntouched(message, to: state, now: now)
      } else {
        takeBack(message, to: state, kind: .withheld, now: now)
      }
    case .wait: message.waiting.append(.pollDead(fence, wasSent: wasSent))
    case .stay, .settle, .back, .vanish: break
    case .impossible: preconditionFailure("a dead poll had \(message.state)")
    }
  }

  /// Hands ready messages to parked polls, the oldest of each first.
  func dispatch(now: Now) {
    guard !isPaused else { return }
    while let first = nextReady(now: now), let poll = nextParked() {
      var entries: [HandOut] = []
      var bytes = 0
      var next: Message? = first
      while let message = next, entries.count < poll.max,
        entries.isEmpty || bytes + message.bytes <= poll.bytesMax
      {
        popReady()
        bytes += message.bytes
        entries.append(handOut(message, to: poll, now: now))
        next = nextReady(now: now)
      }
      polls[poll.id] = nil
      lastPollEnd = now.instant
      actions.append(.handOut(poll.id, entries))
    }
  }

  /// The first message that may be handed out now.
  private func nextReady(now: Now) -> Message? {
    while let first = ready.first {
      // What has come to its end is not handed out, even if that cannot be written yet.
      if let message = messages[first.seq], message.state == .queued, message.mustEnd == nil,
        !hasExpired(message, now: now)
      {
        return message
      }
      popReady()
    }
    return nil
  }

  private func popReady() {
    guard let first = ready.popFirst() else { return }
    messages[first.seq]?.isReady = false
  }

  /// The longest parked poll that nothing is reserved for.
  func nextParked() -> Poll? {
    while parkedStart < parked.count {
      let id = parked[parkedStart]
      parkedStart += 1
      if parkedStart == parked.count {
        parked.removeAll(keepingCapacity: true)
        parkedStart = 0
      }
      if let poll = polls[id], poll.reserved.isEmpty { return poll }
    }
    return nil
  }

  /// Takes a ready message out of the queue by the table, and writes the hand-out's row.
  private func handOut(_ message: Message, to poll: Poll, now: Now) -> HandOut {
    let event: MessageEvent = poll.confirm ? .offer : .poll
    guard case .move(let state, .handOut, .entry) = MessageTable.cell(message.state, event) else {
      preconditionFailure("\(message.state) cannot be handed out")
    }
    let entry = makeHandOut(message, to: poll, now: now)
    message.state = state
    schedule(message, now: now)
    startTask(of: message, now: now)
    return entry
  }

  func makeHandOut(_ message: Message, to poll: Poll, now: Now) -> HandOut {
    let fence = nextFence()
    let length = poll.confirm ? limits.offer : poll.lease
    let end = now.instant + length
    let isRedelivered = message.wasHandedOut
    message.attempt += 1
    message.wasHandedOut = true
    if message.fences.count >= limits.fencesKept { message.fences.removeFirst() }
    message.fences.append(fence)
    heldCount += 1
    message.handOut = CurrentHandOut(
      fence: fence, poll: poll.id, consumer: poll.consumer, isOffer: poll.confirm,
      isUnconfirmed: !poll.confirm, at: now.instant, end: end, length: poll.lease,
      isRedelivered: isRedelivered, turn: turn)
    actions.append(
      .write(
        .handOut(
          HandOutRow(
            fence: fence, seq: message.seq, attempt: message.attempt,
            kind: poll.confirm ? .offer : .lease, consumer: poll.consumer, at: now.wall,
            leaseEnd: now.wall(at: end)))))
    if !poll.confirm, poll.isNamed {
      untouched[poll.consumer, default: []].append(message.seq)
    }
    return HandOut(
      seq: message.seq, fence: fence, attempt: message.attempt, end: end, isOffer: poll.confirm,
      isRedelivered: isRedelivered)
  }

  /// A hand-out moves the task to `working`. Of the message that opened it the hand-out's own row
  /// says so; otherwise the task's row follows with the next transaction.
  func startTask(of message: Message, now: Now) {
    guard let state = tasks[message.task]?.written, let next = TaskTable.next(state, .handedOut)
    else { return }
    enter(next, message.task)
    if state == .submitted, message.task == message.seq { return }
    actions.append(.lazy(.task(seq: message.task, state: next, at: now.wall)))
  }

  /// A consumer that polls again on a new connection gets what it has never touched, at once.
  private func returnUntouched(of consumer: String, now: Now, isGone: (PollID) -> Bool) {
    for seq in untouched[consumer] ?? [] {
      guard let message = messages[seq], message.state == .leased, let handOut = message.handOut,
        isGone(handOut.poll)
      else { continue }
      pollDead(message, handOut.fence, wasSent: true, now: now)
    }
  }

  /// The agent has made a call for its hand-out.
  func touch(_ message: Message) {
    guard message.handOut?.isTouched == false else { return }
    forgetUntouched(message)
    message.handOut?.isTouched = true
  }

  /// The hand-out is over.
  func clearHandOut(_ message: Message) {
    forgetUntouched(message)
    if message.handOut != nil { heldCount -= 1 }
    message.handOut = nil
  }

  private func forgetUntouched(_ message: Message) {
    guard let handOut = message.handOut, !handOut.isTouched,
      var seqs = untouched[handOut.consumer]
    else { return }
    seqs.removeAll { $0 == message.seq }
    untouched[handOut.consumer] = seqs.isEmpty ? nil : seqs
  }

  func endPoll(_ id: PollID, now: Now) {
    guard polls.removeValue(forKey: id) != nil else { return }
    lastPollEnd = now.instant
    actions.append(.empty(id))
  }

  /// Ends every parked poll, so that its client can go elsewhere.
  package func endPolls(now: Now) {
    for id in polls.keys.sorted() where polls[id]?.reserved.isEmpty == true {
      endPoll(id, now: now)
    }
  }

  /// An arriving message takes a parked poll at once, so that its hand-out is in its own
  /// transaction; the poll is answered when that is durable.
  func reserve(_ message: Message, now: Now) {
    // Those before it that wait for their write go first.
    guard !isPaused, unreservedStoring == 0, ready.isEmpty,
      tasks[message.task]?.messages.first == message.seq
    else { return }
    guard let id = reservable(message) else { return }
    polls[id]?.reservedTurn = turn
    polls[id]?.reserved.append(message.seq)
    polls[id]?.reservedBytes += message.bytes
    guard let poll = polls[id] else { return }
    _ = makeHandOut(message, to: poll, now: now)
  }

  private func reservable(_ message: Message) -> PollID? {
    if let last = lastReserved, let poll = polls[last], poll.reservedTurn == turn,
      poll.reserved.count < poll.max, poll.reservedBytes + message.bytes <= poll.bytesMax
    {
      return last
    }
    guard let poll = nextParked() else { return nil }
    lastReserved = poll.id
    return poll.id
  }
}
