import Relay

/// The bytes thrown away after an answer that came before its request's end.
struct Discard {
  private var bytes = 0
  /// The peer may still be sending: what comes is thrown away until it closes.
  private(set) var isOn = false

  mutating func begin() { isOn = true }

  /// Returns false when it is too much, and the peer is to be reset.
  mutating func take(_ count: Int) -> Bool {
    bytes += count
    return bytes <= Limits.drainBytesMax
  }
}
