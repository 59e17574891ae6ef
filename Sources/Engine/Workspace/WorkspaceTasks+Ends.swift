import Relay
import Store
import Wire

/// Notifies callers that a message is dead. After that, the message never comes back under its id.
extension WorkspaceTasks {
  /// Sends a reply that shows ends of messages. If one of them is a dead message's, the file notes
  /// that before the reply leaves.
  func send(_ reply: Reply, notifyingOf dead: [StoredMessage], now: Now) {
    var isWaiting = false
    for message in dead where message.state == .dead {
      if queue.message(message.seq) != nil {
        isWaiting = queue.tell(message.seq, now: now) || isWaiting
      } else if !message.isTold {
        isWaiting = true
        // The file has the note once this turn's transaction is committed.
        guard workspace.waiting.notifying.insert(message.seq).inserted else { continue }
        workspace.add(.told(seq: message.seq, at: now.wall))
      }
    }
    guard isWaiting else { return workspace.read(reply) }
    var reply = reply
    // The caller asks again, and attaches or is notified.
    reply.refusal = .outcomeUnknown
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    workspace.transaction.replyAfterBarrier(reply)
    workspace.carryOut(now: now)
  }

  /// Defers the work if a message of the task is being redriven, because the file may show either
  /// state. Returns whether it was deferred.
  func waitForRedrive(ofTask task: Seq, _ work: @escaping (Now) -> Void) -> Bool {
    guard let seq = queue.redriving(ofTask: task) else { return false }
    workspace.waiting.afterWrite[seq, default: []].append(work)
    return true
  }

  func waitForRedrive(ofTask id: String?, _ work: @escaping (Now) -> Void) -> Bool {
    guard let id = id.flatMap({ MessageID($0) }), id.workspace == workspace.id.short
    else { return false }
    return waitForRedrive(ofTask: id.seq, work)
  }

  func redriveOver(_ seq: Seq, now: Now) {
    let isDead = queue.message(seq)?.state.isEnd ?? true
    if isDead { answerWaiters(seq, now: now) } else { stored(seq, now: now) }
    goOn(after: seq, now: now)
  }

  /// Continues the work that waited for the message's write, which is durable or was refused.
  func goOn(after seq: Seq, now: Now) {
    for work in workspace.waiting.afterWrite.removeValue(forKey: seq) ?? [] { work(now) }
  }

  /// Sends a reply that shows only that the task has ended, and notes the dead messages first.
  func send(_ reply: Reply, ofTask task: Seq, now: Now) {
    do throws(RelayError) {
      let messages = try workspace.reading { () throws(StoreError) in
        try workspace.file.messages(ofTask: task)
      }
      send(reply, notifyingOf: messages, now: now)
    } catch {
      replies.send(reply.failing(error))
    }
  }

  /// Notes the replies that callers have received.
  func apply(_ receipt: HeldReceipts.Receipt, now: Now) {
    for seq in receipt.tasks { queue.received(seq, isEnd: false, now: now) }
    for seq in receipt.ends {
      if queue.message(seq) != nil {
        queue.received(seq, isEnd: true, now: now)
      } else {
        // Its Task was received before, so that the message has left memory.
        workspace.addDeferred(.received(seq: seq, .end, at: now.wall), now: now)
      }
    }
  }
}
