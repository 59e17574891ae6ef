import Relay
import Store
import Wire

/// Builds the shown form of Tasks, from memory or from the file.
extension WorkspaceTasks {
  /// Returns the task of this id if `caller` may see it, because it is the caller's own (A2A 1.0
  /// §13.1).
  func findTask(_ id: String, _ caller: Identity) throws(RelayError) -> StoredTask? {
    guard let id = MessageID(id), id.workspace == workspace.id.short else { return nil }
    let tag: UInt64
    let owner: String
    if let message = queue.message(id.seq) {
      guard message.state != .storing else { return nil }
      (tag, owner) = (message.tag, message.caller)
    } else if let message = try workspace.storedMessage(id.seq) {
      (tag, owner) = (message.tag, message.caller)
    } else {
      return nil
    }
    guard tag == id.tag, owner == caller.text else { return nil }
    return try workspace.storedTask(id.seq)
  }

  /// A Task read from the file, and the messages whose ends it shows: all that have ended, if the
  /// Task has ended or waits for its caller.
  struct ReadTask {
    var view: TaskView
    var ends: [Seq] = []
    /// The messages that the Task shows as dead.
    var dead: [StoredMessage] = []
  }

  /// Returns the Task of a message, and the data that was read from the file for it, if any.
  func taskView(
    of seq: Seq, now: Now
  ) throws(RelayError) -> (TaskView, read: ReadTask?) {
    if let view = recentView(seq, now: now) { return (view, nil) }
    let first: Seq
    if let message = queue.message(seq) {
      first = message.task
    } else {
      guard let message = try workspace.storedMessage(seq) else { throw .notFound }
      first = message.task
    }
    guard let task = try workspace.storedTask(first) else { throw .notFound }
    let read = try taskView(task)
    return (read.view, read)
  }

  /// Returns the Task of a message that has just arrived or has just been answered, from memory.
  private func recentView(_ seq: Seq, now: Now) -> TaskView? {
    guard let message = queue.message(seq), message.task == seq, seq >= workspace.firstSeq,
      workspace.cache.isAlone(seq), let cached = workspace.cache[seq],
      let dialect = Dialect(rawValue: message.dialect)
    else { return nil }
    let state: A2AState
    var posted: AgentResult?
    switch message.state {
    case .queued, .offered, .leased: state = A2AState(queue.taskState(seq) ?? .submitted)
    case .answered:
      guard let result = cached.result,
        case .success(let parsed) = AgentResult.parse(result, isStored: true)
      else { return nil }
      state = parsed.state
      posted = parsed
    case .storing, .answering, .dead, .expired, .cancelled, .withdrawing, .closing, .redriving:
      return nil
    }
    let turn = TaskView.Turn(
      request: cached.body, message: cached.message, dialect: dialect, parsed: posted)
    return TaskView(
      id: workspace.messageID(message).text, contextID: message.context, state: state,
      timestamp: Timestamp.rfc3339(nanoseconds: now.wall.nanoseconds), turns: [turn])
  }

  /// Returns the Task of a message that has not ended, without its messages, while the file cannot
  /// be read.
  func unreadView(_ seq: Seq, now: Now) -> TaskView? {
    guard workspace.damage == nil, workspace.failure == nil, let message = queue.message(seq),
      !message.state.isEnd, !message.state.isPending,
      let first = queue.message(message.task)
    else { return nil }
    return TaskView(
      id: workspace.messageID(first).text, contextID: message.context,
      state: A2AState(queue.taskState(message.task) ?? .submitted),
      timestamp: Timestamp.rfc3339(nanoseconds: now.wall.nanoseconds), turns: [])
  }

