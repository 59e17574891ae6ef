package import Relay
import Store
import Wire

/// A workspace's answers to what it has asked itself, by the platform's way in.
struct OwnAnswers {
  /// One whose write is on its way, or whose Task is about to be told.
  struct Answer {
    var addressee: Addressee
    var seq: Seq
    var hash: UUIDBytes
  }

  private var open: [CallID: Answer] = [:]
  /// The last ones that were accepted, oldest first. `nil`: nobody has looked into the file yet.
  private var accepted: [(hash: UUIDBytes, seq: Seq)]?

  /// What was accepted before has been read.
  var isRead: Bool { accepted != nil }

  mutating func remember(_ answers: [(hash: UUIDBytes, seq: Seq)]) { accepted = answers }

  mutating func begin(_ answer: Answer) { open[answer.addressee.call] = answer }

  mutating func take(_ call: CallID) -> Answer? {
    open.isEmpty ? nil : open.removeValue(forKey: call)
  }

  /// The message that an equal answer has answered.
  func answered(by hash: UUIDBytes) -> Seq? { accepted?.last { $0.hash == hash }?.seq }

  /// The message that an equal answer on its way is for.
  func isAnswered(by hash: UUIDBytes) -> Seq? { open.values.first { $0.hash == hash }?.seq }

  mutating func accept(_ answer: Answer, atMost count: Int) {
    var list = accepted ?? []
    if list.count >= count { list.removeFirst() }
    list.append((answer.hash, answer.seq))
    accepted = list
  }
}

/// What the platform's clients get beside the Task.
struct PlatformAnswer {
  var method: String
  var messageID: String
  var isEnd: Bool

  /// The one form of "accepted, not yet answered" that all of them understand.
  func writeReceipt(into writer: inout JSONWriter) {
    guard !isEnd else { return }
    writer.key("status")
    writer.string("queued")
    writer.key("delivery_mode")
    writer.string("poll")
    writer.key("method")
    writer.string(method)
    writer.key("queue_id")
    writer.string(messageID)
  }
}

extension Engine {
  /// A call at the platform's way in: the same queue. What a workspace posts to itself while an
  /// agent of it holds such a message is the answer to that one, the oldest first.
  package func platformCall(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    // Not by `call`, which would take the answer for a message.
    withFile(
      request.call, bytes: request.body.count, now: now,
      refused: { [unowned self] error, _ in replies.send(request.addressee.reply(error)) },
      { [unowned self] now throws(RelayError) in
        if request.caller == .workspace(id), request.rpc.method == .send,
          try answerOwn(request, at: id, now: now)
        {
          return
        }
        call(request, at: id, now: now)
      })
  }

  /// Whether a poll of the workspace is parked now.
  package func isPolled(_ id: WorkspaceID) -> Bool { desks[id]?.queue.parkedCount ?? 0 > 0 }

  func platformAnswer(_ addressee: Addressee, _ seq: Seq, _ desk: Desk) -> PlatformAnswer? {
    guard let method = addressee.platformMethod else { return nil }
    // What has left memory has ended.
    guard let message = desk.queue.message(seq) else {
      return PlatformAnswer(method: method, messageID: "", isEnd: true)
    }
    return PlatformAnswer(
      method: method, messageID: desk.messageID(message).text, isEnd: message.state.isEnd)
  }

  // MARK: answers to oneself

