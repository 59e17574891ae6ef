import Relay
import Store
import System
import Wire

/// Carries out the requests of callers: to send a message, to get a Task, to cancel one.
struct WorkspaceCallers: WorkspacePart {
  let workspace: Workspace

  /// Carries out a request. A refusal is sent at once; any other reply leaves when the message is
  /// durable or answered, or the hold is over.
  func call(_ request: CallerRequest, now: Now) {
    let addressee = request.addressee
    switch request.rpc.method {
    case .send: send(request, now: now)
    case .get: get(request, now: now)
    case .cancel: cancel(request, now: now)
    case .stream, .subscribe:
      replies.send(
        addressee.reply(.unsupportedOperation("the relay does not stream for this agent")))
    case .list:
      replies.send(addressee.reply(.unsupportedOperation("listing tasks is not built yet")))
    case .pushSet, .pushGet, .pushList, .pushDelete:
      replies.send(addressee.reply(.pushNotificationNotSupported()))
    case .extendedCard:
      // A2A 1.0 §3.1.11: the card says that there is no extended card. 0.3 §9.5 has one error for
      // both cases.
      replies.send(
        addressee.reply(
          request.rpc.dialect == .v03
            ? .extendedCardNotConfigured() : .unsupportedOperation("there is no extended card")))
    case .unknown: replies.send(addressee.reply(.methodNotFound(request.rpc.methodName)))
    }
  }

  // MARK: send

  private func send(_ request: CallerRequest, now: Now) {
    let addressee = request.addressee
    if request.rpc.hasPushConfig {
      return replies.send(addressee.reply(.pushNotificationNotSupported()))
    }
    let dedup = dedupKey(request)
    if let key = request.key, answer(request, key, now: now) { return }
    if let message = attachable(request, dedup) {
      return attach(request, to: message, now: now)
    }
    let bytes = request.body.count + request.head.count
    if let reply = refusal(request, bytes) { return replies.send(reply) }
    let seq = queue.nextSeq()
    let task: Seq
    let context: String
    let place: Result<(Seq, String), A2AError>
    do throws(RelayError) { place = try self.place(request, seq, now: now) } catch {
      return replies.send(addressee.reply(error))
    }
    switch place {
    // The end of the task may have been read from rows that no barrier has covered.
    case .failure(let error):
      guard let task = request.rpc.taskID.flatMap({ MessageID($0) }) else {
        return workspace.read(addressee.reply(error))
      }
      return workspace.tasks.send(addressee.reply(error), ofTask: task.seq, now: now)
    case .success(let found): (task, context) = found
    }
    let new = NewMessage(
      seq: seq, tag: random.next() & 0xFFFF_FFFF_FFFF, at: now.wall,
      expires: now.wall + limits.timeToLive, caller: request.callerText,
      method: request.rpc.method.rawValue, dialect: request.rpc.dialect.rawValue, task: task,
      context: context, messageID: request.rpc.messageID ?? "", dedup: dedup,
      rpcID: request.rpc.id, head: request.head, body: request.body,
      isImmediate: !request.rpc.isBlocking,
      key: request.key.map { note($0, request, of: seq, now: now) })
    if task != seq { workspace.cache.goesOn(task: task) }
    workspace.cache.keep(
      MessageCache.Entry(
        head: request.head, body: request.body, message: request.rpc.message,
        texts: request.rpc.texts), of: seq)
    queue.arrive(new, now: now)
    if let message = queue.message(seq) { wait(request, message, now: now) }
    workspace.carryOut(now: now)
  }

  /// Returns the digest that equal calls of one caller share, and no other call has.
  func dedupKey(_ request: CallerRequest) -> UUIDBytes {
    // Callers without a credential cannot be distinguished, and none may get the answer for
    // another.
    if request.caller == .anonymous { return UUIDBytes(high: random.next(), low: random.next()) }
    return request.asRetry(workspace.digest)
  }

  private func refusal(_ request: CallerRequest, _ bytes: Int) -> Reply? {
    let addressee = request.addressee
    if process.isShuttingDown { return addressee.reply(.notStored) }
    if directory.workspace(workspace.id)?.settings.refusesSends == true {
      return addressee.reply(.sendsRefused)
    }
    if !disk.hasRoomForSend(bytes, workspace.writer) { return addressee.reply(.diskFull) }
    if workspace.file.walPages > limits.walPagesMax { return addressee.reply(.logFull) }
    if workspace.care.kept.isFull(limits) {
      return addressee.reply(
        .queueFull,
        facts: .full(
          QueueRefusal(
            error: .queueFull, counts: queue.counts, kept: workspace.care.kept.messages)))
    }
    let refusal = queue.refusal(
      caller: request.callerText, bytes: bytes, opensTask: request.rpc.taskID == nil)
    return refusal.map { addressee.reply($0.error, facts: .full($0)) }
  }

  /// Returns the task and context of the message (A2A 1.0 §3.4).
  private func place(
    _ request: CallerRequest, _ seq: Seq, now: Now
  ) throws(RelayError) -> Result<(Seq, String), A2AError> {
    guard let taskID = request.rpc.taskID else {
      return .success((seq, request.rpc.contextID ?? services.newUUID()))
    }
    guard let task = try workspace.tasks.findTask(taskID, request.caller) else {
      return .failure(.taskNotFound(taskID))
    }
    if let context = request.rpc.contextID, context != task.context {
      return .failure(.invalidParams("contextId is not that of the task"))
    }
    // A2A 1.0 §3.1.1: a task that has ended accepts no further message.
    queue.adopt(task: task, now: now)
    if !queue.isOpen(task: task.seq) {
      return .failure(.unsupportedOperation("the task has ended"))
    }
    let isFull = try workspace.reading { () throws(StoreError) in
      try workspace.file.hasMessages(ofTask: task.seq, moreThan: limits.taskMessagesMax - 1)
    }
    guard !isFull else {
      return .failure(
        .unsupportedOperation(
          "a task takes \(limits.taskMessagesMax) messages; open another with its contextId"))
    }
    return .success((task.seq, task.context))
  }

