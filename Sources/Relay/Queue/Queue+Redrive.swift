extension Queue {
  /// An operator puts a dead message back into the queue, at its tail, with all its attempts and a
  /// new time to live. `redriveReply` answers when that is durable, if somebody waits.
  ///
  /// The answer `.told` asks the driver to make a replay of the message instead: a caller has been
  /// told that it is dead, and may have sent it again or given it up.
  package func redrive(_ call: CallID?, _ seq: Seq, note: [UInt8], now: Now) {
    guard let message = messages[seq] else { return answerRedrive(call, .told) }
    switch MessageTable.cell(message.state, .redrive) {
    case .move(let state, .redrive, _):
      guard !isTold(message) else {
        forgetIfDone(message)
        return answerRedrive(call, .told)
      }
      // The other messages of its task end first: it must not come back into a task that is ending.
      if let entry = tasks[message.task] {
        let pending = entry.messages.compactMap { messages[$0] }.first { $0.state.isPending }
        guard let pending else {
          forgetIfDone(message)
          return answerRedrive(call, .unavailable)
        }
        return pending.waiting.append(.redrive(call, seq, note: note))
      }
      begin(message, to: state, call, note: note, now: now)
    case .stay: answerRedrive(call, .notDead)
    case .wait: message.waiting.append(.redrive(call, seq, note: note))
    case .move, .settle, .back, .vanish, .impossible: message.isImpossible(.redrive)
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
    let (seq, task) = (message.seq, message.task)
    let redrive = Message.Redrive(
      position: messages.nextPosition(), expires: now.wall + limits.timeToLive, call: call)
    message.begin(.redrive(redrive), state)
    occupancy.move(message, from: message.before, to: state)
    messages.noteUnanswered(message)
    tasks.open(task, .working, caller: message.caller, &occupancy)
    tasks.append(seq, to: task)
    write(.redrive(seq: seq, task: task, at: now.wall, expires: redrive.expires))
    write(.note(seq: seq, kind: .redriven, at: now.wall, detail: note))
    actions.append(.report(.message(seq)))
  }

  /// The redrive is durable.
  func redriven(_ message: Message, to state: MessageState, now: Now) {
    guard case .redrive(let redrive) = message.takePending() else {
      preconditionFailure("redriven without a redrive")
    }
    message.restart(redrive, state, now: now)
    answerRedrive(redrive.call, .redriven)
    actions.append(.redriveOver(message.seq))
    offerWhenDue(message, now: now)
    schedule(message, now: now)
  }

  /// The redrive was rolled back: the message is dead as before, and its task has failed as before.
  func notRedriven(_ message: Message, _ redrive: Message.Redrive) {
    occupancy.move(message, from: .redriving, to: message.before)
    tasks.unredrive(message)
    answerRedrive(redrive.call, .unavailable)
    actions.append(.redriveOver(message.seq))
  }

  /// A caller is about to be told that the message is dead. `true`: it is, and the reply leaves
  /// when this turn's transaction is durable.
  package func tell(_ seq: Seq, now: Now) -> Bool {
    guard let message = messages[seq], message.isDead else { return false }
    if !message.isTold { noteTold(message, now: now) }
    return true
  }

  private func noteTold(_ message: Message, now: Now) {
    message.isTold = true
    write(.told(seq: message.seq, at: now.wall))
  }

  /// Keeps a message that died in a task which something else has ended from being redriven: a
  /// caller may have heard of that end.
  func keepDead(_ message: Message, now: Now) {
    let unreported = tasks[message.task]?.unreported ?? []
    if unreported.contains(where: { $0.by == message.seq && $0.state == .failed }) { return }
    noteTold(message, now: now)
  }

  /// Takes a dead message into memory to redrive it. Only the file holds a dead message whose
  /// caller has some reply, even if that reply did not tell its end.
  package func takeUp(dead stored: StoredMessage, now: Now) {
    guard messages[stored.seq] == nil else { return }
    precondition(stored.state == .dead, "only a dead message comes back")
    let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
    // The receipt may still be on its way to the file.
    message.isReceived = true
    message.wasHandedOut = true
    deadInFile -= 1
    insert(message)
  }

  /// The message was taken up, and is not redriven now after all. Always `false`.
  package func letGo(_ seq: Seq) -> Bool {
    if let message = messages[seq] { forgetIfDone(message) }
    return false
  }

  /// The message of the task whose redrive is being written.
  package func redriving(ofTask task: Seq) -> Seq? {
    tasks[task]?.messages.first { messages[$0]?.state == .redriving }
  }
}
