import Relay
import Store
import Wire

/// Callers who are told that a message is dead: from then on it never comes back under its id.
extension WorkspaceTasks {
  /// A reply that tells its caller of ends. When one of them is a dead message's, the file knows
  /// before the caller does.
  func tell(_ reply: Reply, of dead: [StoredMessage], now: Now) {
    var isWaiting = false
    for message in dead where message.state == .dead {
      if queue.message(message.seq) != nil {
        isWaiting = queue.tell(message.seq, now: now) || isWaiting
      } else if !message.isTold {
        isWaiting = true
        // The file says so once this turn's transaction is committed.
        guard workspace.waiting.telling.insert(message.seq).inserted else { continue }
        workspace.add(.told(seq: message.seq, at: now.wall))
      }
    }
    guard isWaiting else { return workspace.read(reply) }
    var reply = reply
    // It asks again, and attaches or is told.
    reply.refusal = .outcomeUnknown
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    workspace.transaction.replyAfterBarrier(reply)
    workspace.carryOut(now: now)
  }

  /// Waits if a message of the task is on its way out of `dead`: the file may say both.
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

  /// The write of the message that something waited for is durable, or was refused.
  func goOn(after seq: Seq, now: Now) {
    for work in workspace.waiting.afterWrite.removeValue(forKey: seq) ?? [] { work(now) }
  }

  /// The same for a reply that tells that the task has ended, and no more.
  func tell(_ reply: Reply, ofTask task: Seq, now: Now) {
    do throws(RelayError) {
      let messages = try workspace.reading { () throws(StoreError) in
        try workspace.file.messages(ofTask: task)
      }
      tell(reply, of: messages, now: now)
    } catch {
      replies.send(reply.failing(error))
    }
  }

  /// Notes what callers have received.
  func apply(_ receipt: HeldReceipts.Receipt, now: Now) {
    for seq in receipt.tasks { queue.received(seq, isEnd: false, now: now) }
    for seq in receipt.ends {
      if queue.message(seq) != nil {
        queue.received(seq, isEnd: true, now: now)
      } else {
        // Its Task was taken before, and it has left memory since.
        workspace.addDeferred(.received(seq: seq, .end, at: now.wall), now: now)
      }
    }
  }
}
