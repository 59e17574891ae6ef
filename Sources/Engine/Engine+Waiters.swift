package import Relay
import Wire

extension Engine {
  /// The message is durable: who asked for the Task at once gets it.
  func stored(_ seq: Seq, _ desk: Desk, now: Now) {
    guard let all = desk.waiters[seq], all.contains(where: \.isImmediate) else { return }
    let others = all.filter { !$0.isImmediate }
    desk.waiters[seq] = others.isEmpty ? nil : others
    for waiter in all where waiter.isImmediate {
      heldCallers.remove(waiter.addressee.call)
      desk.queue.detach(seq)
      answerTask(waiter, seq, desk, now: now)
    }
  }

  /// The message has its end: everybody who waits gets the Task.
  func answerWaiters(_ seq: Seq, _ desk: Desk, now: Now) {
    for waiter in takeWaiters(seq, desk) {
      desk.queue.detach(seq)
      answerTask(waiter, seq, desk, now: now)
    }
  }

  /// An end without an answer.
  func ended(_ seq: Seq, _ reason: EndReason, _ desk: Desk, now: Now) {
    switch reason {
    case .attemptsUsedUp, .expired, .cancelledByCaller, .cancelledByOperator, .taskEnded,
      .workspaceRemoved:
      answerWaiters(seq, desk, now: now)
    case .withdrawn, .purged:
      for waiter in takeWaiters(seq, desk) {
        desk.queue.detach(seq)
        let error: RelayError = reason == .purged ? .purged : .agentOffline
        reply(waiter.addressee.reply(error), seq, desk, now: now)
      }
    }
  }

  func notWithdrawn(_ seq: Seq, _ desk: Desk, now: Now) {
    let all = takeWaiters(seq, desk)
    let kept = all.filter { !$0.isWithdrawing }
    if !kept.isEmpty { desk.waiters[seq] = kept }
    for waiter in kept {
      heldCallers.add(
        waiter.addressee.call, at: HeldCallers.Place(workspace: desk.id, seq: seq))
    }
    for waiter in all where waiter.isWithdrawing { tellTimeout(waiter, seq, desk) }
  }

  private func tellTimeout(_ waiter: Waiter, _ seq: Seq, _ desk: Desk) {
    desk.queue.detach(seq)
    tell(waiter, .agentTimeout, seq, desk)
  }

  /// A caller's patience is over.
  func holdEnded(_ hold: HeldCallers.Hold, now: Now) {
    let seq = hold.place.seq
    guard let desk = desks[hold.place.workspace], desk.failure == nil,
      let index = desk.waiters[seq]?.firstIndex(where: { $0.addressee.call == hold.call }),
      let message = desk.queue.message(seq)
    else { return }
    if message.state.isPending {
      // Its report is a barrier away; the table lets nothing else happen before.
      return heldCallers.hold(
        HeldCallers.Hold(
          at: now.instant + limits.pendingRetry, place: hold.place, call: hold.call))
    }
    touch(desk)
    note(seq, .holdEnded, desk, now: now)
    let isPlatform = desk.waiters[seq]?[index].addressee.platformMethod != nil
    if !isPlatform, directory.workspace(desk.id)?.settings.whenOffline == .error {
      if isShuttingDown, let waiter = removeWaiter(seq, at: index, desk) {
        desk.queue.detach(seq)
        return tell(waiter, .restarting, seq, desk)
      }
      return withdraw(seq, index, desk, now: now)
    }
    if let waiter = removeWaiter(seq, at: index, desk) {
      desk.queue.detach(seq)
      answerTask(waiter, seq, desk, now: now)
    }
  }

  /// `when_offline: error`: withdrawn if no agent ever had it and this is the only caller.
  private func withdraw(_ seq: Seq, _ index: Int, _ desk: Desk, now: Now) {
    let isOnly = desk.waiters[seq]?.count == 1
    desk.waiters[seq]?[index].isWithdrawing = true
    if isOnly, desk.queue.withdraw(seq, now: now) { return carryOut(desk, now: now) }
    if let waiter = removeWaiter(seq, at: index, desk) {
      tellTimeout(waiter, seq, desk)
    }
  }

