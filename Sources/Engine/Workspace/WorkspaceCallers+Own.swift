import Relay
import Store
import Wire

/// Recognises a workspace's answers to its own messages at the platform's way in: a workspace that
/// posts to itself while its agent holds such a message answers that message.
extension WorkspaceCallers {
  func platformAnswer(_ addressee: Addressee, _ seq: Seq) -> PlatformAnswer? {
    guard let method = addressee.platformMethod else { return nil }
    // A message that has left memory has ended.
    guard let message = queue.message(seq) else {
      return PlatformAnswer(method: method, messageID: "", isEnd: true)
    }
    return PlatformAnswer(
      method: method, messageID: workspace.messageID(message).text, isEnd: message.state.isEnd)
  }

  /// Takes the call as the answer to the oldest message that an agent of the workspace holds.
  /// Returns false if the call is not an answer.
  func answerOwn(_ request: CallerRequest, now: Now) throws(RelayError) -> Bool {
    // The repeated question is no answer.
    guard try !isQuestionAgain(request, now: now) else { return false }
    try readOwnAnswers()
    let isAnswer = request.rpc.role == .agent
    // A call that is an answer by its role may come late; a question must not be taken as an
    // answer.
    let held = queue.oldestHeld(of: request.callerText, orLost: isAnswer)
    let hash = request.asAnswer(workspace.digest)
    // Two answers without a message id may be equal: then the call answers the held message. While
    // no message is held, only a call that is an answer by its role is compared with earlier
    // answers.
    let hasName = request.given?.lacksMessageID != true || request.key != nil
    let mayBeAgain = hasName || held == nil && isAnswer
    if mayBeAgain, let seq = answered(by: request, hash) {
      answerTask(request.addressee, seq, now: now)
      return true
    }
    let again = mayBeAgain ? workspace.waiting.ownAnswers.isAnswered(by: hash) : nil
    let same = again.flatMap { seq in
      queue.fenceOfAnswer(seq).map { (seq: seq, fence: $0) }
    }
    if same == nil, held == nil, isAnswer {
      // The message has ended, or no agent holds it. Storing the answer as a new message would
      // deliver it to its own sender, again and again.
      workspace.read(request.addressee.reply(.closed))
      return true
    }
    let body = Array(request.body[request.rpc.message])
    guard let (seq, fence) = same ?? held, case .success(let result) = AgentResult.parse(body)
    else { return false }
    workspace.waiting.ownAnswers.begin(
      OwnAnswers.Answer(addressee: request.addressee, seq: seq, hash: hash))
    workspace.openCalls[request.call] = .outcomeUnknown
    queue.resultBytesMax = disk.roomForResult(
      body.count, workspace.writer, &workspace.care.lowDiskUse)
    queue.result(
      AgentResultCall(
        call: request.call, fence: fence, hash: hash, body: body, state: TaskState(result.state)),
      seq, now: now)
    workspace.carryOut(now: now)
    return true
  }

  private func isQuestionAgain(
    _ request: CallerRequest, now: Now
  ) throws(RelayError) -> Bool {
    if attachable(request, dedupKey(request)) != nil { return true }
    guard let key = request.key else { return false }
    return try isKnown(key, request, now: now)
  }

  /// Reads the answers that were accepted before the file was opened. Their hashes are stored with
  /// the messages.
  private func readOwnAnswers() throws(RelayError) {
    guard !workspace.waiting.ownAnswers.isRead else { return }
    let answers = try workspace.reading { () throws(StoreError) in
      try workspace.file.newestAnswers(
        to: Identity.workspace(workspace.id).text,
        after: queue.lastSeq - Seq(limits.listRowsMax), atMost: limits.ownAnswersKept)
    }
    workspace.waiting.ownAnswers.remember(answers)
  }

  /// Answers the caller of an own answer that is durable or was refused.
  func answer(_ own: OwnAnswers.Answer, _ reply: AgentReply, now: Now) {
    switch reply {
    case .accepted, .duplicate:
      workspace.waiting.ownAnswers.accept(own, atMost: limits.ownAnswersKept)
      answerTask(own.addressee, own.seq, now: now)
    case .unavailable: replies.send(own.addressee.reply(.notStored))
    case .noRoom: replies.send(own.addressee.reply(.resultsFull))
    case .closed: replies.send(own.addressee.reply(.closed))
    case .answeredElsewhere: replies.send(own.addressee.reply(.answeredElsewhere))
    case .alreadyAnswered: replies.send(own.addressee.reply(.alreadyAnswered))
    case .ok, .released, .leaseLost: replies.send(own.addressee.reply(.leaseLost))
    }
  }

  private func answerTask(_ addressee: Addressee, _ seq: Seq, now: Now) {
    let waiter = Waiter(
      addressee: addressee, message: queue.message(seq).map { workspace.messageID($0) },
      deadline: now.instant, isImmediate: true, isAnswerer: true)
    workspace.tasks.answerTask(waiter, seq, now: now)
  }
}
