import Relay

/// Every `Write` as statements. In the usual cycle (send, hand-out, answer, received) these are
/// seven.
extension WorkspaceFile {
  func apply(_ write: Write) throws(StoreError) {
    switch write {
    case .message(let message): try insert(message)
    case .handOut(let row): try insert(row)
    case .handOutChange(let change): try apply(change)
    case .requeue(let seq, let attempt, let notBefore):
      try requeue(seq, attempt: attempt, notBefore: notBefore)
    case .answer(let answer): try insert(answer)
    case .end(let seq, let state, let reason, let at):
      try end(seq, state: state, reason: reason, at: at)
    case .task(let seq, let state, let at): try changeTask(seq, state: state, at: at)
    case .received(let seq, let reply, let at): try received(seq, reply, at: at)
    case .told(let seq, let at): try told(seq, at: at)
    case .redrive(let seq, let task, let at, let expires):
      try redrive(seq, task: task, at: at, expires: expires)
    case .job(let job): try put(job)
    case .note(let seq, let kind, let at, let detail):
      try note(seq, kind: kind, at: at, detail: detail)
    case .delete(let seq, let tombstone): try retention.delete(seq, tombstone)
    case .retire(let first, let last, let cause, let at):
      try retention.retire(first...last, cause, at: at)
    case .trim(let seq, let rows): try retention.trim(seq, rows: rows)
    case .expire(let at, let rows): try retention.expire(at: at, rows: rows)
    }
  }

  private func insert(_ message: NewMessage) throws(StoreError) {
    // At the tail: behind every message before it, and behind what was redriven.
    lastPosition = max(lastPosition + 1, message.seq)
    var row = try statement(.insertMessage)
    row.add(message.seq)
    row.add(Int64(bitPattern: message.tag))
    row.add(lastPosition)
    row.add(message.at)
    row.add(message.expires)
    row.add(message.caller)
    row.add(message.method)
    row.add(message.dialect)
    row.add(message.task)
    row.add(message.context)
    row.add(message.messageID)
    row.add(message.dedup)
    row.add(message.rpcID)
    row.add(message.isImmediate)
    row.add(message.head.count + message.body.count)
    row.add(message.replay?.id)
    try row.run()

    var request = try statement(.insertRequest)
    request.add(message.seq)
    request.add(message.head)
    try request.run(last: message.body)
    if let key = message.key { try insert(key, of: message.seq) }
    if message.task != message.seq { try continueTask(message.task, at: message.at) }
    guard let replay = message.replay else { return }
    try note(replay.of, kind: .replayed, at: message.at, detail: replay.notes.original)
    try note(message.seq, kind: .replayOf, at: message.at, detail: replay.notes.own)
  }

  /// A message answers what its task waited for.
  private func continueTask(_ seq: Seq, at: WallTime) throws(StoreError) {
    var row = try statement(.continueTask)
    row.add(at)
    row.add(seq)
    try row.run()
  }

  private func insert(_ handOut: HandOutRow) throws(StoreError) {
    var row = try statement(.insertHandOut)
    row.add(handOut.seq)
    row.add(handOut.fence.number)
    row.add(handOut.attempt)
    row.add(handOut.kind.rawValue)
    row.add(handOut.consumer)
    row.add(handOut.at)
    row.add(handOut.leaseEnd)
    try row.run()
  }

  private func apply(_ change: HandOutChange) throws(StoreError) {
    var row = try statement(.changeHandOut)
    row.add(change.kind.rawValue)
    row.add(change.at)
    row.add(change.leaseEnd)
    row.add(change.reason)
    row.add(change.seq)
    row.add(change.fence.number)
    try row.runOnOneRow("handOutChange")
  }

  private func requeue(_ seq: Seq, attempt: Int, notBefore: WallTime) throws(StoreError) {
    var row = try statement(.requeue)
    row.add(attempt)
    row.add(notBefore)
    row.add(seq)
    try row.runOnOneRow("requeue")
  }

  /// A second answer to a message breaks the primary key of `answer` and with it the transaction.
  private func insert(_ answer: Answer) throws(StoreError) {
    var row = try statement(.answer)
    row.add(answer.fence.number)
    row.add(answer.at)
    row.add(answer.isLate)
    row.add(answer.bodyHash)
    row.add(answer.seq)
    try row.runOnOneRow("answer")

    var content = try statement(.insertAnswer)
    content.add(answer.seq)
    try content.run(last: answer.body)
  }

  private func end(
    _ seq: Seq, state: MessageState, reason: EndReason, at: WallTime
  ) throws(StoreError) {
    precondition(state.isEnd && state != .answered, "an end without an answer")
    var row = try statement(.end)
    row.add(state.rawValue)
    row.add(reason.rawValue)
    row.add(at)
    row.add(seq)
    try row.runOnOneRow("end")
  }

  private func changeTask(_ seq: Seq, state: TaskState, at: WallTime) throws(StoreError) {
    var row = try statement(.changeTask)
    row.add(seq)
    row.add(state.rawValue)
    row.add(at)
    try row.runOnOneRow("task")
  }

  private func received(_ seq: Seq, _ reply: ReplyTaken, at: WallTime) throws(StoreError) {
    let change: WorkspaceSQL =
      switch reply {
      case .unawaited: .replayEnded
      case .task: .received
      case .end: .endReceived
      }
    var row = try statement(change)
    if reply != .unawaited { row.add(at) }
    row.add(seq)
    // The end may come to be known after the message has been deleted.
    if reply == .end { try row.run() } else { try row.runOnOneRow("received") }
  }

  /// On a message that is gone by now there is nothing to note.
  private func note(_ seq: Seq, kind: NoteKind, at: WallTime, detail: [UInt8]) throws(StoreError) {
    var row = try statement(.insertNote)
    row.add(seq)
    row.add(kind.rawValue)
    row.add(at)
    row.add(detail)
    try row.run()
  }
}
