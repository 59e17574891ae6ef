package import Relay
import Store
package import Wire

/// What an agent does with an entry.
package enum AgentVerb: Sendable {
  case claim
  case extend(Duration?)
  case release(delay: Duration?, reason: String)
  /// The body as posted, and the state that it gives the task.
  case result(body: [UInt8], state: A2AState)
}

/// One call of an agent about one message.
package struct AgentCall: Sendable {
  package var call: CallID
  package var workspace: WorkspaceID
  package var message: MessageID
  package var fence: Fence
  package var verb: AgentVerb

  package init(
    call: CallID, workspace: WorkspaceID, message: MessageID, fence: Fence, verb: AgentVerb
  ) {
    self.call = call
    self.workspace = workspace
    self.message = message
    self.fence = fence
    self.verb = verb
  }
}

/// The text form of a fence, as agents carry it.
package enum LeaseToken {
  package static func text(_ fence: Fence) -> String { "L" + String(fence.number, radix: 16) }

  package static func read(_ text: String) -> Fence? {
    guard text.hasPrefix("L"), let number = Int64(text.dropFirst(), radix: 16), number > 0
    else { return nil }
    return Fence(number: number)
  }
}

extension Engine {
  /// An agent asks for entries.
  package func poll(_ poll: Poll, at id: WorkspaceID, now: Now) {
    withFile(poll.id, now: now) { [unowned self] now throws(RelayError) in
      // What is handed out has to be read; a poll that can only wait needs no file.
      let mayGet = desks[id].map { $0.queue.unanswered > 0 } ?? true
      let desk = try self.desk(id, needsFile: mayGet, now: now)
      if isShuttingDown { return answerEmpty(poll.id, desk) }
      if mayGet, isForDeletionOnly(desk, []) { throw .diskFull }
      guard desk.queue.parkedCount < limits.parkedPollsMax else { throw .pollsFull }
      desk.consumers.called(poll.consumer, limits, now: now)
      desk.open[poll.id] = .workspaceUnavailable
      desk.queue.poll(poll, now: now, isGone: isPollGone)
      carryOut(desk, now: now)
    }
  }

  /// A poll's connection has ended without an answer.
  package func pollGone(_ poll: PollID, at id: WorkspaceID, now: Now) {
    // Handed out, and kept back for the other parts.
    if let entries = replies.endBatch(poll) {
      delivered(entries.receipt, received: false, now: now)
    }
    fileWaiters.remove(poll)
    guard let desk = desks[id], desk.failure == nil else { return }
    desk.open[poll] = nil
    desk.queue.pollGone(poll, now: now)
    touch(desk)
    carryOut(desk, now: now)
  }

