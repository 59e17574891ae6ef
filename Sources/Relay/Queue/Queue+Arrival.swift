extension Queue {
  /// The message that an equal call of this caller attaches to.
  package func attachable(_ dedup: UUIDBytes, of caller: String) -> Message? {
    ledger.messages[equalTo: EqualCalls(caller: caller, dedup: dedup)]
  }

  /// The number of the next message, and of its task if it opens one.
  package func nextSeq() -> Seq { lastSeq + 1 }

  /// Returns why one more message of `caller` is refused; nil if there is room. `caller` is nil for
  /// an operator's replay.
  package func refusal(caller: String?, bytes: Int, opensTask: Bool) -> QueueRefusal? {
    ledger.occupancy.refusal(
      caller: caller, bytes: bytes, opensTask: opensTask, ledger.limits)
  }

  /// A message has been accepted for storing. Its number is `nextSeq()`; a task that it continues
  /// is known (`adopt(task:)`) and open.
  package func arrive(_ new: NewMessage, now: Now) {
    let message = ledger.number(new, now: now)
    if new.task == new.seq {
      ledger.tasks.open(new.seq, .submitted, caller: new.caller, &ledger.occupancy)
    } else {
      precondition(isOpen(task: new.task), "a message continues a task that is known and open")
    }
    ledger.insert(message)
    ledger.tasks.append(new.seq, to: new.task)
    ledger.write(.message(new))
    ledger.report(message)
    deliveries.arrive(message, now: now)
  }

  /// Whether a message can continue the task: it is known, has not ended, and no end of it alone is
  /// being written.
  package func isOpen(task: Seq) -> Bool { ledger.tasks.isOpen(task) }

  /// Knows a task that the file holds, so that a message can continue it.
  package func adopt(task stored: StoredTask, now: Now) {
    guard ledger.tasks[stored.seq] == nil, !stored.state.isTerminal else { return }
    ledger.tasks.open(stored.seq, stored.state, caller: stored.caller, &ledger.occupancy)
    ledger.watchInput(stored.seq, changed: stored.changed, now: now)
  }

  /// A caller waits for the answer of `seq` from now on.
  package func attach(_ seq: Seq) {
    guard let message = message(seq) else { return }
    message.expect(.callerAttached)
    message.callers += 1
  }

  package func detach(_ seq: Seq) {
    guard let message = message(seq), message.callers > 0 else { return }
    message.expect(.callerGone)
    message.callers -= 1
  }

  /// A caller has taken a reply: equal calls are new calls from now on. `isEnd`: the reply told how
  /// the message ended. Retention by size deletes only messages whose end somebody has read.
  package func received(_ seq: Seq, isEnd: Bool, now: Now) {
    guard let message = message(seq) else { return }
    ledger.receive(message, isEnd ? .end : .task, now: now)
  }

  /// The file no longer has this message, which had ended: retention or a purge deleted it.
  package func drop(_ seq: Seq, isDead: Bool) {
    if let message = message(seq) {
      precondition(message.state.isEnd, "an unanswered message is not dropped")
      ledger.remove(message)
    } else if isDead {
      deadInFile -= 1
    }
  }
}
