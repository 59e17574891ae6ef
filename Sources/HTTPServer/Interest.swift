import System

/// The events of a connection that epoll reports.
struct Interest {
  private(set) var events: Poller.Events = [.readable, .peerClosed]
  /// Taken out of epoll for good.
  private var isEnded = false

  /// Returns whether epoll has to be told.
  mutating func change(to wanted: Poller.Events) -> Bool {
    guard wanted != events, !isEnded else { return false }
    events = wanted
    return true
  }

  /// Returns whether epoll has to be told.
  mutating func end() -> Bool {
    defer { isEnded = true }
    return !isEnded
  }
}
