extension Queue {
  /// The message that an equal call of this caller attaches to.
  package func attachable(_ dedup: UUIDBytes, of caller: String) -> Message? {
    messages[equalTo: EqualCalls(caller: caller, dedup: dedup)]
  }

  /// The number of the next message, and of its task if it opens one.
  package func nextSeq() -> Seq { lastSeq + 1 }

  /// Returns why one more message of `caller` is refused; nil if there is room. `caller` is nil for
  /// an operator's replay.
  package func refusal(caller: String?, bytes: Int, opensTask: Bool) -> QueueRefusal? {
    occupancy.refusal(caller: caller, bytes: bytes, opensTask: opensTask, limits)
  }

  /// A message has been accepted for storing. Its number is `nextSeq()`; a task that it continues
  /// is known (`adopt(task:)`) and open.
  package func arrive(_ new: NewMessage, now: Now) {
    let message = Message(
      new, position: messages.number(new.seq), bytes: new.body.count + new.head.count, now: now)
    if new.task == new.seq {
      tasks.open(new.seq, .submitted, caller: new.caller, &occupancy)
    } else {
      precondition(isOpen(task: new.task), "a message continues a task that is known and open")
    }
    insert(message)
    tasks.append(new.seq, to: new.task)
    write(.message(new))
    actions.append(.report(.message(new.seq)))
    reserve(message, now: now)
    if message.handOut == nil { ready.beginStoring() }
  }

  /// Whether a message can continue the task: it is known, has not ended, and no end of it alone is
  /// being written.
  package func isOpen(task: Seq) -> Bool { tasks.isOpen(task) }

  /// Knows a task that the file holds, so that a message can continue it.
  package func adopt(task stored: StoredTask, now: Now) {
    guard tasks[stored.seq] == nil, !stored.state.isTerminal else { return }
    tasks.open(stored.seq, stored.state, caller: stored.caller, &occupancy)
    watchInput(stored.seq, changed: stored.changed, now: now)
  }

  /// A caller waits for the answer of `seq` from now on.
  package func attach(_ seq: Seq) {
    guard let message = messages[seq] else { return }
    message.expect(.callerAttached)
    message.callers += 1
  }

  package func detach(_ seq: Seq) {
    guard let message = messages[seq], message.callers > 0 else { return }
    message.expect(.callerGone)
    message.callers -= 1
  }

  /// A caller has taken a reply: equal calls are new calls from now on. `isEnd`: the reply told how
  /// the message ended. Retention by size deletes only messages whose end somebody has read.
  package func received(_ seq: Seq, isEnd: Bool, now: Now) {
    guard let message = messages[seq] else { return }
    receive(message, isEnd ? .end : .task, now: now)
  }

  private func receive(_ message: Message, _ reply: ReplyTaken, now: Now) {
    guard reply == .end ? !message.isEndReceived : !message.isReceived else { return }
    message.isReceived = true
    message.isEndReceived = reply == .end
    actions.append(.lazy(.received(seq: message.seq, reply, at: now.wall)))
    messages.noteReceived(message)
    forgetIfDone(message)
  }

  /// Nobody waits for the end of a replay, so it takes no place in the queue. The file keeps it
  /// like any end that nobody has read.
  func receiveReplay(_ message: Message, now: Now) {
    if message.replayOf != nil { receive(message, .unawaited, now: now) }
  }

  func insert(_ message: Message) {
    messages.insert(message)
    occupancy.add(message)
  }

  /// The file no longer has this message, which had ended: retention or a purge deleted it.
  package func drop(_ seq: Seq, isDead: Bool) {
    guard let message = messages[seq] else {
      if isDead { deadInFile -= 1 }
      return
    }
    precondition(message.state.isEnd, "an unanswered message is not dropped")
    remove(message)
  }

  /// Removes the message if it has ended and a caller has received a reply: nothing can happen to
  /// it that the file does not know.
  func forgetIfDone(_ message: Message) {
    let isDone = message.isReceived || message.state == .cancelled && message.reason == .withdrawn
    guard message.state.isEnd, isDone, message.waiting.isEmpty,
      messages[message.seq] === message
    else { return }
    if message.state == .dead { deadInFile += 1 }
    remove(message)
  }

  func remove(_ message: Message) {
    messages.remove(message)
    occupancy.remove(message)
    actions.append(.forget(message.seq))
  }
}