  /// Attaches the caller to a message in the queue: the caller is answered whatever happens to it.
  func attach(_ request: CallerRequest, to message: Message, now: Now) {
    let seq = message.seq
    metrics.attaches += 1
    wait(request, message, now: now)
    workspace.note(seq, .callerAttached, now: now)
    switch MessageTable.cell(message.state, .callerAttached) {
    case .stay(.answer), .stay(.ended): workspace.tasks.answerWaiters(seq, now: now)
    default:
      // While a redrive is pending, the file may still say that the message is dead.
      let isShown = message.state != .storing && message.state != .redriving
      if !request.rpc.isBlocking, isShown { workspace.tasks.stored(seq, now: now) }
    }
  }

  private func wait(_ request: CallerRequest, _ message: Message, now: Now) {
    let seq = message.seq
    let waiter = Waiter(
      addressee: request.addressee, message: workspace.messageID(message),
      // While the relay ends, no caller is held.
      deadline: process.isShuttingDown ? now.instant : request.holdUntil,
      isImmediate: !request.rpc.isBlocking)
    workspace.waiting.waiters[seq, default: []].append(waiter)
    queue.attach(seq)
    let place = HeldCallers.Place(workspace: workspace.id, seq: seq)
    heldCallers.add(request.call, at: place)
    guard !waiter.isImmediate else { return }
    heldCallers.hold(HeldCallers.Hold(at: waiter.deadline, place: place, call: request.call))
  }

  // MARK: get, cancel

  private func get(_ request: CallerRequest, now: Now) {
    let addressee = request.addressee
    if workspace.tasks.waitForRedrive(
      ofTask: request.rpc.taskID,
      { now in
        pool.callers.call(request, at: workspace.id, now: now)
      })
    {
      return
    }
    if let id = request.rpc.taskID.flatMap({ MessageID($0) }), workspace.tasks.mustWait(id.seq) {
      return replies.later(for: request.payer) { now in
        guard workspace.failure == nil else {
          return replies.send(addressee.reply(.workspaceUnavailable))
        }
        get(request, now: now)
      }
    }
    do throws(RelayError) {
      try replies.checkMemory(request.payer)
      guard let taskID = request.rpc.taskID,
        let task = try workspace.tasks.findTask(taskID, request.caller)
      else { return replies.send(addressee.reply(.taskNotFound(request.rpc.taskID))) }
      try answer(task, to: addressee, now: now)
    } catch {
      replies.send(addressee.reply(error))
    }
  }

  /// Answers with the Task, read from the file. The caller's receipt of the Task is the receipt of
  /// all ends in it.
  private func answer(
    _ task: StoredTask, to addressee: Addressee, now: Now
  ) throws(RelayError) {
    var task = try workspace.tasks.taskView(task)
    try replies.checkMemory(addressee.payer, for: task.view)
    task.view.hasTopLevelParts = addressee.platformMethod != nil
    var reply = addressee.reply(.task(task.view))
    if !task.ends.isEmpty { reply.receipt = .ends(workspace.id, task.ends) }
    workspace.tasks.send(reply, notifyingOf: task.dead, now: now)
  }

  private func cancel(_ request: CallerRequest, now: Now) {
    let addressee = request.addressee
    do throws(RelayError) {
      guard let taskID = request.rpc.taskID,
        let task = try workspace.tasks.findTask(taskID, request.caller)
      else { return replies.send(addressee.reply(.taskNotFound(request.rpc.taskID))) }
      workspace.waiting.cancels[request.call] = (addressee, task.seq)
      queue.adopt(task: task, now: now)
      queue.cancelTask(request.call, task.seq, now: now)
      workspace.carryOut(now: now)
    } catch {
      replies.send(addressee.reply(error))
    }
  }

  func answerCancel(_ call: CallID, _ outcome: CancelReply, now: Now) {
    if workspace.jobState.operations[call] != nil {
      return workspace.operators.answerClose(call, outcome, now: now)
    }
    guard let (addressee, seq) = workspace.waiting.cancels.removeValue(forKey: call)
    else { return }
    guard !workspace.tasks.mustWait(seq) else {
      return replies.later(for: addressee.payer) { now in
        guard workspace.failure == nil else {
          return replies.send(addressee.reply(.outcomeUnknown))
        }
        answerCancel(addressee, seq, outcome, now: now)
      }
    }
    answerCancel(addressee, seq, outcome, now: now)
  }

  private func answerCancel(
    _ addressee: Addressee, _ seq: Seq, _ outcome: CancelReply, now: Now
  ) {
    do throws(RelayError) {
      switch outcome {
      case .unavailable: replies.send(addressee.reply(.notStored))
      case .cancelled, .notCancelable:
        guard let task = try workspace.storedTask(seq) else { throw .notFound }
        // A2A 1.0 §3.3.1: cancelling is idempotent, so that a cancelled task is sent again.
        guard task.state == .canceled else {
          let state = A2AState(task.state)
          return workspace.tasks.send(
            addressee.reply(.taskNotCancelable(state)), ofTask: seq, now: now)
        }
        try replies.checkMemory(addressee.payer)
        try answer(task, to: addressee, now: now)
      }
    } catch {
      replies.send(addressee.reply(error))
    }
  }
}
