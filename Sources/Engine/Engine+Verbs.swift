package import Relay
import Store
import System
import Wire

/// Operators' verbs on one message: each is answered when it is durable.
extension Engine {
  package func cancel(
    _ operation: Operation, _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: workspace, .messageCancel, now: now) { desk, _, now in
      desk.queue.close(
        operation.call, id.seq, .cancelledByOperator, note: Self.note(operation.actor), now: now)
    }
  }

  package func redrive(
    _ operation: Operation, _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: workspace, .messageRedrive, now: now) {
      [unowned self] desk, message, now in
      guard takeUp(message, desk, now: now) else {
        guard let running = operations.removeValue(forKey: operation.call) else { return }
        return fail(running, .queueFull, now: now)
      }
      desk.queue.redrive(operation.call, id.seq, note: Self.note(operation.actor), now: now)
    }
  }

  package func replay(
    _ operation: Operation, _ id: MessageID, at workspace: WorkspaceID, now: Now
  ) {
    begin(operation, id, at: workspace, .messageReplay, now: now) {
      [unowned self] desk, _, now in
      guard let running = operations[operation.call] else { return }
      replay(running, desk, now: now)
    }
  }

  /// A dead message that nobody was told of goes to the queue again, if that has let go of it and
  /// has room; `false`: it has none.
  func takeUp(_ stored: StoredMessage, _ desk: Desk, now: Now) -> Bool {
    guard desk.queue.message(stored.seq) == nil, stored.state == .dead, !stored.isTold,
      !desk.telling.contains(stored.seq)
    else { return true }
    guard desk.queue.refusal(caller: nil, bytes: stored.bytes, opensTask: false) == nil
    else { return false }
    desk.queue.takeUp(dead: stored, now: now)
    return true
  }

  /// The line in the audit, and then the verb, on the message as it is by then.
  private func begin(
    _ operation: Operation, _ id: MessageID, at workspace: WorkspaceID, _ action: AuditAction,
    now: Now, _ body: @escaping (Desk, StoredMessage, Now) -> Void
  ) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      _ = try operand(id, at: workspace, now: now)
      let running = RunningOperation(
        operation: operation, workspace: workspace, message: id, action: action)
      audit(
        AuditEntry(at: now.wall, actor: operation.actor, action: action, target: running.target),
        before: { engine, now in engine.carryOut(running, now: now, body) }, of: operation.call)
    }
  }

  private func carryOut(
    _ running: RunningOperation, now: Now, _ body: @escaping (Desk, StoredMessage, Now) -> Void
  ) {
    let call = running.operation.call
    withFile(
      call, now: now,
      refused: { [unowned self] error, now in fail(running, error, now: now) },
      { [unowned self] now throws(RelayError) in
        let (desk, message) = try operand(running.message, at: running.workspace, now: now)
        desk.open[call] = .outcomeUnknown
        operations[call] = running
        body(desk, message, now)
        carryOut(desk, now: now)
      })
  }

  func answerClose(_ call: CallID, _ outcome: CancelReply, _ desk: Desk, now: Now) {
    guard let running = operations.removeValue(forKey: call) else { return }
    switch outcome {
    case .cancelled:
      let id = JSON.string(running.message.text)
      done(running, "cancelled", ["status": "cancelled", "id": id])
    case .notCancelable: fail(running, .messageEnded, now: now)
    case .unavailable: fail(running, .notStored, now: now)
    }
  }

  func answerRedrive(_ call: CallID, _ outcome: RedriveReply, _ desk: Desk, now: Now) {
    guard let running = operations[call] else { return }
    switch outcome {
    case .redriven:
      operations[call] = nil
      let id = JSON.string(running.message.text)
      done(running, "redriven", ["status": "redriven", "id": id])
    case .notDead:
      operations[call] = nil
      fail(running, .notDead, now: now)
    case .unavailable:
      operations[call] = nil
      fail(running, .notStored, now: now)
    // Nobody who was told that it is dead hears of it again: its work is done by another.
    case .told: replay(running, desk, now: now, isRedrive: true)
    }
  }

  private func replay(
    _ running: RunningOperation, _ desk: Desk, now: Now, isRedrive: Bool = false
  ) {
    do throws(RelayError) {
      guard let stored = try storedMessage(running.message.seq, desk) else { throw .notFound }
      if isRedrive, stored.state != .dead { throw .notDead }
      let copy = try replay(stored, actor: running.operation.actor, desk, now: now)
      desk.replays[copy.seq] = running.operation.call
    } catch {
      operations[running.operation.call] = nil
      fail(running, error, now: now)
    }
  }

  func replayStored(_ seq: Seq, _ desk: Desk) {
    guard let call = desk.replays.removeValue(forKey: seq),
      let running = operations.removeValue(forKey: call), let message = desk.queue.message(seq)
    else { return }
    let copy = desk.messageID(message).text
    done(
      running, "replayed",
      [
        "status": "replayed", "id": .string(copy), "replay_of": .string(running.message.text),
        "credentials": "removed",
      ])
  }

  func replayRefused(_ seq: Seq, _ desk: Desk, now: Now) {
    guard let call = desk.replays.removeValue(forKey: seq),
      let running = operations.removeValue(forKey: call)
    else { return }
    fail(running, isDiskLow ? .diskFull : .notStored, now: now)
  }
}

extension Engine {
  /// A new message with the same request and a task of its own. Nobody waits for its answer, and no
  /// caller may ask for it; what its caller had shown the agent beside the request was never kept.
  func replay(
    _ stored: StoredMessage, actor: String, _ desk: Desk, now: Now
  ) throws(RelayError) -> MessageID {
    if let message = desk.queue.message(stored.seq), !message.state.isEnd { throw .notEnded }
    guard stored.state.isEnd else { throw .notEnded }
    if isShuttingDown { throw .notStored }
    if !hasRoomForSend(stored.bytes, desk) { throw .diskFull }
    if desk.file.walPages > limits.walPagesMax { throw .logFull }
    if let refusal = desk.queue.refusal(caller: nil, bytes: stored.bytes, opensTask: true) {
      throw refusal.error
    }
    let content = try reading(desk) { () throws(StoreError) in try desk.file.body(stored.seq) }
    guard let (head, body) = content else { throw .workspaceUnavailable }
    let seq = desk.queue.nextSeq()
    let tag = random.next() & 0xFFFF_FFFF_FFFF
    let copy = MessageID(workspace: desk.id.short, seq: seq, tag: tag)
    let original = MessageID(workspace: desk.id.short, seq: stored.seq, tag: stored.tag)
    let replay = NewMessage.Replay(
      of: stored.seq, id: original.bytes,
      notes: (
        original: Self.note(actor, [("replayed_as", .string(copy.text))]),
        own: Self.note(actor, [("replay_of", .string(original.text))])
      ))
    desk.queue.arrive(
      NewMessage(
        seq: seq, tag: tag, at: now.wall, expires: now.wall + limits.timeToLive,
        caller: Self.replayCaller, method: stored.method, dialect: stored.dialect, task: seq,
        context: stored.context, messageID: stored.messageID,
        // Equal to no call.
        dedup: UUIDBytes(high: random.next(), low: random.next()), rpcID: stored.rpcID, head: head,
        body: body, isImmediate: true, replay: replay), now: now)
    return copy
  }

  /// No credential has this name.
  static let replayCaller = "operator"
}
