import Relay
import Store
import Wire

/// Carries out the requests of a workspace's agents: polls, and operations on messages.
struct WorkspaceAgents: WorkspacePart {
  let workspace: Workspace

  // MARK: polls

  /// Answers an agent's poll with messages, or parks the poll.
  func poll(_ poll: Poll, mayGet: Bool, now: Now) throws(RelayError) {
    if process.isShuttingDown { return answerEmpty(poll.id) }
    if mayGet, disk.isForDeletionOnly([], workspace.writer) { throw .diskFull }
    guard queue.parkedCount < limits.parkedPollsMax else { throw .pollsFull }
    workspace.consumers.called(poll.consumer, limits, now: now)
    workspace.openCalls[poll.id] = .workspaceUnavailable
    queue.poll(poll, now: now, isGone: replies.isPeerGone)
    workspace.carryOut(now: now)
  }

  /// Ends a poll whose connection has ended without a response, or whose token was revoked.
  func pollGone(_ poll: PollID, now: Now) {
    workspace.openCalls[poll] = nil
    queue.pollGone(poll, now: now)
    workspace.carryOut(now: now)
  }

  /// Notes whether the peer's TCP has acknowledged the messages of a poll.
  ///
  /// - `received`: false if the acknowledgement will never come.
  func delivered(_ poll: PollID, _ seqs: [Seq], received: Bool, now: Now) {
    workspace.touch()
    queue.handOutDelivered(poll, seqs: seqs, received: received, now: now)
    workspace.carryOut(now: now)
  }

  /// Puts messages that were not sent back into the queue; no attempt counts.
  func withheld(_ messages: [HandOut], from poll: PollID, now: Now) {
    guard workspace.failure == nil else { return }
    workspace.touch()
    queue.handOutWithheld(poll, seqs: messages.map(\.seq), now: now)
    workspace.carryOut(now: now)
  }

  /// Answers the parked polls of a removed workspace.
  func refusePolls(_ error: RelayError, _ facts: ErrorFacts, now: Now) {
    for poll in queue.abandonPolls(now: now) {
      workspace.openCalls[poll] = nil
      replies.send(Reply(call: poll, error: error, facts: facts))
    }
  }

  /// Returns whether the poll's consumer has made no call for any of these messages.
  func isUntouched(_ poll: PollID, _ seqs: [Seq]) -> Bool {
    seqs.contains {
      let handOut = queue.message($0)?.handOut
      return handOut?.poll == poll && handOut?.isTouched == false
    }
  }

  /// Stretches the leases of polls without `confirm`. The reply leaves when the new ends are
  /// committed. If the disk is full, the heartbeat still counts as a sign of life.
  func heartbeat(_ reply: Reply, now: Now) {
    workspace.touch()
    queue.heartbeat(now: now) { consumer, since in
      workspace.consumers.hasCalled(consumer, since: since)
    }
    workspace.carryOut(now: now)
    if workspace.transaction.batch.isEmpty {
      replies.send(reply)
    } else {
      workspace.transaction.replyAfterCommit(reply)
    }
  }

  // MARK: calls about one message

  /// Carries out a call about a message. Throws `notFound` if the workspace never had it.
  func call(_ agent: AgentCall, now: Now) throws(RelayError) {
    do throws(RelayError) { try applyOrAnswer(agent, now: now) } catch {
      workspace.openCalls[agent.call] = nil
      throw error
    }
  }

  private func applyOrAnswer(_ agent: AgentCall, now: Now) throws(RelayError) {
    let seq = agent.message.seq
    guard agent.message.workspace == workspace.id.short else { throw .notFound }
    guard let message = queue.message(seq) else { return try answerFromFile(agent) }
    guard message.tag == agent.message.tag, message.state != .storing else { throw .notFound }
    if let consumer = message.handOut?.consumer {
      workspace.consumers.called(consumer, limits, now: now)
    }
    workspace.openCalls[agent.call] = .outcomeUnknown
    try apply(agent, seq, now: now)
    workspace.carryOut(now: now)
  }

