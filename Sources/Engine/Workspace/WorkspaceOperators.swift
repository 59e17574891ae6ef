import Relay
import Store
import System
import Wire

/// Carries out operators' requests about one message: to cancel, redrive or replay it.
struct WorkspaceOperators: WorkspacePart {
  let workspace: Workspace

  /// Puts a dead message whose caller was not notified into the queue again. Does nothing if the
  /// queue still has it. Returns false if the queue has no room.
  func takeUp(_ stored: StoredMessage, now: Now) -> Bool {
    guard queue.message(stored.seq) == nil, stored.state == .dead, !stored.isTold,
      !workspace.waiting.notifying.contains(stored.seq)
    else { return true }
    guard queue.refusal(caller: nil, bytes: stored.bytes, opensTask: false) == nil
    else { return false }
    queue.takeUp(dead: stored, now: now)
    return true
  }

  func answerClose(_ call: CallID, _ outcome: CancelReply, now: Now) {
    guard let running = workspace.jobState.operations.removeValue(forKey: call) else { return }
    switch outcome {
    case .cancelled:
      pool.operators.done(running, "cancelled", .cancelled(running.message))
    case .notCancelable: pool.operators.fail(running, .messageEnded, now: now)
    case .unavailable: pool.operators.fail(running, .notStored, now: now)
    }
  }

  func answerRedrive(_ call: CallID, _ outcome: RedriveReply, now: Now) {
    guard let running = workspace.jobState.operations[call] else { return }
    switch outcome {
    case .redriven:
      workspace.jobState.operations[call] = nil
      pool.operators.done(running, "redriven", .redriven(running.message))
    case .notDead:
      workspace.jobState.operations[call] = nil
      pool.operators.fail(running, .notDead, now: now)
    case .unavailable:
      workspace.jobState.operations[call] = nil
      pool.operators.fail(running, .notStored, now: now)
    // The notified caller does not hear of the message again: a replay does its work.
    case .told: replay(running, now: now, isRedrive: true)
    }
  }

  func replay(
    _ running: RunningOperation, now: Now, isRedrive: Bool = false
  ) {
    do throws(RelayError) {
      guard let stored = try workspace.storedMessage(running.message.seq) else { throw .notFound }
      if isRedrive, stored.state != .dead { throw .notDead }
      let copy = try replay(stored, actor: running.operation.actor, now: now)
      workspace.jobState.replays[copy.seq] = running.operation.call
    } catch {
      workspace.jobState.operations[running.operation.call] = nil
      pool.operators.fail(running, error, now: now)
    }
  }

  func replayStored(_ seq: Seq) {
    guard let call = workspace.jobState.replays.removeValue(forKey: seq),
      let running = workspace.jobState.operations.removeValue(forKey: call),
      let message = queue.message(seq)
    else { return }
    pool.operators.done(
      running, "replayed", .replayed(running.message, as: workspace.messageID(message)))
  }

  func replayRefused(_ seq: Seq, now: Now) {
    guard let call = workspace.jobState.replays.removeValue(forKey: seq),
      let running = workspace.jobState.operations.removeValue(forKey: call)
    else { return }
    pool.operators.fail(running, disk.isLow ? .diskFull : .notStored, now: now)
  }

  /// Stores a new message with the same request and a task of its own. Nobody waits for its answer,
  /// and no caller may ask for it. Credentials that its caller showed the agent were never stored.
  func replay(
    _ stored: StoredMessage, actor: String, now: Now
  ) throws(RelayError) -> MessageID {
    if let message = queue.message(stored.seq), !message.state.isEnd { throw .notEnded }
    guard stored.state.isEnd else { throw .notEnded }
    if process.isShuttingDown { throw .notStored }
    if !disk.hasRoomForSend(stored.bytes, workspace.writer) { throw .diskFull }
    if workspace.file.walPages > limits.walPagesMax { throw .logFull }
    if let refusal = queue.refusal(caller: nil, bytes: stored.bytes, opensTask: true) {
      throw refusal.error
    }
    let content = try workspace.reading { () throws(StoreError) in
      try workspace.file.body(stored.seq)
    }
    guard let (head, body) = content else { throw .workspaceUnavailable }
    let seq = queue.nextSeq()
    let tag = random.next() & 0xFFFF_FFFF_FFFF
    let copy = MessageID(workspace: workspace.id.short, seq: seq, tag: tag)
    let original = MessageID(workspace: workspace.id.short, seq: stored.seq, tag: stored.tag)
    let replay = NewMessage.Replay(
      of: stored.seq, id: original.bytes,
      notes: (
        original: OperatorNote.bytes(actor, [("replayed_as", copy.text)]),
        own: OperatorNote.bytes(actor, [("replay_of", original.text)])
      ))
    queue.arrive(
      NewMessage(
        seq: seq, tag: tag, at: now.wall, expires: now.wall + limits.timeToLive,
        caller: Self.replayCaller, method: stored.method, dialect: stored.dialect, task: seq,
        context: stored.context, messageID: stored.messageID,
        // The random digest is equal to no call's.
        dedup: UUIDBytes(high: random.next(), low: random.next()), rpcID: stored.rpcID, head: head,
        body: body, isImmediate: true, replay: replay), now: now)
    return copy
  }

  /// The caller's name in replays; no credential has this name.
  static let replayCaller = "operator"
}
