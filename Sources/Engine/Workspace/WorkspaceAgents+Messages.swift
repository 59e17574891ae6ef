import Relay
import Store
import System
import Wire

/// Messages as they are handed to an agent.
extension WorkspaceAgents {
  func answerEmpty(_ poll: PollID) {
    // Jittered, so that thousands of agents do not come back in one moment.
    let seconds = process.isShuttingDown ? 1 + random.next() % 5 : nil
    afterCommit(Reply(call: poll, .noMessages(retryAfterSeconds: seconds)))
  }

  /// Leaves once this turn's transaction is committed: the hand-out's row is in it.
  func send(_ entries: [HandOut], to poll: PollID, now: Now) {
    workspace.openCalls[poll] = nil
    let payer = services.payer(of: .workspace(workspace.id))
    do throws(RelayError) {
      try replies.checkMemory(payer)
      var deliveries: [Delivery] = []
      for entry in entries {
        if let delivery = try delivery(entry, now: now) { deliveries.append(delivery) }
      }
      var reply = Reply(call: poll, .messages(deliveries))
      reply.receipt = .handOut(workspace.id, poll, entries.map(\.seq))
      replies.count(&reply, for: payer)
      afterCommit(reply)
    } catch  where error == .memoryFull || error == .tooManyOpen {
      replies.send(Reply(call: poll, error: error))
      // Nothing was sent: the entries go back, and nothing counts.
      replies.later(for: payer) { now in
        withheld(entries, from: poll, now: now)
      }
    } catch {
      replies.send(Reply(call: poll, error: error))
    }
  }

  private func afterCommit(_ reply: Reply) {
    workspace.touch()
    workspace.transaction.replyAfterCommit(reply)
  }

  private func delivery(_ entry: HandOut, now: Now) throws(RelayError) -> Delivery? {
    guard let message = queue.message(entry.seq) else { return nil }
    let content = try content(message)
    return Delivery(
      id: workspace.messageID(message), seq: message.seq, attempt: entry.attempt,
      isRedelivered: entry.isRedelivered, replayOf: message.replayOf, enqueuedAt: message.at,
      expiresAt: message.expiresAt, caller: message.caller, isCallerWaiting: message.callers > 0,
      dialect: Dialect(rawValue: message.dialect) ?? .v03, method: message.method,
      head: content.head, body: content.body, texts: content.texts, task: try taskID(message),
      context: message.context, fence: entry.fence, isOffer: entry.isOffer,
      ageSeconds: Int(max(0, (now.wall - message.at).nanoseconds / 1_000_000_000)),
      secondsLeft: Int(max(0, (entry.end - now.instant).nanoseconds / 1_000_000_000)))
  }

  /// The id of the message's task: of the message that opened it.
  private func taskID(_ message: Message) throws(RelayError) -> MessageID {
    if message.task == message.seq { return workspace.messageID(message) }
    if let first = queue.message(message.task) { return workspace.messageID(first) }
    guard let first = try workspace.storedMessage(message.task) else { throw .workspaceUnavailable }
    return workspace.messageID(first)
  }

  private func content(_ message: Message) throws(RelayError) -> MessageCache.Entry {
    if let cached = workspace.cache[message.seq] { return cached }
    let stored = try workspace.reading { () throws(StoreError) in
      try workspace.file.body(message.seq)
    }
    let version = Dialect(rawValue: message.dialect)?.protocolVersion
    guard let (head, body) = stored,
      case .success(let call) = A2ACall.peek(body, version: version)
    else { throw .workspaceUnavailable }
    return MessageCache.Entry(head: head, body: body, message: call.message, texts: call.texts)
  }
}
