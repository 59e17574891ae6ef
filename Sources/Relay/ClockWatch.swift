/// Watches whether the wall clock can be trusted, and whether the process has stood still.
///
/// Messages end for good (by their time to live, by retention) by the wall clock, which people and
/// time servers set. After the clock was moved by more than `clockJumpMax`, no message ends that
/// way for `clockDoubtTime`, so that there is time to set the clock right. A doubt ends when both
/// clocks have agreed for that long; it goes on over restarts of the process. After a reboot the
/// clocks cannot be compared: a machine that was off for a month looks like one whose clock is a
/// month ahead, so any wall clock far from its last reading is doubted.
package struct ClockWatch: Sendable {
  private let limits: Limits
  /// Wall clock minus monotonic clock at the last jump, or at the start.
  private var offset: Duration?
  /// The offset from before the clock was moved, while there is a doubt.
  private var believed: Duration?
  private var lastLook: Instant?
  /// Nothing ends by the wall clock before this time.
  package private(set) var doubtfulUntil = Instant(nanoseconds: .min)

  package enum Finding: Sendable, Equatable {
    /// The wall clock was moved by this much.
    case jumped(Duration)
    /// The machine was rebooted and the wall clock is this far from its last reading, or a doubt
    /// from before the restart goes on.
    case unknown(Duration)
    /// The process did not run for this long.
    case stoodStill(Duration)
  }

  package init(_ limits: Limits) { self.limits = limits }

  /// Goes on from the record that was written last. Call it before the first `look`.
  package mutating func begin(_ record: ClockRecord, boot: String, now: Now) -> Finding? {
    guard record.boot == boot, record.instant <= now.instant else {
      let moved = now.wall - record.wall
      guard record.doubtfulUntil > record.instant || isJump(moved) else { return nil }
      doubt(now, believed: Self.offset(record.believed, now.instant))
      return .unknown(moved)
    }
    offset = Self.offset(record.wall, record.instant)
    doubtfulUntil = min(record.doubtfulUntil, now.instant + limits.clockDoubtTime)
    guard isDoubtful(now) else { return nil }
    believed = Self.offset(record.believed, record.instant)
    return .unknown(.zero)
  }

  package func record(boot: String, now: Now) -> ClockRecord {
    ClockRecord(
      boot: boot, wall: now.wall, instant: now.instant, doubtfulUntil: doubtfulUntil,
      believed: believedWall(now))
  }

  /// Returns the time that the wall clock would show if it had not been moved.
  private func believedWall(_ now: Now) -> WallTime {
    guard isDoubtful(now), let believed else { return now.wall }
    return WallTime(nanoseconds: now.instant.nanoseconds) + believed
  }

  /// Returns the time by which credentials end. While there is a doubt it is the later of the two,
  /// so that setting the clock back makes no expired credential valid again.
  package func credentialTime(_ now: Now) -> WallTime { max(now.wall, believedWall(now)) }

  private static func offset(_ wall: WallTime, _ instant: Instant) -> Duration {
    wall - WallTime(nanoseconds: instant.nanoseconds)
  }

  private func isJump(_ moved: Duration) -> Bool {
    moved > limits.clockJumpMax || moved < .zero - limits.clockJumpMax
  }

  /// Compares the clocks. Call it in every turn; turns come at least once a second.
  package mutating func look(_ now: Now) -> [Finding] {
    var found: [Finding] = []
    if let lastLook, now.instant - lastLook > limits.standstillMin {
      found.append(.stoodStill(now.instant - lastLook))
    }
    lastLook = now.instant
    let present = Self.offset(now.wall, now.instant)
    let before = offset ?? present
    if isJump(present - before) {
      found.append(.jumped(present - before))
      doubt(now, believed: before)
      offset = present
    }
    if offset == nil { offset = present }
    return found
  }

  /// Compares the wall clock with a `time` that an earlier look wrote down: the clock must not be
  /// behind it.
  package mutating func look(written time: WallTime, now: Now) -> Finding? {
    guard !isDoubtful(now), time - now.wall > limits.clockJumpMax else { return nil }
    doubt(now, believed: Self.offset(time, now.instant))
    return .jumped(now.wall - time)
  }

  package func isDoubtful(_ now: Now) -> Bool { now.instant < doubtfulUntil }

  /// Begins a doubt, or makes the current one longer: the time believed before the first doubt
  /// stays.
  private mutating func doubt(_ now: Now, believed: Duration) {
    if !isDoubtful(now) { self.believed = believed }
    doubtfulUntil = now.instant + limits.clockDoubtTime
  }
}
