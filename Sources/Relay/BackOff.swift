/// A small random number generator whose seed determines its sequence (SplitMix64, Steele et al.
/// 2014).
package struct Dice: Sendable, RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// The time that a message waits after a failed attempt: doubled each time, with jitter over the
/// upper half, so that messages that failed together do not come back together.
package struct BackOff: Sendable {
  package let first: Duration
  package let max: Duration

  package init(first: Duration, max: Duration) {
    self.first = first
    self.max = max
  }

  /// `attempt` is the one that has failed, from 1.
  package func delay(after attempt: Int, dice: inout Dice) -> Duration {
    var bound = first.nanoseconds
    var left = attempt
    while left > 1, bound < max.nanoseconds {
      bound *= 2
      left -= 1
    }
    bound = Swift.min(bound, max.nanoseconds)
    return .nanoseconds(bound / 2 + Int64(dice.next() % UInt64(bound / 2 + 1)))
  }
}
