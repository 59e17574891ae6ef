import Relay

/// The calls that need a file while every open one is busy. Each call is tried again when a file
/// can be closed, which takes a barrier, and is refused after `fileWaitMax`.
final class FileWaiters {
  private struct Entry {
    var call: CallID
    /// The size of the call's body.
    var bytes: Int
    var until: Instant
    var again: (Now) -> Void
  }

  private let limits: Limits
  private var entries: [Entry] = []
  private var bytes = 0
  /// The end of the wait of the call that is being tried again.
  private var patience: Instant?

  init(_ limits: Limits) { self.limits = limits }

  var isEmpty: Bool { entries.isEmpty }

  var count: Int { entries.count }

  /// Returns when to try again, in case a file becomes idle without a barrier's report.
  func nextDue(now: Instant) -> Instant? {
    entries.first.map { min($0.until, now + limits.pendingRetry) }
  }

  /// Makes the call wait. Returns false if it must not: it has waited for too long, or there is no
  /// room for its body.
  func add(_ call: CallID, bytes: Int, now: Now, _ again: @escaping (Now) -> Void) -> Bool {
    let until = patience ?? now.instant + limits.fileWaitMax
    guard until > now.instant, bytes == 0 || self.bytes + bytes <= limits.roundBytesMax
    else { return false }
    let entry = Entry(call: call, bytes: bytes, until: until, again: again)
    // A call that was tried again stays the first.
    if patience == nil { entries.append(entry) } else { entries.insert(entry, at: 0) }
    self.bytes += bytes
    return true
  }

  /// Tries the calls again in order, until one has to go on waiting; the ones behind it then wait
  /// too.
  func serve(now: Now) {
    for _ in 0..<entries.count {
      let entry = entries.removeFirst()
      bytes -= entry.bytes
      patience = entry.until
      entry.again(now)
      patience = nil
      if entries.first?.call == entry.call { return }
    }
  }

  /// Tries each call once more; none of them may wait again.
  func refuseAll(now: Now) {
    let all = entries
    entries = []
    bytes = 0
    for entry in all {
      patience = Instant(nanoseconds: 0)
      entry.again(now)
    }
    patience = nil
  }

  /// Forgets a call whose peer has gone.
  func remove(_ call: CallID) {
    guard let index = entries.firstIndex(where: { $0.call == call }) else { return }
    bytes -= entries.remove(at: index).bytes
  }
}
