package import Relay
import Store
import System
import Wire

/// The requests of operators, for any workspace. Operations are answered when they are durable.
package struct Operators: UsesServices {
  unowned let pool: WorkspacePool

  var services: Services { pool.services }

  // MARK: operations on one message

  package func cancel(
    _ operation: Operation, _ id: MessageID, at owner: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: owner, .messageCancel, now: now) { workspace, _, now in
      workspace.queue.close(
        operation.call, id.seq, .cancelledByOperator, note: OperatorNote.bytes(operation.actor),
        now: now)
    }
  }

  package func redrive(
    _ operation: Operation, _ id: MessageID, at owner: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: owner, .messageRedrive, now: now) { workspace, message, now in
      guard workspace.operators.takeUp(message, now: now) else {
        let running = workspace.jobState.operations.removeValue(forKey: operation.call)
        if let running { fail(running, .queueFull, now: now) }
        return
      }
      workspace.queue.redrive(
        operation.call, id.seq, note: OperatorNote.bytes(operation.actor), now: now)
    }
  }

  package func replay(
    _ operation: Operation, _ id: MessageID, at owner: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: owner, .messageReplay, now: now) { workspace, _, now in
      guard let running = workspace.jobState.operations[operation.call] else { return }
      workspace.operators.replay(running, now: now)
    }
  }

  /// Writes the operation's line in the audit, and then carries it out on the message as it is at
  /// that time.
  private func begin(
    _ operation: Operation, _ id: MessageID, at owner: WorkspaceID, _ action: AuditAction,
    now: Now, _ body: @escaping (Workspace, StoredMessage, Now) -> Void
  ) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      _ = try pool.operand(id, at: owner, now: now)
      let running = RunningOperation(
        operation: operation, workspace: owner, message: id, action: action)
      registry.audit(
        AuditEntry(at: now.wall, actor: operation.actor, action: action, target: running.target),
        before: { now in carryOut(running, now: now, body) }, of: operation.call)
    }
  }

  private func carryOut(
    _ running: RunningOperation, now: Now,
    _ body: @escaping (Workspace, StoredMessage, Now) -> Void
  ) {
    let call = running.operation.call
    pool.withFile(
      call, now: now,
      refused: { error, now in fail(running, error, now: now) },
      { now throws(RelayError) in
        let (workspace, message) = try pool.operand(
          running.message, at: running.workspace, now: now)
        workspace.openCalls[call] = .outcomeUnknown
        workspace.jobState.operations[call] = running
        body(workspace, message, now)
        workspace.carryOut(now: now)
      })
  }

  /// Answers an operation that is durable. Its audit line was written before.
  func done(_ running: RunningOperation, _ verb: String, _ answer: ReplyContent) {
    log.info(
      "message_verb",
      [
        "verb": .text(verb), "workspace": .text(running.workspace.text),
        "message": .text(running.message.text),
        "actor": .text(running.operation.actor),
      ])
    pool[running.workspace]?.openCalls[running.operation.call] = nil
    replies.send(Reply(call: running.operation.call, answer))
  }

  /// Answers an operation that was not carried out.
  func fail(_ running: RunningOperation, _ error: RelayError, now: Now) {
    pool[running.workspace]?.openCalls[running.operation.call] = nil
    auditRefusal(running.operation.actor, running.action, running.target, error, now: now)
    replies.send(Reply(call: running.operation.call, error: error))
  }

  // MARK: operations on many messages

  /// Starts a job: counts the messages that match, one page in each turn, then stores the job and
  /// runs it.
  package func startJob(
    _ operation: Operation, _ request: JobRequest, at id: WorkspaceID, now: Now
  ) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      let workspace = try pool.workspace(id, now: now)
      var seqs: [Seq] = []
      var seen: Set<Seq> = []
      for id in request.ids {
        let seq = try pool.operand(id, at: workspace.id, now: now).1.seq
        if seen.insert(seq).inserted { seqs.append(seq) }
      }
      try workspace.jobs.start(operation, request, seqs: seqs)
    }
  }

  package func jobs(_ operation: Operation, at id: WorkspaceID, now: Now) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      try pool.workspace(id, now: now).jobs.list(operation)
    }
  }

  package func job(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      try pool.workspace(id, now: now).jobs.show(operation, job)
    }
  }

  /// Stops a job, and keeps what it has done. A job that has ended is shown unchanged.
  package func stopJob(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      let jobs = try pool.workspace(id, now: now).jobs
      guard jobs.isRunning(job) else { return try jobs.show(operation, job) }
      registry.audit(
        AuditEntry(
          at: now.wall, actor: operation.actor, action: .jobStop, target: .workspace(id),
          detail: "\(job)"),
        before: { now in stopNow(operation, job, at: id, now: now) }, of: operation.call)
    }
  }

  private func stopNow(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    pool.withFile(
      operation.call, now: now,
      refused: { error, now in
        auditRefusal(operation.actor, .jobStop, .workspace(id), error, now: now)
        replies.send(Reply(call: operation.call, error: error))
      },
      { now throws(RelayError) in
        try pool.workspace(id, now: now).jobs.stop(operation, job)
      })
  }

  // MARK: looking

  /// Answers with a page of messages. It looks at no more than `listRowsMax` rows, so a page may be
  /// short or empty; a page with `next` is not the last one.
  package func messages(
    _ operation: Operation, _ page: MessagePage, at id: WorkspaceID, now: Now
  ) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      try replies.checkMemory(operation.payer)
      try pool.workspace(id, now: now).operators.messages(operation, page)
    }
  }

  /// Answers with the whole timeline of a message.
  ///
  /// - `bodies`: the answer includes the bodies of request and result.
  package func timeline(
    _ call: CallID, _ id: MessageID, at owner: WorkspaceID, bodies: Bool = false,
    payer: BodyMemory.Payer = .nobody, now: Now
  ) {
    pool.withFile(call, now: now) { now throws(RelayError) in
      try replies.checkMemory(payer)
      guard let (workspace, message) = try pool.locate(id, now: now), workspace.id == owner else {
        guard let (workspace, tombstone) = try pool.tombstone(id, now: now), workspace.id == owner
        else { throw .notFound }
        return workspace.read(Reply(call: call, .tombstone(id, owner, tombstone)))
      }
      try workspace.operators.timeline(call, of: message, bodies: bodies, payer: payer)
    }
  }

  /// Answers with the queue's content and its ages, from memory, because many operators may ask at
  /// once.
  package func queueStatus(_ operation: Operation, at id: WorkspaceID, now: Now) {
    pool.withFile(operation.call, now: now) { now throws(RelayError) in
      let workspace = try pool.workspace(id, now: now)
      workspace.read(
        Reply(call: operation.call, .queueStatus(workspace.operators.queueStatus(now: now))))
      workspace.touch()
    }
  }

  /// Returns a workspace with its agent and its queue. Throws `notFound` if there is no such
  /// workspace.
  package func workspaceStatus(_ id: WorkspaceID, now: Now) throws(RelayError) -> WorkspaceStatus {
    guard let record = directory.workspace(id) else { throw .notFound }
    let workspace = pool[id]
    return WorkspaceStatus(
      record: record, isDeaf: isDeaf(record, now: now),
      counts: pool.knownDepth(record)?.counts, heldCallers: workspace?.waiting.count ?? 0,
      parkedPolls: workspace?.queue.parkedCount ?? 0,
      isPresent: workspace?.queue.isPresent(now: now) ?? false, isInMemory: workspace != nil)
  }

  /// Returns whether the agent polls the activity feed while nobody polls the inbox.
  private func isDeaf(_ record: WorkspaceRecord, now: Now) -> Bool {
    guard let polled = record.polledFeedAt, polled + limits.offlineAfter > now.wall
    else { return false }
    return pool[record.row.id]?.queue.isPresent(now: now) != true
  }
}

extension Tombstone.Cause {
  package var name: String {
    switch self {
    case .age: "retention"
    case .size: "retention_by_size"
    case .purge: "purged"
    }
  }
}
