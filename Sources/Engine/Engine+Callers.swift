package import Relay
import Store
import System
package import Wire

/// A JSON-RPC call of a caller, recognised and parsed.
package struct CallerRequest: Sendable {
  package var call: CallID
  package var caller: Identity
  /// The caller as messages name it.
  let callerText: String
  package var rpc: A2ACall
  package var body: [UInt8]
  /// Method, path and stored headers, as the members of a JSON object.
  package var head: [UInt8]
  /// When the caller is not held any longer.
  package var holdUntil: Instant
  /// Of a call at the platform's way in.
  let platformMethod: String?
  /// Whose share of the memory the answer is.
  let payer: BodyMemory.Payer
  /// It came with an `Idempotency-Key`.
  package var key: KeyedCall?
  /// What it was before it was mended.
  package var given: PlatformCall.Given?

  package init(
    call: CallID, caller: Identity, rpc: A2ACall, body: [UInt8], head: [UInt8], holdUntil: Instant,
    platformMethod: String? = nil, payer: BodyMemory.Payer = .nobody
  ) {
    self.call = call
    self.caller = caller
    callerText = caller.text
    self.rpc = rpc
    self.body = body
    self.head = head
    self.holdUntil = holdUntil
    self.platformMethod = platformMethod
    self.payer = payer
  }

  package var addressee: Addressee {
    Addressee(
      call: call, id: rpc.id, dialect: rpc.dialect, historyLength: rpc.historyLength,
      platformMethod: platformMethod, payer: payer)
  }
}

extension Engine {
  /// A call at a workspace's URL. What is refused is answered at once; the rest when it is durable,
  /// answered, or the hold is over.
  package func call(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    withFile(
      request.call, bytes: request.body.count, now: now,
      refused: { [unowned self] error, _ in
        // Without the file nobody knows whether an equal call is stored.
        replies.send(
          request.addressee.reply(error == .diskFull ? .workspaceUnavailable : error))
      },
      { [unowned self] now throws(RelayError) in
        call(request, try desk(id, now: now), now: now)
      })
  }

  private func call(_ request: CallerRequest, _ desk: Desk, now: Now) {
    let addressee = request.addressee
    switch request.rpc.method {
    case .send: send(request, desk, now: now)
    case .get: get(request, desk, now: now)
    case .cancel: cancel(request, desk, now: now)
    case .stream, .subscribe:
      replies.send(
        addressee.reply(.unsupportedOperation("the relay does not stream for this agent")))
    case .list:
      replies.send(addressee.reply(.unsupportedOperation("listing tasks is not built yet")))
    case .pushSet, .pushGet, .pushList, .pushDelete:
      replies.send(addressee.reply(.pushNotificationNotSupported()))
    case .extendedCard:
      // A2A 1.0 §3.1.11: the card says that there is none. 0.3 §9.5 has one error for both cases.
      replies.send(
        addressee.reply(
          request.rpc.dialect == .v03
            ? .extendedCardNotConfigured() : .unsupportedOperation("there is no extended card")))
    case .unknown: replies.send(addressee.reply(.methodNotFound(request.rpc.methodName)))
    }
  }

  // MARK: send

  private func send(_ request: CallerRequest, _ desk: Desk, now: Now) {
    let addressee = request.addressee
    if request.rpc.hasPushConfig {
      return replies.send(addressee.reply(.pushNotificationNotSupported()))
    }
    let dedup = dedupKey(request, desk)
    if let key = request.key, answer(request, key, desk, now: now) { return }
    if let message = desk.attachable(request, dedup) {
      return attach(request, to: message, desk, now: now)
    }
    let bytes = request.body.count + request.head.count
    if let reply = refusal(desk, request, bytes) { return replies.send(reply) }
    let seq = desk.queue.nextSeq()
    let task: Seq
    let context: String
    let place: Result<(Seq, String), A2AError>
    do throws(RelayError) { place = try self.place(request, desk, seq, now: now) } catch {
      return replies.send(addressee.reply(error))
    }
    switch place {
    // That a task has ended may have been read from what no barrier has covered.
    case .failure(let error):
      guard let task = request.rpc.taskID.flatMap({ MessageID($0) }) else {
        return read(addressee.reply(error), desk)
      }
      return tell(addressee.reply(error), ofTask: task.seq, desk, now: now)
    case .success(let found): (task, context) = found
    }
    let new = NewMessage(
      seq: seq, tag: random.next() & 0xFFFF_FFFF_FFFF, at: now.wall,
      expires: now.wall + limits.timeToLive, caller: request.callerText,
      method: request.rpc.method.rawValue, dialect: request.rpc.dialect.rawValue, task: task,
      context: context, messageID: request.rpc.messageID ?? "", dedup: dedup,
      rpcID: request.rpc.id, head: request.head, body: request.body,
      isImmediate: !request.rpc.isBlocking,
      key: request.key.map { note($0, request, of: seq, desk, now: now) })
    if task != seq { desk.cache.goesOn(task: task) }
    desk.cache.keep(
      MessageCache.Entry(
        head: request.head, body: request.body, message: request.rpc.message,
        texts: request.rpc.texts), of: seq)
    desk.queue.arrive(new, now: now)
    if let message = desk.queue.message(seq) { wait(request, message, desk, now: now) }
    carryOut(desk, now: now)
  }

