/// Both clocks at one moment, and the doubt about them: relay.db keeps the record for the next
/// start.
package struct ClockRecord: Sendable, Equatable {
  /// The boot of the kernel that the monotonic clock counts from; empty if it is not known.
  package var boot: String
  package var wall: WallTime
  package var instant: Instant
  /// Nothing ends by the wall clock before this time.
  package var doubtfulUntil: Instant
  /// The time that the wall clock would have shown if nobody had moved it since it was last
  /// trusted.
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

  /// Makes the record of a relay that has kept none, from the newest time that it has written down.
  package init(newest: WallTime) {
    self.init(
      boot: "", wall: newest, instant: Instant(nanoseconds: 0),
      doubtfulUntil: Instant(nanoseconds: 0), believed: newest)
  }
}