  private func apply(
    _ agent: AgentCall, _ seq: Seq, now: Now
  ) throws(RelayError) {
    switch agent.verb {
    case .claim: queue.claim(agent.call, seq, agent.fence, now: now)
    case .extend(let length):
      queue.extend(agent.call, seq, agent.fence, length: length, now: now)
    case .release(let delay, let reason):
      queue.release(agent.call, seq, agent.fence, delay: delay, reason: reason, now: now)
    case .result(let body, let state):
      var result = AgentResultCall(
        call: agent.call, fence: agent.fence, hash: workspace.digest.of(body), body: body,
        state: TaskState(state), unkeyedHash: workspace.unkeyedDigest(of: seq)?.of(body))
      if !queue.knows(agent.fence, of: seq) {
        result.isKnownFence = try isHandOut(agent.fence, of: seq)
      }
      queue.resultBytesMax = disk.roomForResult(
        body.count, workspace.writer, &workspace.care.lowDiskUse)
      queue.result(result, seq, now: now)
    }
  }

  private func isHandOut(_ fence: Fence, of seq: Seq) throws(RelayError) -> Bool {
    try workspace.reading { () throws(StoreError) in
      try workspace.file.timeline(seq).handOuts.contains { $0.row.fence == fence }
    }
  }

  /// Answers a call about a message that has left memory: it is answered or ended, and its caller
  /// has the reply.
  private func answerFromFile(_ agent: AgentCall) throws(RelayError) {
    guard let stored = try workspace.storedMessage(agent.message.seq) else {
      guard try workspace.isDeleted(agent.message.seq) else { throw .notFound }
      let isPurged = try workspace.tombstone(agent.message)?.cause == .purge
      return workspace.read(
        Reply(call: agent.call, error: .closed, facts: .deleted(isPurged: isPurged)))
    }
    guard stored.tag == agent.message.tag else { throw .notFound }
    let reply: AgentReply
    if stored.state == .answered {
      if case .result(let body, _) = agent.verb, agent.fence == stored.answerFence,
        [workspace.digest.of(body), workspace.unkeyedDigest(of: stored.seq)?.of(body)]
          .contains(stored.answerHash)
      {
        reply = .duplicate
      } else {
        reply = agent.fence == stored.answerFence ? .alreadyAnswered : .answeredElsewhere
      }
    } else {
      reply = .closed(stored.reason ?? .expired)
    }
    workspace.read(agentReply(agent.call, reply, now: nil))
  }

  func answerAgent(
    _ call: CallID, _ reply: AgentReply, afterBarrier: Bool, now: Now
  ) {
    workspace.openCalls[call] = nil
    if let own = workspace.waiting.ownAnswers.take(call) {
      return workspace.callers.answer(own, reply, now: now)
    }
    let reply = agentReply(call, reply, now: now)
    if afterBarrier { workspace.transaction.replyAfterBarrier(reply) } else { replies.send(reply) }
  }

  private func agentReply(_ call: CallID, _ reply: AgentReply, now: Now?) -> Reply {
    switch reply {
    case .ok(let end):
      let left = now.map { (end - $0.instant).nanoseconds / 1_000_000_000 } ?? 0
      return Reply(call: call, .leased(seconds: left))
    case .released: return Reply(call: call, .released)
    case .accepted(let isLate):
      return Reply(call: call, .accepted(isLate: isLate))
    case .duplicate:
      return Reply(call: call, .duplicate)
    case .leaseLost: return Reply(call: call, error: .leaseLost)
    case .alreadyAnswered: return Reply(call: call, error: .alreadyAnswered)
    case .answeredElsewhere: return Reply(call: call, error: .answeredElsewhere)
    case .closed(let reason):
      return Reply(call: call, error: .closed, facts: .ended(reason))
    case .unavailable: return Reply(call: call, error: .notStored)
    case .noRoom: return Reply(call: call, error: .resultsFull)
    }
  }
}
