package import Relay

/// The calls of agents, at any workspace.
package struct Agents: UsesServices {
  unowned let pool: WorkspacePool

  var services: Services { pool.services }

  /// An agent asks for messages. Answered when there are some, or when the poll's wait is over.
  package func poll(_ poll: Poll, at id: WorkspaceID, now: Now) {
    pool.withFile(poll.id, now: now) { now throws(RelayError) in
      // What is handed out has to be read; a poll that can only wait needs no file.
      let mayGet = pool[id].map { $0.queue.unanswered > 0 } ?? true
      try pool.workspace(id, needsFile: mayGet, now: now)
        .agents.poll(poll, mayGet: mayGet, now: now)
    }
  }

  /// A poll's connection has ended without an answer.
  package func pollGone(_ poll: PollID, at id: WorkspaceID, now: Now) {
    // Handed out, and kept back for the other parts of a batch.
    if let messages = replies.endBatch(poll) {
      delivered(messages.receipt, received: false, now: now)
    }
    pool.fileWaiters.remove(poll)
    pool.usable(id)?.agents.pollGone(poll, now: now)
  }

  /// The token that a poll was parked with counts no more. Of a batch it is the poll's part that
  /// says so: its calls were applied before.
  package func pollRefused(_ poll: PollID, at id: WorkspaceID, now: Now) {
    pool.usable(id)?.agents.pollGone(poll, now: now)
    // While a removal is on its way it may still fail.
    replies.send(
      Reply(call: poll, error: directory.isThere(id) ? .unauthorized : .notStored))
  }

  /// The peer's TCP has acknowledged a reply, or never will.
  package func delivered(_ receipt: Reply.Receipt, received: Bool, now: Now) {
    switch receipt {
    case .none: break
    case .message(let id, let seq, let ends):
      let tasks = ends.contains(seq) ? [] : [seq]
      if received { pool.received(.init(tasks: tasks, ends: ends), at: id, now: now) }
    case .ends(let id, let seqs):
      if received { pool.received(.init(tasks: [], ends: seqs), at: id, now: now) }
    case .handOut(let id, let poll, let seqs):
      pool.usable(id)?.agents.delivered(poll, seqs, received: received, now: now)
    }
  }

  /// Whether the consumer of a poll has made no call for one of its messages.
  package func isUntouched(_ poll: PollID, _ seqs: [Seq], at id: WorkspaceID) -> Bool {
    pool.usable(id)?.agents.isUntouched(poll, seqs) ?? false
  }

  /// A call about one message. Answered when it is durable, or refused.
  package func call(_ agent: AgentCall, now: Now) {
    let bytes = if case .result(let body, _) = agent.verb { body.count } else { 0 }
    pool.withFile(agent.call, bytes: bytes, now: now) { now throws(RelayError) in
      try pool.workspace(agent.workspace, now: now).agents.call(agent, now: now)
    }
  }

  /// Applies the calls in order. The reply comes when all of them are durable and the poll, whose
  /// id is the batch's, has its answer.
  package func batch(
    _ call: CallID, _ calls: [(CallID, Result<AgentCall, BatchFault>)], poll: Poll?,
    at id: WorkspaceID, now: Now
  ) {
    if calls.isEmpty, poll == nil {
      return replies.send(Reply(call: call, .batch(results: [], poll: nil)))
    }
    replies.beginBatch(call, calls.map(\.0), isPolling: poll != nil)
    for (part, item) in calls {
      switch item {
      case .success(let agent): self.call(agent, now: now)
      case .failure(let fault):
        replies.send(Reply(call: part, error: fault.error, detail: fault.detail))
      }
    }
    if let poll { self.poll(poll, at: id, now: now) }
  }

  /// Any authenticated call of a workspace's agent.
  package func signOfLife(_ id: WorkspaceID, now: Now) { registry.seen(id, now: now) }

  /// A heartbeat: `reply` leaves when the leases that it stretches are committed.
  package func heartbeat(_ id: WorkspaceID, _ reply: Reply, now: Now) {
    guard let workspace = pool.usable(id) else { return replies.send(reply) }
    workspace.agents.heartbeat(reply, now: now)
  }
}

/// A part of a batch that could not be understood.
package struct BatchFault: Error, Sendable {
  package var error: RelayError
  package var detail: String?

  package init(_ error: RelayError, _ detail: String? = nil) {
    self.error = error
    self.detail = detail
  }
}
