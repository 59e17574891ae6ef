/// Predicts how long the next sync will take from how long the last ones took.
///
/// A slow sync counts at once and is forgotten slowly: after one of 10 ms some thirty short ones
/// must follow before 0.3 ms is expected again. Before the first sync a long one is expected.
struct SyncPace {
  private(set) var expected = Duration.seconds(1)

  mutating func took(_ time: Duration) {
    expected = max(time, expected * 7 / 8)
  }
}
