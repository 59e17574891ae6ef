package import Relay
import Store
import Wire

/// Calls with an `Idempotency-Key`: for as long as its window is open a key means one message,
/// whatever has become of it.
extension Engine {
  /// Answers a call that is refused before it reaches the queue.
  package func refuse(_ request: CallerRequest, _ error: RelayError, detail: String) {
    replies.send(request.addressee.reply(error, detail: detail))
  }

  /// Answers the call with what its key stands for. `false`: the key is new, or free again.
  func answer(_ request: CallerRequest, _ key: KeyedCall, _ desk: Desk, now: Now) -> Bool {
    if let storing = desk.pendingKeys[key.key], let message = desk.queue.message(storing.seq),
      message.caller == request.callerText
    {
      if desk.isCall(request, of: storing.seq, storing.call) {
        attach(request, to: message, desk, now: now)
      } else {
        // Nobody may see before it is durable that there is such a message; if it is refused, the
        // key is free again.
        desk.afterWrite[storing.seq, default: []].append { [unowned self] now in
          call(request, at: desk.id, now: now)
        }
      }
      return true
    }
    do throws(RelayError) {
      guard let found = try keptMessage(of: key, request, desk, now: now) else { return false }
      guard desk.isCall(request, of: found.seq, found.stored.call) else {
        throw .idempotencyConflict
      }
      guard let message = found.message else { throw .answerGone }
      // Withdrawn before any agent saw it, and its caller was told that it can try again.
      if message.reason == .withdrawn { return false }
      if let message = desk.queue.message(message.seq) {
        attach(request, to: message, desk, now: now)
      } else {
        try answerAgain(request, message, desk, now: now)
      }
    } catch {
      read(request.addressee.reply(error), desk)
    }
    return true
  }

  /// The key stands for a message, or for what is left of one.
  func isKnown(
    _ key: KeyedCall, _ request: CallerRequest, _ desk: Desk, now: Now
  ) throws(RelayError) -> Bool {
    if desk.pendingKeys[key.key] != nil { return true }
    return try keptMessage(of: key, request, desk, now: now) != nil
  }

  /// The message of a key whose window is open; without it if it has been deleted. Whatever the
  /// hashes say: a key of another caller is another key.
  private func keptMessage(
    of key: KeyedCall, _ request: CallerRequest, _ desk: Desk, now: Now
  ) throws(RelayError) -> (seq: Seq, stored: StoredKey, message: StoredMessage?)? {
    let found = try reading(desk) { () throws(StoreError) in try desk.file.key(key.key) }
    guard let (seq, stored) = found, stored.until > now.wall || isTimeDoubtful(now)
    else { return nil }
    let message = try storedMessage(seq, desk)
    let tombstone =
      message == nil
      ? try reading(desk) { () throws(StoreError) in try desk.file.tombstone(seq) } : nil
    guard (message?.caller ?? tombstone?.caller ?? request.callerText) == request.callerText
    else { return nil }
    return (seq, stored, message)
  }

  /// The answer of a message that has ended and that somebody has received, once more: with the id
  /// and in the dialect of this call.
  private func answerAgain(
    _ request: CallerRequest, _ message: StoredMessage, _ desk: Desk, now: Now
  ) throws(RelayError) {
    // What opened its task is deleted first.
    guard try storedTask(message.task, desk) != nil else { throw .answerGone }
    let id = MessageID(workspace: desk.id.short, seq: message.seq, tag: message.tag)
    let waiter = Waiter(
      addressee: request.addressee, message: id, deadline: now.instant, isImmediate: true)
    answerTask(waiter, message.seq, desk, now: now)
  }

  /// The key of a new message, until the file can be asked for it.
  func note(
    _ key: KeyedCall, _ request: CallerRequest, of seq: Seq, _ desk: Desk, now: Now
  ) -> StoredKey {
    let call = request.asKeyed(desk.digest)
    desk.pendingKeys.add(key.key, of: seq, call: call)
    let until = now.wall + limits.idempotencyWindow
    desk.retention.willExpire(at: until)
    return StoredKey(key: key.key, call: call, until: until)
  }
}
