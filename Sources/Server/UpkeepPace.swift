import Relay

/// Decides whether a turn has time for upkeep.
///
/// A checkpoint takes about 15 ms for 10 MB. It is not done in a turn that has just stored such a
/// body, or read it for an answer: everybody else would wait for the sum. Once postponed, it also
/// waits for the barrier, because a checkpoint of a log that is being synced waits for that sync.
struct UpkeepPace {
  private var owedSince: Instant?

  /// Whether upkeep was postponed to a later turn.
  var isOwed: Bool { owedSince != nil }

  /// Returns whether upkeep is done at the end of a turn that has taken this long so far.
  mutating func mayRun(after spent: Duration, isAtBarrier: Bool, now: Instant) -> Bool {
    let isLong = spent > Limits.upkeepAfterMax
    if let since = owedSince {
      let mayBeLong = now >= since + Limits.upkeepDelayMax
      let maySync = !isAtBarrier || now >= since + Limits.upkeepBarrierWaitMax
      guard mayBeLong || !isLong && maySync else { return false }
      owedSince = nil
      return true
    }
    if isLong { owedSince = now }
    return !isLong
  }
}
