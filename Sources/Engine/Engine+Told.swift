import Relay
import Store
import Wire

/// Callers who are told that a message is dead: from then on it never comes back under its id.
extension Engine {
  /// A reply that tells its caller of ends. When one of them is a dead message's, the file knows
  /// before the caller does.
  func tell(_ reply: Reply, of dead: [StoredMessage], _ desk: Desk, now: Now) {
    var isWaiting = false
    for message in dead where message.state == .dead {
      if desk.queue.message(message.seq) != nil {
        isWaiting = desk.queue.tell(message.seq, now: now) || isWaiting
      } else if !message.isTold {
        isWaiting = true
        // The file says so once this turn's transaction is committed.
        guard desk.telling.insert(message.seq).inserted else { continue }
        desk.add(.told(seq: message.seq, at: now.wall))
      }
    }
    guard isWaiting else { return read(reply, desk) }
    var reply = reply
    // It asks again, and attaches or is told.
    reply.refusal = .outcomeUnknown
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    desk.transaction.replyAfterBarrier(reply)
    carryOut(desk, now: now)
  }

  /// Waits if a message of the task is on its way out of `dead`: the file may say both.
  func waitForRedrive(ofTask task: Seq, _ desk: Desk, _ work: @escaping (Now) -> Void) -> Bool {
    guard let seq = desk.queue.redriving(ofTask: task) else { return false }
    desk.afterWrite[seq, default: []].append(work)
    return true
  }

  func waitForRedrive(ofTask id: String?, _ desk: Desk, _ work: @escaping (Now) -> Void) -> Bool {
    guard let id = id.flatMap({ MessageID($0) }), id.workspace == desk.id.short
    else { return false }
    return waitForRedrive(ofTask: id.seq, desk, work)
  }

  func redriveOver(_ seq: Seq, _ desk: Desk, now: Now) {
    let isDead = desk.queue.message(seq)?.state.isEnd ?? true
    if isDead { answerWaiters(seq, desk, now: now) } else { stored(seq, desk, now: now) }
    goOn(after: seq, desk, now: now)
  }

  /// The write of the message that something waited for is durable, or was refused.
  func goOn(after seq: Seq, _ desk: Desk, now: Now) {
    for work in desk.afterWrite.removeValue(forKey: seq) ?? [] { work(now) }
  }

  /// The same for a reply that tells that the task has ended, and no more.
  func tell(_ reply: Reply, ofTask task: Seq, _ desk: Desk, now: Now) {
    do throws(RelayError) {
      let messages = try reading(desk) { () throws(StoreError) in
        try desk.file.messages(ofTask: task)
      }
      tell(reply, of: messages, desk, now: now)
    } catch {
      replies.send(reply.failing(error))
    }
  }
}
