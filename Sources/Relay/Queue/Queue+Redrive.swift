extension Queue {
  /// An operator puts a dead message back into the queue, at its tail, with all its attempts and a
  /// new time to live. `redriveReply` answers when that is durable, if somebody waits.
  ///
  /// The answer `.told` is the driver's word to make a replay of it instead: a caller has been told
  /// that the message is dead, and may have sent it anew or given it up.
  package func redrive(_ call: CallID?, _ seq: Seq, note: [UInt8], now: Now) {
    func answer(_ reply: RedriveReply) {
      if let call { actions.append(.redriveReply(call, reply)) }
    }
    guard let message = messages[seq] else { return answer(.told) }
    switch MessageTable.cell(message.state, .redrive) {
    case .move(let state, .redrive, _):
      if isTold(message) {
        forgetIfDone(message)
        return answer(.told)
      }
      // The others of its task end first: it must not come back into a task that is ending.
      if let entry = tasks[message.task] {
        let pending = entry.messages.compactMap { messages[$0] }.first { $0.state.isPending }
        guard let pending else {
          forgetIfDone(message)
          return answer(.unavailable)
        }
        return pending.waiting.append(.redrive(call, seq, note: note))
      }
      begin(message, to: state, call, note: note, now: now)
    case .stay: answer(.notDead)
    case .wait: message.waiting.append(.redrive(call, seq, note: note))
    case .move, .settle, .back, .vanish, .impossible: bug(message, .redrive)
    }
  }

  /// Whether a redrive of the message would begin at once.
  package func canRedrive(_ seq: Seq) -> Bool {
    guard let message = messages[seq] else { return false }
    return message.state == .dead && !isTold(message) && tasks[message.task] == nil
  }

  private func isTold(_ message: Message) -> Bool {
    #if PLANTS
      if plant == .redriveTold { return false }
    #endif
    return message.isTold
  }

  private func begin(
    _ message: Message, to state: MessageState, _ call: CallID?, note: [UInt8], now: Now
  ) {
    lastPosition = max(lastPosition + 1, lastSeq)
    let expires = now.wall + limits.timeToLive
    message.before = message.state
    recount(message, as: state)
    noteUnanswered(message)
    message.pending = .redrive(
      Message.Redrive(position: lastPosition, expires: expires, call: call))
    tasks[message.task] = TaskEntry(
      state: .working, context: message.context, caller: message.caller, messages: [message.seq])
    actions.append(
      .write(.redrive(seq: message.seq, task: message.task, at: now.wall, expires: expires)))
    actions.append(
      .write(.note(seq: message.seq, kind: .redriven, at: now.wall, detail: note)))
    actions.append(.report(.message(message.seq)))
  }

  func redriven(_ message: Message, to state: MessageState, now: Now) {
    guard case .redrive(let redrive) = message.pending else {
      preconditionFailure("redriven without a redrive")
    }
    message.pending = .nothing
    message.state = state
    message.reason = nil
    message.position = redrive.position
    message.expiresAt = redrive.expires
    message.expires = now.instant(at: redrive.expires)
    message.attempt = 0
    message.untouchedInARow = 0
    message.notBefore = now.instant
    message.retryAt = nil
    message.mustEnd = nil
    // An agent has had it: that is what it died of.
    message.wasHandedOut = true
    message.timerAt = nil
    if let call = redrive.call { actions.append(.redriveReply(call, .redriven)) }
    actions.append(.redriveOver(message.seq))
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// The write was rolled back: the message is dead as before, and so is its task.
  func notRedriven(_ message: Message, _ redrive: Message.Redrive) {
    // `state` is that of before the write; it was counted as unanswered meanwhile.
    message.state = .redriving
    recount(message, as: message.before)
    if var entry = tasks[message.task] {
      entry.messages.removeAll { $0 == message.seq }
      entry.state = .failed
      tasks[message.task] = entry.messages.isEmpty ? nil : entry
    }
    if let call = redrive.call { actions.append(.redriveReply(call, .unavailable)) }
    actions.append(.redriveOver(message.seq))
  }

  /// A caller is about to be told that the message is dead. `true`: it is, and the reply leaves when
  /// this turn's transaction is durable.
  package func tell(_ seq: Seq, now: Now) -> Bool {
    guard let message = messages[seq] else { return false }
    switch message.state {
    case .dead: break
    // The file says so already, the report is on its way.
    case .closing: guard case .end(.dead, _) = message.pending else { return false }
    case .storing, .queued, .offered, .leased, .answering, .answered, .expired, .cancelled,
      .withdrawing, .redriving:
      return false
    }
    if !message.isTold { actions.append(.write(.told(seq: seq, at: now.wall))) }
    message.isTold = true
    return true
  }

  /// Of a task that something else has ended its dead messages stay what they are: somebody may
  /// have heard of that end.
  func keepDead(_ message: Message, now: Now) {
    let onItsWay = tasks[message.task]?.onItsWay ?? []
    if onItsWay.contains(where: { $0.by == message.seq && $0.state == .failed }) { return }
    message.isTold = true
    actions.append(.write(.told(seq: message.seq, at: now.wall)))
  }

  /// A dead message whose caller has some reply, if not its end, is in the file alone: it is taken
  /// up to be redriven.
  package func takeUp(dead stored: StoredMessage, now: Now) {
    guard messages[stored.seq] == nil else { return }
    precondition(stored.state == .dead, "only a dead one comes back")
    let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
    // The queue has let go of it: the receipt may still be on its way to the file.
    message.isReceived = true
    message.wasHandedOut = true
    deadInFile -= 1
    insert(message)
  }

  /// Nobody waits for the end of a replay: it takes no place in the queue. The file keeps it like
  /// any end that nobody has read.
  func receiveReplay(_ message: Message, now: Now) {
    if message.replayOf != nil { receive(message, .unawaited, now: now) }
  }
}

extension Queue {
  /// The message of the task that is on its way out of `dead`.
  package func redriving(ofTask task: Seq) -> Seq? {
    tasks[task]?.messages.first { messages[$0]?.state == .redriving }
  }
}

extension Queue {
  /// It was taken up, and is not redriven now after all. Always `false`.
  package func letGo(_ seq: Seq) -> Bool {
    if let message = messages[seq] { forgetIfDone(message) }
    return false
  }
}
