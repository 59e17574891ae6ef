import Relay
import Wire

/// The Tasks of a workspace, and the callers that wait for them.
struct WorkspaceTasks: WorkspacePart {
  let workspace: Workspace

  /// Answers the callers that asked for the Task at once, because the message is durable.
  func stored(_ seq: Seq, now: Now) {
    guard let all = workspace.waiting.waiters[seq], all.contains(where: \.isImmediate) else {
      return
    }
    let others = all.filter { !$0.isImmediate }
    workspace.waiting.waiters[seq] = others.isEmpty ? nil : others
    for waiter in all where waiter.isImmediate {
      heldCallers.remove(waiter.addressee.call)
      queue.detach(seq)
      answerTask(waiter, seq, now: now)
    }
  }

  /// Answers the callers that wait for the end of the message with its Task.
  func answerWaiters(_ seq: Seq, now: Now) {
    for waiter in takeWaiters(seq) {
      queue.detach(seq)
      answerTask(waiter, seq, now: now)
    }
  }

  /// Answers the callers that wait for a message that has ended without an answer.
  func ended(_ seq: Seq, _ reason: EndReason, now: Now) {
    switch reason {
    case .attemptsUsedUp, .expired, .cancelledByCaller, .cancelledByOperator, .taskEnded,
      .workspaceRemoved:
      answerWaiters(seq, now: now)
    case .withdrawn, .purged:
      for waiter in takeWaiters(seq) {
        queue.detach(seq)
        let error: RelayError = reason == .purged ? .purged : .agentOffline
        reply(waiter.addressee.reply(error), seq, now: now)
      }
    }
  }

  func notWithdrawn(_ seq: Seq, now: Now) {
    let all = takeWaiters(seq)
    let kept = all.filter { !$0.isWithdrawing }
    if !kept.isEmpty { workspace.waiting.waiters[seq] = kept }
    for waiter in kept {
      heldCallers.add(
        waiter.addressee.call, at: HeldCallers.Place(workspace: workspace.id, seq: seq))
    }
    for waiter in all where waiter.isWithdrawing { answerTimeout(waiter, seq) }
  }

  private func answerTimeout(_ waiter: Waiter, _ seq: Seq) {
    queue.detach(seq)
    answer(waiter, .agentTimeout, seq)
  }

  /// Answers a caller whose hold has ended with the current Task, or withdraws its message.
  func holdEnded(_ hold: HeldCallers.Hold, now: Now) {
    let seq = hold.place.seq
    guard
      let index = workspace.waiting.waiters[seq]?.firstIndex(where: {
        $0.addressee.call == hold.call
      }), let message = queue.message(seq)
    else { return }
    if message.state.isPending {
      // The report of the write needs a barrier; the state table allows no other event before it.
      return heldCallers.hold(
        HeldCallers.Hold(
          at: now.instant + limits.pendingRetry, place: hold.place, call: hold.call))
    }
    workspace.touch()
    workspace.note(seq, .holdEnded, now: now)
    let isPlatform = workspace.waiting.waiters[seq]?[index].addressee.platformMethod != nil
    if !isPlatform, directory.workspace(workspace.id)?.settings.whenOffline == .error {
      if process.isShuttingDown, let waiter = removeWaiter(seq, at: index) {
        queue.detach(seq)
        return answer(waiter, .restarting, seq)
      }
      return withdraw(seq, index, now: now)
    }
    if let waiter = removeWaiter(seq, at: index) {
      queue.detach(seq)
      answerTask(waiter, seq, now: now)
    }
  }

  /// Withdraws the message (`when_offline: error`) if no agent ever had it and no other caller
  /// waits.
  private func withdraw(_ seq: Seq, _ index: Int, now: Now) {
    let isOnly = workspace.waiting.waiters[seq]?.count == 1
    workspace.waiting.waiters[seq]?[index].isWithdrawing = true
    if isOnly, queue.withdraw(seq, now: now) { return workspace.carryOut(now: now) }
    if let waiter = removeWaiter(seq, at: index) {
      answerTimeout(waiter, seq)
    }
  }

  /// Forgets a caller whose connection has ended; its message stays.
  func callerGone(_ call: CallID, from seq: Seq, now: Now) {
    guard
      let index = workspace.waiting.waiters[seq]?.firstIndex(where: {
        $0.addressee.call == call
      })
    else { return }
    _ = removeWaiter(seq, at: index)
    queue.detach(seq)
    workspace.note(seq, .callerGone, now: now)
    workspace.touch()
  }

