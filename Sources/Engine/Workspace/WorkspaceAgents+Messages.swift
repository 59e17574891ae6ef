import Relay
import Store
import System
import Wire

/// Delivers messages to an agent.
extension WorkspaceAgents {
  func answerEmpty(_ poll: PollID) {
    // The delay is random, so that thousands of agents do not come back at the same moment.
    let seconds = process.isShuttingDown ? 1 + random.next() % 5 : nil
    afterCommit(Reply(call: poll, .noMessages(retryAfterSeconds: seconds)))
  }

  /// Sends the messages once this turn's transaction, which has the deliveries' rows, is committed.
  func send(_ messages: [HandOut], to poll: PollID, now: Now) {
    workspace.openCalls[poll] = nil
    let payer = services.payer(of: .workspace(workspace.id))
    do throws(RelayError) {
      try replies.checkMemory(payer)
      var deliveries: [Delivery] = []
      for handOut in messages {
        if let delivery = try delivery(handOut, now: now) { deliveries.append(delivery) }
      }
      var reply = Reply(call: poll, .messages(deliveries))
      reply.receipt = .handOut(workspace.id, poll, messages.map(\.seq))
      replies.count(&reply, for: payer)
      afterCommit(reply)
    } catch  where error == .memoryFull || error == .tooManyOpen {
      replies.send(Reply(call: poll, error: error))
      // Nothing was sent: the messages go back to the queue, and no attempt counts.
      replies.later(for: payer) { now in
        withheld(messages, from: poll, now: now)
      }
    } catch {
      replies.send(Reply(call: poll, error: error))
    }
  }

  private func afterCommit(_ reply: Reply) {
    workspace.touch()
    workspace.transaction.replyAfterCommit(reply)
  }

  private func delivery(_ handOut: HandOut, now: Now) throws(RelayError) -> Delivery? {
    guard let message = queue.message(handOut.seq) else { return nil }
    let content = try content(message)
    return Delivery(
      id: workspace.messageID(message), seq: message.seq, attempt: handOut.attempt,
      isRedelivered: handOut.isRedelivered, replayOf: message.replayOf, enqueuedAt: message.at,
      expiresAt: message.expiresAt, caller: message.caller, isCallerWaiting: message.callers > 0,
      dialect: Dialect(rawValue: message.dialect) ?? .v03, method: message.method,
      head: content.head, body: content.body, texts: content.texts, task: try taskID(message),
      context: message.context, fence: handOut.fence, isOffer: handOut.isOffer,
      ageSeconds: Int(max(0, (now.wall - message.at).nanoseconds / 1_000_000_000)),
      secondsLeft: Int(max(0, (handOut.end - now.instant).nanoseconds / 1_000_000_000)))
  }

  /// Returns the id of the message's task, which is the id of the message that opened it.
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
