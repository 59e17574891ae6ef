import Relay
import Store
import Wire

/// Carries out calls with an `Idempotency-Key`. While the key's window is open, the key means one
/// message, whatever has happened to the message.
extension WorkspaceCallers {
  /// Answers a call whose key is known. Returns false if the key is new, or free again.
  func answer(_ request: CallerRequest, _ key: KeyedCall, now: Now) -> Bool {
    if let storing = workspace.waiting.keys[key.key], let message = queue.message(storing.seq),
      message.caller == request.callerText
    {
      if isCall(request, of: storing.seq, storing.call) {
        attach(request, to: message, now: now)
      } else {
        // Until the message is durable nobody may see that it exists; if it is refused, the key is
        // free again.
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
      // The message was withdrawn before any agent saw it, and its caller was answered that it can
      // try again.
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

  /// Returns whether the key stands for a message or for the tombstone of one.
  func isKnown(
    _ key: KeyedCall, _ request: CallerRequest, now: Now
  ) throws(RelayError) -> Bool {
    if workspace.waiting.keys[key.key] != nil { return true }
    return try keptMessage(of: key, request, now: now) != nil
  }

  /// Returns the message of a key whose window is open; nil in its place if the message was
  /// deleted. Keys are compared with their caller, so that another caller's key never matches.
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

  /// Sends the answer of an ended message that somebody has received once more, with the id and in
  /// the dialect of this call.
  private func answerAgain(
    _ request: CallerRequest, _ message: StoredMessage, now: Now
  ) throws(RelayError) {
    // Retention deletes the message that opened the task first.
    guard try workspace.storedTask(message.task) != nil else { throw .answerGone }
    let id = MessageID(workspace: workspace.id.short, seq: message.seq, tag: message.tag)
    let waiter = Waiter(
      addressee: request.addressee, message: id, deadline: now.instant, isImmediate: true)
    workspace.tasks.answerTask(waiter, message.seq, now: now)
  }

  /// Notes the key of a new message, until the file can be searched for it.
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