  /// Returns a Task with its messages, read from the file.
  func taskView(_ task: StoredTask) throws(RelayError) -> ReadTask {
    let messages = try workspace.reading { () throws(StoreError) in
      try workspace.file.messages(ofTask: task.seq)
    }
    let turns = try newestTurns(of: messages)
    guard let first = messages.first else { throw .notFound }
    let id = MessageID(workspace: workspace.id.short, seq: first.seq, tag: first.tag)
    var view = TaskView(
      id: id.text, contextID: task.context, state: A2AState(task.state),
      timestamp: Timestamp.rfc3339(nanoseconds: task.changed.nanoseconds), turns: turns,
      statusText: messages.last { $0.reason != nil }?.reason.flatMap(Self.statusText))
    view.omittedTurns = messages.count - turns.count
    let isTold = task.state.isTerminal || task.state.isInterrupted
    return ReadTask(
      view: view,
      // The reader does not learn here how a message ended whose turn is left out.
      ends: isTold
        ? messages.suffix(turns.count).filter { $0.state.isEnd && !$0.isEndReceived }.map(\.seq)
        : [],
      dead: isTold ? messages.filter { $0.state == .dead } : [])
  }

  /// Returns the newest messages of the task that fit into one answer, and at least the last one.
  private func newestTurns(
    of messages: [StoredMessage]
  ) throws(RelayError) -> [TaskView.Turn] {
    var turns: [TaskView.Turn] = []
    var left = limits.taskShownBytesMax
    for message in messages.reversed() {
      guard turns.isEmpty || message.bytes <= left else { break }
      let (turn, parts) = try turn(message)
      let cost =
        turn.request.count + (turn.result?.body.count ?? 0)
        + (parts + (turn.result?.partCount ?? 0)) * limits.partCostBytes
      guard turns.isEmpty || cost <= left else { break }
      left -= cost
      turns.append(turn)
    }
    return turns.reversed()
  }

  private func turn(
    _ message: StoredMessage
  ) throws(RelayError) -> (TaskView.Turn, parts: Int) {
    let (request, result) = try workspace.reading { () throws(StoreError) in
      (try workspace.file.body(message.seq), try workspace.file.answer(message.seq))
    }
    let dialect = Dialect(rawValue: message.dialect) ?? .v03
    guard let body = request?.body,
      case .success(let call) = A2ACall.peek(body, version: dialect.protocolVersion)
    else { throw .workspaceUnavailable }
    let turn = TaskView.Turn(
      request: body, message: call.message, dialect: dialect, result: result)
    return (turn, call.partCount)
  }

  /// Returns the text that the relay writes in the agent's place.
  private static func statusText(_ reason: EndReason) -> String? {
    switch reason {
    case .attemptsUsedUp: "dead: every attempt to have it done has failed"
    case .expired: "expired: nobody answered it in time"
    case .cancelledByCaller: nil
    case .cancelledByOperator: "cancelled by an operator"
    case .withdrawn: "withdrawn: it was never handed out"
    case .taskEnded: nil
    case .purged: "purged by an operator"
    case .workspaceRemoved: "the workspace was removed"
    }
  }

  /// Returns whether the Task of a message is too large for this turn.
  func mustWait(_ seq: Seq) -> Bool {
    guard replies.mustDefer else { return false }
    guard let cached = workspace.cache[seq], workspace.cache.isAlone(seq) else { return true }
    return cached.bytes > Limits.smallAnswerBytesMax
  }
}

extension A2AState {
  init(_ state: TaskState) {
    switch state {
    case .submitted: self = .submitted
    case .working: self = .working
    case .inputRequired: self = .inputRequired
    case .authRequired: self = .authRequired
    case .completed: self = .completed
    case .canceled: self = .canceled
    case .failed: self = .failed
    case .rejected: self = .rejected
    }
  }
}

extension TaskState {
  init(_ state: A2AState) {
    switch state {
    case .submitted: self = .submitted
    case .working: self = .working
    case .inputRequired: self = .inputRequired
    case .authRequired: self = .authRequired
    case .completed: self = .completed
    case .canceled: self = .canceled
    case .failed: self = .failed
    case .rejected: self = .rejected
    }
  }
}
