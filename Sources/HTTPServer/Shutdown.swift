import Relay

/// Whether the loop has been told to end, and by when it does.
struct Shutdown {
  /// All is cut off then.
  private(set) var end: Instant?
  /// Requests that are still being received are cut off then.
  private(set) var receivingEnd: Instant?

  var hasBegun: Bool { end != nil }

  /// Returns false if it had begun before.
  mutating func begin(now: Instant, times: Times) -> Bool {
    guard !hasBegun else { return false }
    end = now.after(times.shutdown)
    receivingEnd = now.after(times.shutdownRequest)
    return true
  }

  /// The time to finish is used up.
  func isOver(now: Instant) -> Bool { end.map { $0 <= now } ?? false }
}
