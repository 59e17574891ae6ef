/// Both clocks at one moment, and what was doubted then: relay.db keeps it for the next start.
package struct ClockRecord: Sendable, Equatable {
  /// The boot of the kernel that the monotonic clock counts from; empty if it is not known.
  package var boot: String
  package var wall: WallTime
  package var instant: Instant
  /// Nothing ends by the wall clock before then.
  package var doubtfulUntil: Instant
  /// What the wall clock would have shown if it had gone on as it was believed last.
  package var believed: WallTime

  package init(
    boot: String, wall: WallTime, instant: Instant, doubtfulUntil: Instant, believed: WallTime
  ) {
    self.boot = boot
    self.wall = wall
    self.instant = instant
    self.doubtfulUntil = doubtfulUntil
    self.believed = believed
  }

  /// Of a relay that has kept no record: the newest time that it has written down.
  package init(newest: WallTime) {
    self.init(
      boot: "", wall: newest, instant: Instant(nanoseconds: 0),
      doubtfulUntil: Instant(nanoseconds: 0), believed: newest)
  }
}
