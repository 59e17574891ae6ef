package import Relay
import Store
import Wire

/// The calls of callers, at any workspace.
package struct Callers: UsesServices {
  unowned let pool: WorkspacePool

  var services: Services { pool.services }

  /// A call at a workspace's URL. What is refused is answered at once; the rest when it is durable,
  /// answered, or the hold is over.
  package func call(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    pool.withFile(
      request.call, bytes: request.body.count, now: now,
      refused: { error, _ in
        // Without the file nobody knows whether an equal call is stored.
        replies.send(
          request.addressee.reply(error == .diskFull ? .workspaceUnavailable : error))
      },
      { now throws(RelayError) in
        try pool.workspace(id, now: now).callers.call(request, now: now)
      })
  }

  /// A call at the platform's way in: the same queue. What a workspace posts to itself while an
  /// agent of it holds such a message is the answer to that one, the oldest first.
  package func platformCall(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    // Not by `call`, which would take the answer for a message.
    pool.withFile(
      request.call, bytes: request.body.count, now: now,
      refused: { error, _ in replies.send(request.addressee.reply(error)) },
      { now throws(RelayError) in
        if request.caller == .workspace(id), request.rpc.method == .send,
          try pool.workspace(id, now: now).callers.answerOwn(request, now: now)
        {
          return
        }
        call(request, at: id, now: now)
      })
  }

  /// Answers a call that is refused before it reaches the queue.
  package func refuse(_ request: CallerRequest, _ error: RelayError, detail: String) {
    replies.send(request.addressee.reply(error, detail: detail))
  }

  /// The caller's connection has ended; its message stays.
  package func callerGone(_ call: CallID, now: Now) {
    guard let place = heldCallers[call] else { return }
    pool.usable(place.workspace)?.tasks.callerGone(call, from: place.seq, now: now)
  }

  /// A caller's hold has ended.
  func holdEnded(_ hold: HeldCallers.Hold, now: Now) {
    pool.usable(hold.place.workspace)?.tasks.holdEnded(hold, now: now)
  }

  /// The message that a held call waits for.
  package func messageID(of call: CallID) -> MessageID? {
    guard let place = heldCallers[call], let workspace = pool[place.workspace],
      let message = workspace.queue.message(place.seq)
    else { return nil }
    return workspace.messageID(message)
  }

  /// Whether a poll of the workspace is parked now.
  package func isPolled(_ id: WorkspaceID) -> Bool { pool[id]?.queue.parkedCount ?? 0 > 0 }

  /// Makes a name for what a caller has left without one: RFC 9562 version 4.
  package func newUUID() -> String { services.newUUID() }

  /// A caller's own message and its Task, also later and after a restart.
  /// `isGiven`: the body goes out, too; a HEAD gives nobody an answer.
  package func callerMessage(
    _ call: CallID, _ id: MessageID, caller: Identity, isGiven: Bool = true, now: Now
  ) {
    pool.withFile(call, now: now) { now throws(RelayError) in
      guard let (workspace, message) = try pool.locate(id, now: now) else {
        throw try pool.missing(id, for: caller, now: now)
      }
      let isOwn = caller.isCaller(message.caller)
      guard isOwn || caller == .admin else { throw .notFound }
      let payer = services.payer(of: caller)
      if workspace.tasks.waitForRedrive(
        ofTask: message.task,
        { now in
          callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
        })
      {
        return
      }
      guard !workspace.tasks.mustWait(message.task) else {
        return replies.later(for: payer) { now in
          callerMessage(call, id, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try replies.checkMemory(payer)
      // What opened its task is deleted first.
      guard let task = try workspace.storedTask(message.task) else { throw .answerGone }
      let dialect = Dialect(rawValue: message.dialect) ?? .v03
      let read = try workspace.tasks.taskView(task)
      try replies.checkMemory(payer, for: read.view)
      var writer = JSONWriter(capacity: 1024)
      writer.beginObject()
      try workspace.operators.writeSummary(
        message, state: WorkspaceOperators.callerState(message), into: &writer)
      writer.key("task")
      read.view.write(as: dialect, historyLength: nil, into: &writer)
      writer.endObject()
      var reply = Reply(call: call, body: writer.bytes)
      reply.payer = payer
      // An operator who looks has not received it in the caller's place.
      if isGiven, isOwn, message.state.isEnd {
        reply.receipt = .ends(workspace.id, [message.seq] + read.ends)
      }
      workspace.tasks.tell(reply, of: isOwn && isGiven ? read.dead : [], now: now)
    }
  }

  /// A caller's message, as the platform shows what waits for an agent.
  package func queueItem(
    _ call: CallID, _ id: MessageID, at owner: WorkspaceID, caller: Identity, isGiven: Bool,
    now: Now
  ) {
    do throws(RelayError) {
      guard let (workspace, message) = try pool.locate(id, now: now) else {
        let error = try pool.missing(id, for: caller, now: now)
        guard error == .answerGone, directory.workspaces(short: id.workspace).contains(owner)
        else { return replies.send(Self.noItem(call)) }
        return replies.send(Self.goneItem(call))
      }
      guard workspace.id == owner,
        caller.isCaller(message.caller) || caller == .admin
      else { return replies.send(Self.noItem(call)) }
      let payer = services.payer(of: caller)
      if workspace.tasks.waitForRedrive(
        ofTask: message.task,
        { now in
          queueItem(call, id, at: owner, caller: caller, isGiven: isGiven, now: now)
        })
      {
        return
      }
      guard !workspace.tasks.mustWait(message.task) else {
        return replies.later(for: payer) { now in
          queueItem(call, id, at: owner, caller: caller, isGiven: isGiven, now: now)
        }
      }
      try replies.checkMemory(payer)
      var item = QueueItem(message, owner)
      item.current = workspace.queue.message(message.seq)
      item.handOuts = try workspace.reading { () throws(StoreError) in
        try workspace.file.timeline(message.seq).handOuts.map(\.row)
      }
      var ends: [Seq] = []
      var dead: [StoredMessage] = []
      if message.state.isEnd, let task = try workspace.storedTask(message.task) {
        var read = try workspace.tasks.taskView(task)
        try replies.checkMemory(payer, for: read.view)
        read.view.hasTopLevelParts = true
        let dialect = Dialect(rawValue: message.dialect) ?? .v03
        item.response = JSONRPC.result(id: message.rpcID, bytes: read.view.answerBytes) { writer in
          read.view.writeSendResult(as: dialect, historyLength: nil, into: &writer)
        }
        ends = read.ends
        dead = read.dead
      }
      var reply = Reply(call: call, body: item.json(id))
      reply.payer = payer
      if isGiven, caller.isCaller(message.caller), message.state.isEnd {
        reply.receipt = .ends(workspace.id, [message.seq] + ends)
      } else {
        dead = []
      }
      workspace.tasks.tell(reply, of: dead, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// The answer for what there is not and for what is another's.
  private static func noItem(_ call: CallID) -> Reply {
    let json: JSON = [
      "error": "queue item not found", "code": .string(RelayError.notFound.code),
      "retryable": true,
    ]
    return Reply(call: call, status: RelayError.notFound.status, body: json.bytes)
  }

  /// The answer for the caller of a deleted message: asking again changes nothing.
  private static func goneItem(_ call: CallID) -> Reply {
    let error = RelayError.answerGone
    let json: JSON = [
      "error": .string(error.text), "code": .string(error.code), "retryable": false,
    ]
    return Reply(call: call, status: error.status, body: json.bytes)
  }
}
