extension Queue {
  /// An operator puts a dead message back into the queue, at its tail, with all its attempts and a
  /// new time to live. `redriveReply` answers when that is durable, if somebody waits.
  ///
  /// The answer `.told` asks the driver to make a replay of the message instead: a caller has been
  /// told that it is dead, and may have sent it again or given it up.
  package func redrive(_ call: CallID?, _ seq: Seq, note: [UInt8], now: Now) {
    guard let message = ledger.messages[seq] else { return ledger.answerRedrive(call, .told) }
    switch MessageTable.cell(message.state, .redrive) {
    case .move(let state, .redrive, _):
      guard !isTold(message) else {
        ledger.forgetIfDone(message)
        return ledger.answerRedrive(call, .told)
      }
      // The other messages of its task end first: it must not come back into a task that is ending.
      if let entry = ledger.tasks[message.task] {
        let pending = entry.messages.compactMap { ledger.messages[$0] }.first { $0.state.isPending }
        guard let pending else {
          ledger.forgetIfDone(message)
          return ledger.answerRedrive(call, .unavailable)
        }
        return pending.waiting.append(.redrive(call, seq, note: note))
      }
      begin(message, to: state, call, note: note, now: now)
    case .stay: ledger.answerRedrive(call, .notDead)
    case .wait: message.waiting.append(.redrive(call, seq, note: note))
    case .move, .settle, .back, .vanish, .impossible: message.isImpossible(.redrive)
    }
  }

  /// Whether a redrive of the message would begin at once.
  package func canRedrive(_ seq: Seq) -> Bool {
    guard let message = ledger.messages[seq] else { return false }
    return message.state == .dead && !isTold(message) && ledger.tasks[message.task] == nil
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
      position: ledger.nextPosition(), expires: now.wall + ledger.limits.timeToLive,
      call: call)
    message.begin(.redrive(redrive), state)
    ledger.revive(message)
    ledger.tasks.open(task, .working, caller: message.caller, &ledger.occupancy)
    ledger.tasks.append(seq, to: task)
    ledger.write(.redrive(seq: seq, task: task, at: now.wall, expires: redrive.expires))
    ledger.write(.note(seq: seq, kind: .redriven, at: now.wall, detail: note))
    ledger.report(message)
  }

  /// The redrive is durable.
  func redriven(_ message: Message, to state: MessageState, now: Now) {
    guard case .redrive(let redrive) = message.takePending() else {
      preconditionFailure("redriven without a redrive")
    }
    message.restart(redrive, state, now: now)
    ledger.answerRedrive(redrive.call, .redriven)
    ledger.actions.append(.redriveOver(message.seq))
    deliveries.line(up: message, now: now)
  }

  /// The redrive was rolled back: the message is dead as before, and its task has failed as before.
  func notRedriven(_ message: Message, _ redrive: Message.Redrive) {
    ledger.occupancy.move(message, from: .redriving, to: message.before)
    ledger.tasks.unredrive(message)
    ledger.answerRedrive(redrive.call, .unavailable)
    ledger.actions.append(.redriveOver(message.seq))
  }

  /// A caller is about to be told that the message is dead. `true`: it is, and the reply leaves
  /// when this turn's transaction is durable.
  package func tell(_ seq: Seq, now: Now) -> Bool { ledger.tell(seq, now: now) }

  /// Takes a dead message that only the file holds into memory, to redrive it.
  package func takeUp(dead stored: StoredMessage, now: Now) {
    ledger.takeUp(dead: stored, now: now)
  }

  /// The message was taken up, and is not redriven now after all. Always `false`.
  package func letGo(_ seq: Seq) -> Bool {
    if let message = ledger.messages[seq] { ledger.forgetIfDone(message) }
    return false
  }

  /// The message of the task whose redrive is being written.
  package func redriving(ofTask task: Seq) -> Seq? {
    ledger.tasks[task]?.messages.first { ledger.messages[$0]?.state == .redriving }
  }
}