  /// Returns what equal calls of one caller have in common, and nothing else has.
  func dedupKey(_ request: CallerRequest, _ desk: Desk) -> UUIDBytes {
    // Callers without a credential cannot be told apart: none may get what was for another.
    if request.caller == .anonymous { return UUIDBytes(high: random.next(), low: random.next()) }
    return request.asRetry(desk.digest)
  }

  private func refusal(_ desk: Desk, _ request: CallerRequest, _ bytes: Int) -> Reply? {
    let addressee = request.addressee
    if isShuttingDown { return addressee.reply(.notStored) }
    if directory.workspace(desk.id)?.settings.refusesSends == true {
      return addressee.reply(.sendsRefused)
    }
    if !hasRoomForSend(bytes, desk) { return addressee.reply(.diskFull) }
    if desk.file.walPages > limits.walPagesMax { return addressee.reply(.logFull) }
    if desk.kept.isFull(limits) {
      return QueueRefusal(
        error: .queueFull, counts: desk.queue.counts, kept: desk.kept.messages
      ).reply(to: addressee)
    }
    let refusal = desk.queue.refusal(
      caller: request.callerText, bytes: bytes, opensTask: request.rpc.taskID == nil)
    return refusal.map { $0.reply(to: addressee) }
  }

  /// The task and context that the message belongs to (A2A 1.0 §3.4).
  private func place(
    _ request: CallerRequest, _ desk: Desk, _ seq: Seq, now: Now
  ) throws(RelayError) -> Result<(Seq, String), A2AError> {
    guard let taskID = request.rpc.taskID else {
      return .success((seq, request.rpc.contextID ?? newUUID()))
    }
    guard let task = try findTask(taskID, request.caller, desk) else {
      return .failure(.taskNotFound(taskID))
    }
    if let context = request.rpc.contextID, context != task.context {
      return .failure(.invalidParams("contextId is not that of the task"))
    }
    // A2A 1.0 §3.1.1: a task that has ended takes no further message.
    desk.queue.adopt(task: task, now: now)
    if !desk.queue.isOpen(task: task.seq) {
      return .failure(.unsupportedOperation("the task has ended"))
    }
    let isFull = try reading(desk) { () throws(StoreError) in
      try desk.file.hasMessages(ofTask: task.seq, moreThan: limits.taskMessagesMax - 1)
    }
    guard !isFull else {
      return .failure(
        .unsupportedOperation(
          "a task takes \(limits.taskMessagesMax) messages; open another with its contextId"))
    }
    return .success((task.seq, task.context))
  }

  /// The message is in the queue: whatever becomes of it, whoever waits for it is answered.
  func attach(_ request: CallerRequest, to message: Message, _ desk: Desk, now: Now) {
    let seq = message.seq
    metrics.attaches += 1
    wait(request, message, desk, now: now)
    note(seq, .callerAttached, desk, now: now)
    switch MessageTable.cell(message.state, .callerAttached) {
    case .stay(.answer), .stay(.ended): answerWaiters(seq, desk, now: now)
    default:
      // While a redrive is on its way the file may still say that it is dead.
      let isShown = message.state != .storing && message.state != .redriving
      if !request.rpc.isBlocking, isShown { stored(seq, desk, now: now) }
    }
  }

  private func wait(_ request: CallerRequest, _ message: Message, _ desk: Desk, now: Now) {
    let seq = message.seq
    let waiter = Waiter(
      addressee: request.addressee, message: desk.messageID(message),
      // Who comes while the relay ends is not held.
      deadline: isShuttingDown ? now.instant : request.holdUntil,
      isImmediate: !request.rpc.isBlocking)
    desk.waiters[seq, default: []].append(waiter)
    desk.queue.attach(seq)
    let place = HeldCallers.Place(workspace: desk.id, seq: seq)
    heldCallers.add(request.call, at: place)
    guard !waiter.isImmediate else { return }
    heldCallers.hold(HeldCallers.Hold(at: waiter.deadline, place: place, call: request.call))
  }

