/// Whether the wall clock can be believed, and whether the process has stood still.
///
/// What ends messages for good (their time to live, retention) goes by the wall clock, which people
/// and time servers set. After it has been moved by more than `clockJumpMax`, nothing of that kind
/// ends for `clockDoubtTime`: time to set it right. A doubt ends when both clocks have agreed for so
/// long; it goes on over restarts of the process. On another boot the clocks cannot be compared: a
/// machine that was off for a month looks like one whose clock is a month ahead, so that any wall
/// clock far from where it was last is doubted.
package struct ClockWatch: Sendable {
  private let limits: Limits
  /// Wall clock minus monotonic clock at the last jump, or at the start.
  private var offset: Duration?
  /// The same as it was believed last, while there is a doubt.
  private var believed: Duration?
  private var lastLook: Instant?
  /// Nothing ends by the wall clock before then.
  package private(set) var doubtfulUntil = Instant(nanoseconds: .min)

  package enum Finding: Sendable, Equatable {
    /// The wall clock was moved by so much.
    case jumped(Duration)
    /// The machine was started anew, and the wall clock is so far from where it was last; or it has
    /// been in doubt since before.
    case unknown(Duration)
    /// The process did not run for so long.
    case stoodStill(Duration)
  }

  package init(_ limits: Limits) { self.limits = limits }

  /// Before the first look: goes on from what was written last.
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

  /// While the wall clock is in doubt, what it would show if it had not been moved.
  private func believedWall(_ now: Now) -> WallTime {
    guard isDoubtful(now), let believed else { return now.wall }
    return WallTime(nanoseconds: now.instant.nanoseconds) + believed
  }

  /// The time by which credentials end: in doubt the later of the two, so that no clock that was
  /// set back makes an old one good again.
  package func credentialTime(_ now: Now) -> WallTime { max(now.wall, believedWall(now)) }

  private static func offset(_ wall: WallTime, _ instant: Instant) -> Duration {
    wall - WallTime(nanoseconds: instant.nanoseconds)
  }

  private func isJump(_ moved: Duration) -> Bool {
    moved > limits.clockJumpMax || moved < .zero - limits.clockJumpMax
  }

  /// To be called in every turn, which come at least once a second.
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

  /// `time` was written down by an earlier look at the wall clock, which must not lie before it.
  package mutating func look(written time: WallTime, now: Now) -> Finding? {
    guard !isDoubtful(now), time - now.wall > limits.clockJumpMax else { return nil }
    doubt(now, believed: Self.offset(time, now.instant))
    return .jumped(now.wall - time)
  }

  package func isDoubtful(_ now: Now) -> Bool { now.instant < doubtfulUntil }

  /// A further doubt makes the first one longer: what was believed before that stays.
  private mutating func doubt(_ now: Now, believed: Duration) {
    if !isDoubtful(now) { self.believed = believed }
    doubtfulUntil = now.instant + limits.clockDoubtTime
  }
}
