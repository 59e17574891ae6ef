@testable import Relay

/// Replies to callers, and what their receipts make of a message. Between the two anything can
/// happen: a caller takes the Task when the message has its answer.
extension ScheduleDriver {
  /// A caller is told what the file says.
  func sendToCaller(_ seq: Seq) {
    guard let message = durable.messages[seq] else { return }
    // The file knows before the caller does that it stays dead.
    if message.state == .dead, !message.isTold { return }
    sent.append(Sent(seq: seq, isEnd: message.state.isEnd))
  }

  /// A caller's TCP has acknowledged one of the replies, or its connection has ended.
  func replyTaken() {
    guard !sent.isEmpty else { return }
    let reply = sent.remove(at: roll(sent.count))
    guard roll(4) > 0 else { return }
    take(reply)
  }

  func take(_ reply: Sent) {
    guard committed.messages[reply.seq] != nil else { return }
    if reply.isEnd { endsTaken.insert(reply.seq) }
    if queue.message(reply.seq) != nil {
      queue.received(reply.seq, isEnd: reply.isEnd, now: now)
    } else if reply.isEnd {
      queue.actions.append(.lazy(.received(seq: reply.seq, .end, at: now.wall)))
    }
  }

  /// Retention by size deletes what the file says somebody has read to its end.
  func checkReceipts() {
    for (seq, message) in committed.messages
    where message.state.isEnd && message.isEndReceived && !endsTaken.contains(seq) {
      fail("the file says that somebody has read how \(seq) ended, and nobody has")
    }
  }

  /// Nothing is outstanding: the file knows all that was read.
  func checkTaken() {
    for (seq, message) in durable.messages where endsTaken.contains(seq) && !message.isEndReceived {
      fail("somebody has read how \(seq) ended, and the file does not say so")
    }
  }

  /// What the file does not say now is not known to the next process.
  func forgetReceipts() {
    sent = []
    endsTaken = endsTaken.filter { committed.messages[$0]?.isEndReceived == true }
  }
}