  /// The token that a poll was parked with counts no more. Of a batch it is the poll's part that
  /// says so: its calls were applied before.
  package func pollRefused(_ poll: PollID, at id: WorkspaceID, now: Now) {
    if let desk = desks[id], desk.failure == nil {
      desk.open[poll] = nil
      desk.queue.pollGone(poll, now: now)
      touch(desk)
      carryOut(desk, now: now)
    }
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
      if received { self.received(.init(tasks: tasks, ends: ends), at: id, now: now) }
    case .ends(let id, let seqs):
      if received { self.received(.init(tasks: [], ends: seqs), at: id, now: now) }
    case .handOut(let id, let poll, let seqs):
      guard let desk = desks[id], desk.failure == nil else { return }
      touch(desk)
      desk.queue.handOutDelivered(poll, seqs: seqs, received: received, now: now)
      carryOut(desk, now: now)
    }
  }

  func withheld(_ entries: [HandOut], from poll: PollID, at id: WorkspaceID, now: Now) {
    guard let desk = desks[id], desk.failure == nil else { return }
    touch(desk)
    desk.queue.handOutWithheld(poll, seqs: entries.map(\.seq), now: now)
    carryOut(desk, now: now)
  }

  /// Whether the consumer of a poll has made no call for one of its entries.
  package func isUntouched(_ poll: PollID, _ seqs: [Seq], at id: WorkspaceID) -> Bool {
    guard let desk = desks[id], desk.failure == nil else { return false }
    return seqs.contains {
      let handOut = desk.queue.message($0)?.handOut
      return handOut?.poll == poll && handOut?.isTouched == false
    }
  }

  package func agentCall(_ agent: AgentCall, now: Now) {
    let bytes = if case .result(let body, _) = agent.verb { body.count } else { 0 }
    withFile(agent.call, bytes: bytes, now: now) { [unowned self] now throws(RelayError) in
      do throws(RelayError) { try applyOrAnswer(agent, now: now) } catch {
        desks[agent.workspace]?.open[agent.call] = nil
        throw error
      }
    }
  }

  private func applyOrAnswer(_ agent: AgentCall, now: Now) throws(RelayError) {
    let desk = try self.desk(agent.workspace, now: now)
    let seq = agent.message.seq
    guard agent.message.workspace == desk.id.short else { throw .notFound }
    guard let message = desk.queue.message(seq) else { return try answerFromFile(agent, desk) }
    guard message.tag == agent.message.tag, message.state != .storing else { throw .notFound }
    if let consumer = message.handOut?.consumer {
      desk.consumers.called(consumer, limits, now: now)
    }
    desk.open[agent.call] = .outcomeUnknown
    try apply(agent, desk, seq, now: now)
    carryOut(desk, now: now)
  }

  private func apply(
    _ agent: AgentCall, _ desk: Desk, _ seq: Seq, now: Now
  ) throws(RelayError) {
    switch agent.verb {
    case .claim: desk.queue.claim(agent.call, seq, agent.fence, now: now)
    case .extend(let length):
      desk.queue.extend(agent.call, seq, agent.fence, length: length, now: now)
    case .release(let delay, let reason):
      desk.queue.release(agent.call, seq, agent.fence, delay: delay, reason: reason, now: now)
    case .result(let body, let state):
      var result = AgentResultCall(
        call: agent.call, fence: agent.fence, hash: desk.digest.of(body), body: body,
        state: TaskState(state), unkeyedHash: desk.unkeyedDigest(of: seq)?.of(body))
      if !desk.queue.knows(agent.fence, of: seq) {
        result.isKnownFence = try isHandOut(agent.fence, of: seq, desk)
      }
      desk.queue.resultBytesMax = roomForResult(desk, bytes: body.count)
      desk.queue.result(result, seq, now: now)
    }
  }

  private func isHandOut(_ fence: Fence, of seq: Seq, _ desk: Desk) throws(RelayError) -> Bool {
    try reading(desk) { () throws(StoreError) in
      try desk.file.timeline(seq).handOuts.contains { $0.row.fence == fence }
    }
  }

  /// The message has left memory: answered or ended, and the caller has its reply.
  private func answerFromFile(_ agent: AgentCall, _ desk: Desk) throws(RelayError) {
    guard let stored = try storedMessage(agent.message.seq, desk) else {
      guard try isDeleted(agent.message.seq, desk) else { throw .notFound }
      let isPurged = try tombstone(agent.message, desk)?.cause == .purge
      let members: [(String, JSON)] = [
        ("cancelled", .bool(isPurged)), ("reason", isPurged ? "purged" : "deleted"),
      ]
      return read(Reply(call: agent.call, error: .closed, members: members), desk)
    }
    guard stored.tag == agent.message.tag else { throw .notFound }
    let reply: AgentReply
    if stored.state == .answered {
      if case .result(let body, _) = agent.verb, agent.fence == stored.answerFence,
        [desk.digest.of(body), desk.unkeyedDigest(of: stored.seq)?.of(body)]
          .contains(stored.answerHash)
      {
        reply = .duplicate
      } else {
        reply = agent.fence == stored.answerFence ? .alreadyAnswered : .answeredElsewhere
      }
    } else {
      reply = .closed(stored.reason ?? .expired)
    }
    read(agentReply(agent.call, reply, now: nil), desk)
  }

  func answerAgent(
    _ call: CallID, _ reply: AgentReply, afterBarrier: Bool, _ desk: Desk, now: Now
  ) {
    desk.open[call] = nil
    if let own = desk.ownAnswers.take(call) { return tell(own, reply, desk, now: now) }
    let reply = agentReply(call, reply, now: now)
    if afterBarrier { desk.transaction.replyAfterBarrier(reply) } else { replies.send(reply) }
  }

  private func agentReply(_ call: CallID, _ reply: AgentReply, now: Now?) -> Reply {
    switch reply {
    case .ok(let end):
      let left = now.map { (end - $0.instant).nanoseconds / 1_000_000_000 } ?? 0
      return Reply(
        call: call, body: Array("{\"status\":\"leased\",\"expires_in\":\(left)}".utf8))
    case .released: return Reply(call: call, body: Array("{\"status\":\"released\"}".utf8))
    case .accepted(let isLate):
      let text = isLate ? "{\"status\":\"accepted\",\"late\":true}" : "{\"status\":\"accepted\"}"
      return Reply(call: call, body: Array(text.utf8))
    case .duplicate:
      return Reply(call: call, body: Array("{\"status\":\"accepted\",\"duplicate\":true}".utf8))
    case .leaseLost: return Reply(call: call, error: .leaseLost)
    case .alreadyAnswered: return Reply(call: call, error: .alreadyAnswered)
    case .answeredElsewhere: return Reply(call: call, error: .answeredElsewhere)
    case .closed(let reason):
      return Reply(
        call: call, error: .closed,
        members: [
          ("cancelled", .bool(Self.isCancel(reason))), ("reason", .string(reason.name)),
        ])
    case .unavailable: return Reply(call: call, error: .notStored)
    case .noRoom: return Reply(call: call, error: .resultsFull)
    }
  }

  private static func isCancel(_ reason: EndReason) -> Bool {
    switch reason {
    case .cancelledByCaller, .cancelledByOperator, .withdrawn, .taskEnded, .purged,
      .workspaceRemoved:
      true
    case .attemptsUsedUp, .expired: false
    }
  }

  /// Any authenticated call of the agent; `isHeartbeat`: one that says nothing else.
  package func signOfLife(_ id: WorkspaceID, now: Now) {
    registry.seen(id, now: now)
  }

  /// A heartbeat stretches the leases of polls without `confirm`. It is answered when that is
  /// committed; a full disk does not keep it from being a sign of life.
  package func heartbeat(_ id: WorkspaceID, _ reply: Reply, now: Now) {
    guard let desk = desks[id], desk.failure == nil else { return replies.send(reply) }
    touch(desk)
    desk.queue.heartbeat(now: now) { consumer, since in
      desk.consumers.hasCalled(consumer, since: since)
    }
    carryOut(desk, now: now)
    if desk.transaction.batch.isEmpty {
      replies.send(reply)
    } else {
      desk.transaction.replyAfterCommit(reply)
    }
  }
}

extension EndReason {
  package var name: String {
    switch self {
    case .attemptsUsedUp: "dead"
    case .expired: "expired"
    case .cancelledByCaller: "cancelled"
    case .cancelledByOperator: "cancelled_by_operator"
    case .withdrawn: "withdrawn"
    case .taskEnded: "task_ended"
    case .purged: "purged"
    case .workspaceRemoved: "workspace_removed"
    }
  }
}