  private func answerOwn(
    _ request: CallerRequest, at id: WorkspaceID, now: Now
  ) throws(RelayError) -> Bool {
    let desk = try desk(id, now: now)
    // The question again is no answer.
    guard try !isQuestionAgain(request, desk, now: now) else { return false }
    try readOwnAnswers(desk)
    let isAnswer = request.rpc.role == .agent
    // What is an answer by its role may come late; a question must not be taken for one.
    let held = desk.queue.oldestHeld(of: request.callerText, orLost: isAnswer)
    let hash = request.asAnswer(desk.digest)
    // Without a name two answers may be alike: then it is for what is held. With nothing held a
    // question may be like an answer; what is none by its role may be one.
    let hasName = request.given?.lacksMessageID != true || request.key != nil
    let mayBeAgain = hasName || held == nil && isAnswer
    if mayBeAgain, let seq = desk.answered(by: request, hash) {
      tellTask(request.addressee, seq, desk, now: now)
      return true
    }
    let again = mayBeAgain ? desk.ownAnswers.isAnswered(by: hash) : nil
    let same = again.flatMap { seq in
      desk.queue.fenceOfAnswer(seq).map { (seq: seq, fence: $0) }
    }
    if same == nil, held == nil, isAnswer {
      // What it answers has ended, or is with nobody: a new message would bring it to its own
      // sender, each time it is sent.
      read(request.addressee.reply(.closed), desk)
      return true
    }
    let body = Array(request.body[request.rpc.message])
    guard let (seq, fence) = same ?? held, case .success(let result) = AgentResult.parse(body)
    else { return false }
    desk.ownAnswers.begin(
      OwnAnswers.Answer(addressee: request.addressee, seq: seq, hash: hash))
    desk.open[request.call] = .outcomeUnknown
    desk.queue.resultBytesMax = roomForResult(desk, bytes: body.count)
    desk.queue.result(
      AgentResultCall(
        call: request.call, fence: fence, hash: hash, body: body, state: TaskState(result.state)),
      seq, now: now)
    carryOut(desk, now: now)
    return true
  }

  private func isQuestionAgain(
    _ request: CallerRequest, _ desk: Desk, now: Now
  ) throws(RelayError) -> Bool {
    if desk.attachable(request, dedupKey(request, desk)) != nil { return true }
    guard let key = request.key else { return false }
    return try isKnown(key, request, desk, now: now)
  }

  /// Those that came before the file was opened; their hashes stand with the messages.
  private func readOwnAnswers(_ desk: Desk) throws(RelayError) {
    guard !desk.ownAnswers.isRead else { return }
    let answers = try reading(desk) { () throws(StoreError) in
      try desk.file.newestAnswers(
        to: Identity.workspace(desk.id).text,
        after: desk.queue.lastSeq - Seq(limits.listRowsMax), atMost: limits.ownAnswersKept)
    }
    desk.ownAnswers.remember(answers)
  }

  /// The answer is durable, or was not taken.
  func tell(_ own: OwnAnswers.Answer, _ reply: AgentReply, _ desk: Desk, now: Now) {
    switch reply {
    case .accepted, .duplicate:
      desk.ownAnswers.accept(own, atMost: limits.ownAnswersKept)
      tellTask(own.addressee, own.seq, desk, now: now)
    case .unavailable: replies.send(own.addressee.reply(.notStored))
    case .noRoom: replies.send(own.addressee.reply(.resultsFull))
    case .closed: replies.send(own.addressee.reply(.closed))
    case .answeredElsewhere: replies.send(own.addressee.reply(.answeredElsewhere))
    case .alreadyAnswered: replies.send(own.addressee.reply(.alreadyAnswered))
    case .ok, .released, .leaseLost: replies.send(own.addressee.reply(.leaseLost))
    }
  }

  private func tellTask(_ addressee: Addressee, _ seq: Seq, _ desk: Desk, now: Now) {
    let waiter = Waiter(
      addressee: addressee, message: desk.queue.message(seq).map { desk.messageID($0) },
      deadline: now.instant, isImmediate: true, isAnswerer: true)
    answerTask(waiter, seq, desk, now: now)
  }
}

extension A2AError {
  /// HTTP's status of a JSON-RPC error at the platform's way in.
  var platformStatus: Int {
    if reason == RelayError.idempotencyConflict.reason { return 409 }
    if reason == RelayError.answerGone.reason { return 410 }
    return switch code {
    case -32601, -32001: 404
    case -32002: 409
    case -32603: 503
    case -32004: 501
    default: 400
    }
  }
}
