package import Relay

/// The requests of agents, for any workspace.
package struct Agents: UsesServices {
  unowned let pool: WorkspacePool

  var services: Services { pool.services }

  /// Answers an agent's poll when there are messages, or when the poll's wait is over.
  package func poll(_ poll: Poll, at id: WorkspaceID, now: Now) {
    pool.withFile(poll.id, now: now) { now throws(RelayError) in
      // A delivery reads the message from the file. A poll that can only wait needs no file.
      let mayGet = pool[id].map { $0.queue.unanswered > 0 } ?? true
      try pool.workspace(id, needsFile: mayGet, now: now)
        .agents.poll(poll, mayGet: mayGet, now: now)
    }
  }

  /// Ends a poll whose connection has ended without a response.
  package func pollGone(_ poll: PollID, at id: WorkspaceID, now: Now) {
    // The batch still holds the poll's deliveries, which were never sent: they go back.
    if let messages = replies.endBatch(poll) {
      delivered(messages.receipt, received: false, now: now)
    }
    pool.fileWaiters.remove(poll)
    pool.usable(id)?.agents.pollGone(poll, now: now)
  }

  /// Answers a parked poll whose token has been revoked. Of a batch, only the poll's part gets the
  /// error: the batch's other calls were applied before.
  package func pollRefused(_ poll: PollID, at id: WorkspaceID, now: Now) {
    pool.usable(id)?.agents.pollGone(poll, now: now)
    // A pending removal may still be refused.
    replies.send(
      Reply(call: poll, error: directory.isThere(id) ? .unauthorized : .notStored))
  }

  /// Notes whether the peer's TCP has acknowledged a reply.
  ///
  /// - `received`: false if the acknowledgement will never come.
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

  /// Returns whether the poll's consumer has made no call for any of these messages.
  package func isUntouched(_ poll: PollID, _ seqs: [Seq], at id: WorkspaceID) -> Bool {
    pool.usable(id)?.agents.isUntouched(poll, seqs) ?? false
  }

  /// Carries out a call about one message. The reply leaves when the call is durable or refused.
  package func call(_ agent: AgentCall, now: Now) {
    let bytes = if case .result(let body, _) = agent.verb { body.count } else { 0 }
    pool.withFile(agent.call, bytes: bytes, now: now) { now throws(RelayError) in
      try pool.workspace(agent.workspace, now: now).agents.call(agent, now: now)
    }
  }

  /// Applies the calls of a batch in order. The reply leaves when all calls are durable and the
  /// batch's poll, which has the batch's id, has its reply.
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

  /// Notes an authenticated request of a workspace's agent.
  package func signOfLife(_ id: WorkspaceID, now: Now) { registry.seen(id, now: now) }

  /// Stretches the agent's leases for a heartbeat. `reply` leaves when the new ends are committed.
  package func heartbeat(_ id: WorkspaceID, _ reply: Reply, now: Now) {
    guard let workspace = pool.usable(id) else { return replies.send(reply) }
    workspace.agents.heartbeat(reply, now: now)
  }
}

/// The error of a batch's part that could not be parsed.
package struct BatchFault: Error, Sendable {
  package var error: RelayError
  package var detail: String?

  package init(_ error: RelayError, _ detail: String? = nil) {
    self.error = error
    self.detail = detail
  }
}
