import Relay

/// Whether connections are being accepted.
///
/// When descriptors or places run out, nobody is accepted for a while: the listener stays readable,
/// and level-triggered epoll would report it for ever.
struct AcceptPause {
  private(set) var isPaused = false
  /// When accepting is tried again even if no connection ends before.
  private(set) var resumesAt: Instant?

  /// Returns whether accepting went on until now: the listener is then to be unwatched.
  mutating func begin(until instant: Instant?) -> Bool {
    resumesAt = instant
    defer { isPaused = true }
    return !isPaused
  }

  /// Returns whether accepting was paused: the listener is then to be watched again.
  mutating func end() -> Bool {
    resumesAt = nil
    defer { isPaused = false }
    return isPaused
  }

  /// The listener is closed: there is nothing to resume.
  mutating func cancel() { resumesAt = nil }

  func isOver(now: Instant) -> Bool { resumesAt.map { $0 <= now } ?? false }
}
