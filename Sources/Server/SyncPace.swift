/// How long the next sync will take, learned from the last ones.
///
/// A slow one is believed at once and forgotten slowly: after one of 10 ms some thirty short ones
/// must follow before 0.3 ms is expected again. Before the first sync nothing is known.
struct SyncPace {
  private(set) var expected = Duration.seconds(1)

  mutating func took(_ time: Duration) {
    expected = max(time, expected * 7 / 8)
  }
}
