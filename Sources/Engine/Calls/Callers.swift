package import Relay
import Store
import Wire

/// The requests of callers, for any workspace.
package struct Callers: UsesServices {
  unowned let pool: WorkspacePool

  var services: Services { pool.services }

  /// Carries out a request at a workspace's URL. A refusal is sent at once; any other reply leaves
  /// when the message is durable or answered, or the hold is over.
  package func call(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    pool.withFile(
      request.call, bytes: request.body.count, now: now,
      refused: { error, _ in
        // An equal call may be stored in the file, so nothing can be accepted without it.
        replies.send(
          request.addressee.reply(error == .diskFull ? .workspaceUnavailable : error))
      },
      { now throws(RelayError) in
        try pool.workspace(id, now: now).callers.call(request, now: now)
      })
  }

  /// Carries out a request at the platform's way in, which leads to the same queue. If a workspace
  /// posts to itself while its agent holds such a message, the post is the answer to the oldest
  /// one.
  package func platformCall(_ request: CallerRequest, at id: WorkspaceID, now: Now) {
    // `call` would store the answer as a new message.
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

  /// Sends the error of a request that is refused before it reaches the queue.
  package func refuse(_ request: CallerRequest, _ error: RelayError, detail: String) {
    replies.send(request.addressee.reply(error, detail: detail))
  }

  /// Forgets a caller whose connection has ended; its message stays.
  package func callerGone(_ call: CallID, now: Now) {
    guard let place = heldCallers[call] else { return }
    pool.usable(place.workspace)?.tasks.callerGone(call, from: place.seq, now: now)
  }

  /// Answers a caller whose hold has ended.
  func holdEnded(_ hold: HeldCallers.Hold, now: Now) {
    pool.usable(hold.place.workspace)?.tasks.holdEnded(hold, now: now)
  }

  /// Returns the id of the message that a held caller waits for.
  package func messageID(of call: CallID) -> MessageID? {
    guard let place = heldCallers[call], let workspace = pool[place.workspace],
      let message = workspace.queue.message(place.seq)
    else { return nil }
    return workspace.messageID(message)
  }

  /// Returns whether a poll of the workspace is parked now.
  package func isPolled(_ id: WorkspaceID) -> Bool { pool[id]?.queue.parkedCount ?? 0 > 0 }

  /// Makes an id for a request that came without one: a random UUID (RFC 9562 version 4).
  package func newUUID() -> String { services.newUUID() }

  /// Answers a caller with its own message and Task, at any time and after a restart.
  ///
  /// - `isGiven`: the body is sent too. The response to a HEAD is no receipt of the answer.
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
      // Retention deletes the message that opened the task first.
      guard let task = try workspace.storedTask(message.task) else { throw .answerGone }
      let read = try workspace.tasks.taskView(task)
      try replies.checkMemory(payer, for: read.view)
      var reply = Reply(call: call, .message(try workspace.operators.facts(message), read.view))
      reply.payer = payer
      // An operator's look does not count as the caller's receipt.
      if isGiven, isOwn, message.state.isEnd {
        reply.receipt = .ends(workspace.id, [message.seq] + read.ends)
      }
      workspace.tasks.send(reply, notifyingOf: isOwn && isGiven ? read.dead : [], now: now)
    }
  }

  /// Answers with a caller's message in the platform's form of a queue item.
  package func queueItem(
    _ call: CallID, _ id: MessageID, at owner: WorkspaceID, caller: Identity, isGiven: Bool,
    now: Now
  ) {
    do throws(RelayError) {
      guard let (workspace, message) = try pool.locate(id, now: now) else {
        let error = try pool.missing(id, for: caller, now: now)
        guard error == .answerGone, directory.workspaces(short: id.workspace).contains(owner)
        else { return replies.send(Reply(call: call, .noQueueItem)) }
        return replies.send(Reply(call: call, .queueItemGone))
      }
      guard workspace.id == owner,
        caller.isCaller(message.caller) || caller == .admin
      else { return replies.send(Reply(call: call, .noQueueItem)) }
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
      let handOuts = try workspace.reading { () throws(StoreError) in
        try workspace.file.timeline(message.seq).handOuts.map(\.row)
      }
      var item = QueueItem(
        id: id, workspace: owner, message: message,
        current: workspace.queue.message(message.seq)?.state,
        attempts: max(message.attempt, handOuts.last?.attempt ?? 0),
        dispatchedAt: handOuts.first?.at)
      var ends: [Seq] = []
      var dead: [StoredMessage] = []
      if message.state.isEnd, let task = try workspace.storedTask(message.task) {
        var read = try workspace.tasks.taskView(task)
        try replies.checkMemory(payer, for: read.view)
        read.view.hasTopLevelParts = true
        item.response = read.view
        ends = read.ends
        dead = read.dead
      }
      var reply = Reply(call: call, .queueItem(item))
      reply.payer = payer
      if isGiven, caller.isCaller(message.caller), message.state.isEnd {
        reply.receipt = .ends(workspace.id, [message.seq] + ends)
      } else {
        dead = []
      }
      workspace.tasks.send(reply, notifyingOf: dead, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }
}