  func removeWaiter(_ seq: Seq, at index: Int) -> Waiter? {
    guard let waiter = workspace.waiting.waiters[seq]?.remove(at: index) else { return nil }
    if workspace.waiting.waiters[seq]?.isEmpty == true { workspace.waiting.waiters[seq] = nil }
    heldCallers.remove(waiter.addressee.call)
    return waiter
  }

  func answerTask(_ waiter: Waiter, _ seq: Seq, now: Now) {
    let task = queue.message(seq)?.task ?? seq
    if waitForRedrive(
      ofTask: task,
      { now in
        guard workspace.failure == nil else { return answer(waiter, .outcomeUnknown, seq) }
        answerTask(waiter, seq, now: now)
      })
    {
      return
    }
    guard !mustWait(seq) else {
      return replies.later(for: waiter.addressee.payer) { now in
        guard workspace.failure == nil else { return answer(waiter, .outcomeUnknown, seq) }
        answerTask(waiter, seq, now: now)
      }
    }
    do throws(RelayError) {
      try replies.checkMemory(waiter.addressee.payer)
      let (view, read) = try taskView(of: seq, now: now)
      try replies.checkMemory(waiter.addressee.payer, for: view)
      answer(waiter, with: view, seq, read: read, now: now)
    } catch {
      if error != .memoryFull, let view = unreadView(seq, now: now) {
        return answer(waiter, with: view, seq, read: nil, now: now)
      }
      // The message is stored: no reply may say that it is not.
      answer(waiter, error.delivered == "unknown" ? error : .outcomeUnknown, seq)
    }
  }

  private func answer(
    _ waiter: Waiter, with view: TaskView, _ seq: Seq, read: ReadTask?, now: Now
  ) {
    let addressee = waiter.addressee
    var view = view
    let platform = workspace.callers.platformAnswer(addressee, seq)
    view.hasTopLevelParts = platform?.isEnd == true
    var answer = addressee.reply(.sent(view, platform))
    answer.messageID = waiter.message
    reply(answer, seq, read: read, isToCaller: !waiter.isAnswerer, now: now)
  }

  /// Answers a caller whose message's outcome is unknown. The caller attaches when it asks again,
  /// so that this error is no receipt.
  private func answer(_ waiter: Waiter, _ error: RelayError, _ seq: Seq) {
    var reply = waiter.addressee.reply(error)
    reply.messageID = waiter.message
    replies.send(reply)
  }

  /// Sends a reply about a message, with the message's id, and asks for its receipt. A receipt
  /// covers the ends that the reply shows; a Task read from the file may show several.
  private func reply(
    _ reply: Reply, _ seq: Seq, read task: ReadTask? = nil,
    isToCaller: Bool = true, now: Now
  ) {
    var reply = reply
    reply.messageID = reply.messageID ?? queue.message(seq).map { workspace.messageID($0) }
    let isEnd = queue.message(seq)?.state.isEnd ?? true
    if isToCaller {
      reply.receipt = .message(workspace.id, seq, ends: task?.ends ?? (isEnd ? [seq] : []))
    }
    if let task {
      // The message's own round has passed, but the read of the file may have seen a later one.
      return send(reply, notifyingOf: task.dead, now: now)
    }
    replies.count(&reply, for: reply.addressee?.payer ?? .nobody)
    replies.send(reply)
  }

  /// Removes and returns the callers that wait for the message.
  func takeWaiters(_ seq: Seq) -> [Waiter] {
    let waiters = workspace.waiting.waiters.removeValue(forKey: seq) ?? []
    for waiter in waiters { heldCallers.remove(waiter.addressee.call) }
    return waiters
  }

  /// Answers every waiting caller, because the file can no longer be used. Committed messages may
  /// be readable again once the file is repaired.
  ///
  /// - `unstored`: the messages whose first write is not committed.
  func failWaiters(unstored: Set<Seq>) {
    for (seq, waiters) in workspace.waiting.waiters {
      let reason: RelayError = unstored.contains(seq) ? .workspaceUnavailable : .outcomeUnknown
      for waiter in waiters {
        heldCallers.remove(waiter.addressee.call)
        var reply = waiter.addressee.reply(reason)
        if reason == .outcomeUnknown, let message = queue.message(seq) {
          reply.messageID = workspace.messageID(message)
        }
        replies.send(reply)
      }
    }
  }

  /// Answers every caller that waits in a removed workspace.
  func refuseWaiters(_ error: RelayError) {
    for seq in Array(workspace.waiting.waiters.keys) {
      for waiter in takeWaiters(seq) {
        queue.detach(seq)
        var reply = waiter.addressee.reply(error)
        if let message = queue.message(seq) { reply.messageID = workspace.messageID(message) }
        replies.send(reply)
      }
    }
  }
}