  /// For what a caller has left without a name: RFC 9562 version 4.
  package func newUUID() -> String { WorkspaceID(random: random.next(), random.next()).text }

  func note(_ seq: Seq, _ kind: NoteKind, _ desk: Desk, now: Now) {
    desk.addDeferred(.note(seq: seq, kind: kind, at: now.wall, detail: []), limits, now: now)
  }

  // MARK: get, cancel

  private func get(_ request: CallerRequest, _ desk: Desk, now: Now) {
    let addressee = request.addressee
    if waitForRedrive(
      ofTask: request.rpc.taskID, desk,
      { [unowned self] now in
        call(request, at: desk.id, now: now)
      })
    {
      return
    }
    if let id = request.rpc.taskID.flatMap({ MessageID($0) }), mustWait(id.seq, desk) {
      return replies.later(for: request.payer) { [unowned self] now in
        guard desk.failure == nil else {
          return replies.send(addressee.reply(.workspaceUnavailable))
        }
        get(request, desk, now: now)
      }
    }
    do throws(RelayError) {
      try replies.checkMemory(request.payer)
      guard let taskID = request.rpc.taskID,
        let task = try findTask(taskID, request.caller, desk)
      else { return replies.send(addressee.reply(.taskNotFound(request.rpc.taskID))) }
      try tell(task, to: addressee, desk, now: now)
    } catch {
      replies.send(addressee.reply(error))
    }
  }

  /// The Task, read from the file: whoever gets it has received the ends that it tells.
  private func tell(
    _ task: StoredTask, to addressee: Addressee, _ desk: Desk, now: Now
  ) throws(RelayError) {
    var task = try taskView(task, desk)
    try replies.checkMemory(addressee.payer, for: task.view)
    task.view.hasTopLevelParts = addressee.platformMethod != nil
    var reply = addressee.reply(bytes: task.view.answerBytes) { writer in
      task.view.write(
        as: addressee.dialect, historyLength: addressee.historyLength, into: &writer)
    }
    if !task.ends.isEmpty { reply.receipt = .ends(desk.id, task.ends) }
    tell(reply, of: task.dead, desk, now: now)
  }

  /// What was read leaves when everything it may have seen is durable.
  func read(_ reply: Reply, _ desk: Desk) {
    var reply = reply
    replies.count(&reply, for: reply.addressee?.payer ?? reply.payer)
    if desk.isUnsynced {
      // Whatever becomes of this turn's transaction: it has seen nothing of it.
      desk.transaction.replyAfterNextBarrier(reply)
      touch(desk)
    } else {
      replies.send(reply)
    }
  }

  private func cancel(_ request: CallerRequest, _ desk: Desk, now: Now) {
    let addressee = request.addressee
    do throws(RelayError) {
      guard let taskID = request.rpc.taskID,
        let task = try findTask(taskID, request.caller, desk)
      else { return replies.send(addressee.reply(.taskNotFound(request.rpc.taskID))) }
      cancels[request.call] = (addressee, desk.id, task.seq)
      desk.queue.adopt(task: task, now: now)
      desk.queue.cancelTask(request.call, task.seq, now: now)
      carryOut(desk, now: now)
    } catch {
      replies.send(addressee.reply(error))
    }
  }

  func answerCancel(_ call: CallID, _ outcome: CancelReply, _ desk: Desk, now: Now) {
    if operations[call] != nil { return answerClose(call, outcome, desk, now: now) }
    guard let (addressee, _, seq) = cancels.removeValue(forKey: call) else { return }
    guard !mustWait(seq, desk) else {
      return replies.later(for: addressee.payer) { [unowned self] now in
        guard desk.failure == nil else { return replies.send(addressee.reply(.outcomeUnknown)) }
        answerCancel(addressee, seq, outcome, desk, now: now)
      }
    }
    answerCancel(addressee, seq, outcome, desk, now: now)
  }

  private func answerCancel(
    _ addressee: Addressee, _ seq: Seq, _ outcome: CancelReply, _ desk: Desk, now: Now
  ) {
    do throws(RelayError) {
      switch outcome {
      case .unavailable: replies.send(addressee.reply(.notStored))
      case .cancelled, .notCancelable:
        guard let task = try storedTask(seq, desk) else { throw .notFound }
        // A2A 1.0 §3.3.1: cancelling is idempotent; what is cancelled already is told so again.
        guard task.state == .canceled else {
          let state = A2AState(task.state)
          return tell(
            addressee.reply(.taskNotCancelable(state)), ofTask: seq, desk, now: now)
        }
        try replies.checkMemory(addressee.payer)
        try tell(task, to: addressee, desk, now: now)
      }
    } catch {
      replies.send(addressee.reply(error))
    }
  }
}
