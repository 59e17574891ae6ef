import Relay

/// Calls that need a file while every open one is busy. Each is carried out anew when a file can be
/// closed, which is a barrier away, and is refused after `fileWaitMax`.
final class FileWaiters {
  private struct Entry {
    var call: CallID
    /// Of the call's body.
    var bytes: Int
    var until: Instant
    var again: (Now) -> Void
  }

  private let limits: Limits
  private var entries: [Entry] = []
  private var bytes = 0
  /// Until when the call at work may wait, if it has waited before.
  private var patience: Instant?

  init(_ limits: Limits) { self.limits = limits }

  var isEmpty: Bool { entries.isEmpty }

  var count: Int { entries.count }

  /// A barrier's report is a turn anyway; a file that becomes idle without one is found by this.
  func nextDue(now: Instant) -> Instant? {
    entries.first.map { min($0.until, now + limits.pendingRetry) }
  }

  /// Has the call wait. Returns false if it may not: it has waited for long enough, or its body has
  /// no room beside the others.
  func add(_ call: CallID, bytes: Int, now: Now, _ again: @escaping (Now) -> Void) -> Bool {
    let until = patience ?? now.instant + limits.fileWaitMax
    guard until > now.instant, bytes == 0 || self.bytes + bytes <= limits.roundBytesMax
    else { return false }
    let entry = Entry(call: call, bytes: bytes, until: until, again: again)
    // One that was tried is still the first.
    if patience == nil { entries.append(entry) } else { entries.insert(entry, at: 0) }
    self.bytes += bytes
    return true
  }

  /// Carries out the calls in their order, until one has to wait again: so do those behind it.
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

  /// Carries out each call once more; none of them may wait again.
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

  /// The call's peer has gone.
  func remove(_ call: CallID) {
    guard let index = entries.firstIndex(where: { $0.call == call }) else { return }
    bytes -= entries.remove(at: index).bytes
  }
}
