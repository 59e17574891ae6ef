extension Queue {
  /// The message that an equal call of this caller attaches to.
  package func attachable(_ dedup: UUIDBytes, of caller: String) -> Message? {
    unreceived[EqualCalls(caller: caller, dedup: dedup)].flatMap { messages[$0] }
  }

  /// The number of the next message, and its task's if it opens one.
  package func nextSeq() -> Seq { lastSeq + 1 }

  /// A message has been accepted for storing. Its number is `nextSeq()`; a task that it continues
  /// is known (`adopt(task:)`) and open.
  package func arrive(_ new: NewMessage, now: Now) {
    precondition(new.seq == lastSeq + 1, "numbers are given in order")
    lastSeq = new.seq
    lastPosition = max(lastPosition + 1, new.seq)
    let message = Message(
      new, position: lastPosition, bytes: new.body.count + new.head.count, now: now)
    if new.task == new.seq {
      tasks[new.seq] = TaskEntry(state: .submitted, context: new.context, caller: new.caller)
    } else {
      precondition(isOpen(task: new.task), "a message continues a task that is known and open")
    }
    insert(message)
    tasks[new.task]?.messages.append(new.seq)
    actions.append(.write(.message(new)))
    actions.append(.report(.message(new.seq)))
    reserve(message, now: now)
    if message.handOut == nil { unreservedStoring += 1 }
  }

  /// Whether a message can continue the task: known, not ended, no end of it alone on its way.
  package func isOpen(task: Seq) -> Bool {
    guard let entry = tasks[task] else { return false }
    return !entry.state.isTerminal && !entry.isPending
  }

  /// A caller waits for the answer of `seq` from now on.
  package func attach(_ seq: Seq) {
    guard let message = messages[seq] else { return }
    expect(.callerAttached, message)
    message.callers += 1
  }

  package func detach(_ seq: Seq) {
    guard let message = messages[seq], message.callers > 0 else { return }
    expect(.callerGone, message)
    message.callers -= 1
  }

  /// A caller has taken a reply: equal calls are new calls from now on. `isEnd`: the reply told how
  /// the message ended. Retention by size deletes only what somebody has read to its end.
  package func received(_ seq: Seq, isEnd: Bool, now: Now) {
    guard let message = messages[seq] else { return }
    receive(message, isEnd ? .end : .task, now: now)
  }

  func receive(_ message: Message, _ reply: ReplyTaken, now: Now) {
    guard reply == .end ? !message.isEndReceived : !message.isReceived else { return }
    message.isReceived = true
    message.isEndReceived = reply == .end
    actions.append(.lazy(.received(seq: message.seq, reply, at: now.wall)))
    if unreceived[message.equalCalls] == message.seq { unreceived[message.equalCalls] = nil }
    forgetIfDone(message)
  }

  /// Knows a task that the file holds, so that a message can continue it.
  package func adopt(task stored: StoredTask, now: Now) {
    guard tasks[stored.seq] == nil, !stored.state.isTerminal else { return }
    tasks[stored.seq] = TaskEntry(
      state: stored.state, context: stored.context, caller: stored.caller)
    countInterrupted(of: stored.caller, nil, stored.state)
    watchInput(stored.seq, changed: stored.changed, now: now)
  }

  func insert(_ message: Message) {
    messages[message.seq] = message
    bytes += message.bytes
    count(message, by: 1)
    if message.state.isEnd {
      noteEnd(message, at: message.endedAt ?? message.at)
    } else {
      noteUnanswered(message)
    }
    if !message.isReceived { unreceived[message.equalCalls] = message.seq }
  }

  /// The file no longer has this message, which has ended: retention or a purge took it.
  package func drop(_ seq: Seq, isDead: Bool) {
    guard let message = messages[seq] else {
      if isDead { deadInFile -= 1 }
      return
    }
    precondition(message.state.isEnd, "an unanswered message is not dropped")
    remove(message)
  }

  /// Answered or ended, and received: nothing can happen to it that the file does not know.
  func forgetIfDone(_ message: Message) {
    let isDone = message.isReceived || message.state == .cancelled && message.reason == .withdrawn
    guard message.state.isEnd, isDone, message.waiting.isEmpty,
      messages[message.seq] === message
    else { return }
    if message.state == .dead { deadInFile += 1 }
    remove(message)
  }

  func remove(_ message: Message) {
    messages[message.seq] = nil
    bytes -= message.bytes
    count(message, by: -1)
    if unreceived[message.equalCalls] == message.seq { unreceived[message.equalCalls] = nil }
    actions.append(.forget(message.seq))
  }

  /// An event that changes nothing but what the table says nothing about.
  func expect(_ event: MessageEvent, _ message: Message) {
    switch MessageTable.cell(message.state, event) {
    case .stay: break
    case .move, .wait, .settle, .back, .vanish, .impossible:
      preconditionFailure("\(event) moves a message in \(message.state)")
    }
  }
}
