import Relay
import Store
import Wire

/// Calls with an `Idempotency-Key`: for as long as its window is open a key means one message,
/// whatever has become of it.
extension WorkspaceCallers {
  /// Answers the call with what its key stands for. `false`: the key is new, or free again.
  func answer(_ request: CallerRequest, _ key: KeyedCall, now: Now) -> Bool {
    if let storing = workspace.waiting.keys[key.key], let message = queue.message(storing.seq),
      message.caller == request.callerText
    {
      if isCall(request, of: storing.seq, storing.call) {
        attach(request, to: message, now: now)
      } else {
        // Nobody may see before it is durable that there is such a message; if it is refused, the
        // key is free again.
        workspace.waiting.afterWrite[storing.seq, default: []].append { now in
          pool.callers.call(request, at: workspace.id, now: now)
        }
      }
      return true
    }
    do throws(RelayError) {
      guard let found = try keptMessage(of: key, request, now: now) else { return false }
      guard isCall(request, of: found.seq, found.stored.call) else {
        throw .idempotencyConflict
      }
      guard let message = found.message else { throw .answerGone }
      // Withdrawn before any agent saw it, and its caller was told that it can try again.
      if message.reason == .withdrawn { return false }
      if let message = queue.message(message.seq) {
        attach(request, to: message, now: now)
      } else {
        try answerAgain(request, message, now: now)
      }
    } catch {
      workspace.read(request.addressee.reply(error))
    }
    return true
  }

  /// The key stands for a message, or for what is left of one.
  func isKnown(
    _ key: KeyedCall, _ request: CallerRequest, now: Now
  ) throws(RelayError) -> Bool {
    if workspace.waiting.keys[key.key] != nil { return true }
    return try keptMessage(of: key, request, now: now) != nil
  }

  /// The message of a key whose window is open; without it if it has been deleted. Whatever the
  /// hashes say: a key of another caller is another key.
  private func keptMessage(
    of key: KeyedCall, _ request: CallerRequest, now: Now
  ) throws(RelayError) -> (seq: Seq, stored: StoredKey, message: StoredMessage?)? {
    let found = try workspace.reading { () throws(StoreError) in try workspace.file.key(key.key) }
    guard let (seq, stored) = found, stored.until > now.wall || clocks.isDoubtful(now)
    else { return nil }
    let message = try workspace.storedMessage(seq)
    let tombstone =
      message == nil
      ? try workspace.reading { () throws(StoreError) in try workspace.file.tombstone(seq) } : nil
    guard (message?.caller ?? tombstone?.caller ?? request.callerText) == request.callerText
    else { return nil }
    return (seq, stored, message)
  }

  /// The answer of a message that has ended and that somebody has received, once more: with the id
  /// and in the dialect of this call.
  private func answerAgain(
    _ request: CallerRequest, _ message: StoredMessage, now: Now
  ) throws(RelayError) {
    // What opened its task is deleted first.
    guard try workspace.storedTask(message.task) != nil else { throw .answerGone }
    let id = MessageID(workspace: workspace.id.short, seq: message.seq, tag: message.tag)
    let waiter = Waiter(
      addressee: request.addressee, message: id, deadline: now.instant, isImmediate: true)
    workspace.tasks.answerTask(waiter, message.seq, now: now)
  }

  /// Notes the key of a new message, until the file can be asked for it.
  func note(
    _ key: KeyedCall, _ request: CallerRequest, of seq: Seq, now: Now
  ) -> StoredKey {
    let call = request.asKeyed(workspace.digest)
    workspace.waiting.keys.add(key.key, of: seq, call: call)
    let until = now.wall + limits.idempotencyWindow
    workspace.care.retention.willExpire(at: until)
    return StoredKey(key: key.key, call: call, until: until)
  }
}