  /// The caller's connection has ended; its message stays.
  package func callerGone(_ call: CallID, now: Now) {
    guard let place = heldCallers[call], let desk = desks[place.workspace], desk.failure == nil,
      let index = desk.waiters[place.seq]?.firstIndex(where: { $0.addressee.call == call })
    else { return }
    _ = removeWaiter(place.seq, at: index, desk)
    desk.queue.detach(place.seq)
    note(place.seq, .callerGone, desk, now: now)
    touch(desk)
  }

  func removeWaiter(_ seq: Seq, at index: Int, _ desk: Desk) -> Waiter? {
    guard let waiter = desk.waiters[seq]?.remove(at: index) else { return nil }
    if desk.waiters[seq]?.isEmpty == true { desk.waiters[seq] = nil }
    heldCallers.remove(waiter.addressee.call)
    return waiter
  }

  func answerTask(_ waiter: Waiter, _ seq: Seq, _ desk: Desk, now: Now) {
    let task = desk.queue.message(seq)?.task ?? seq
    if waitForRedrive(
      ofTask: task, desk,
      { [unowned self] now in
        guard desk.failure == nil else { return tell(waiter, .outcomeUnknown, seq, desk) }
        answerTask(waiter, seq, desk, now: now)
      })
    {
      return
    }
    guard !mustWait(seq, desk) else {
      return replies.later(for: waiter.addressee.payer) { [unowned self] now in
        guard desk.failure == nil else { return tell(waiter, .outcomeUnknown, seq, desk) }
        answerTask(waiter, seq, desk, now: now)
      }
    }
    do throws(RelayError) {
      try replies.checkMemory(waiter.addressee.payer)
      let (view, read) = try taskView(of: seq, desk, now: now)
      try replies.checkMemory(waiter.addressee.payer, for: view)
      answer(waiter, with: view, seq, desk, read: read, now: now)
    } catch {
      if error != .memoryFull, let view = unreadView(seq, desk, now: now) {
        return answer(waiter, with: view, seq, desk, read: nil, now: now)
      }
      // The message is stored: nothing may say that it is not.
      tell(waiter, error.delivered == "unknown" ? error : .outcomeUnknown, seq, desk)
    }
  }

  private func answer(
    _ waiter: Waiter, with view: TaskView, _ seq: Seq, _ desk: Desk, read: ReadTask?, now: Now
  ) {
    let addressee = waiter.addressee
    var view = view
    let platform = platformAnswer(addressee, seq, desk)
    view.hasTopLevelParts = platform?.isEnd == true
    var answer = addressee.reply(bytes: view.answerBytes) { writer in
      view.writeSendResult(
        as: addressee.dialect, historyLength: addressee.historyLength, into: &writer)
      platform?.writeReceipt(into: &writer)
    }
    answer.messageID = waiter.message
    reply(answer, seq, desk, read: read, isToCaller: !waiter.isAnswerer, now: now)
  }

  /// The outcome is open: whoever has been told so attaches when it asks again, so that this counts
  /// as no reply.
  private func tell(_ waiter: Waiter, _ error: RelayError, _ seq: Seq, _ desk: Desk) {
    var reply = waiter.addressee.reply(error)
    reply.messageID = waiter.message
    replies.send(reply)
  }

  /// A reply about a message carries the message's id, and its receipt is wanted. What is sent says
  /// what can be received: a Task read from the file tells the ends that it shows.
  private func reply(
    _ reply: Reply, _ seq: Seq, _ desk: Desk, read task: ReadTask? = nil,
    isToCaller: Bool = true, now: Now
  ) {
    var reply = reply
    reply.messageID = reply.messageID ?? desk.queue.message(seq).map { desk.messageID($0) }
    let isEnd = desk.queue.message(seq)?.state.isEnd ?? true
    if isToCaller {
      reply.receipt = .message(desk.id, seq, ends: task?.ends ?? (isEnd ? [seq] : []))
    }
    if let task {
      // Its own round has passed, but a read of the file may have seen a later one.
      return tell(reply, of: task.dead, desk, now: now)
    }
    replies.count(&reply, for: reply.addressee?.payer ?? .nobody)
    replies.send(reply)
  }
}
