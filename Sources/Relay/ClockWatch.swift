/// Whether the wall clock can be believed, and whether the process has stood still.
///
/// What ends messages for good (their time to live, retention) goes by the wall clock, which people
/// and time servers set. After it has been moved by more than `clockJumpMax`, nothing of that kind
/// ends for `clockDoubtTime`: time to set it right again.
package struct ClockWatch: Sendable {
  private let limits: Limits
  /// Wall clock minus monotonic clock, when it was believed last.
  private var offset: Duration?
  private var lastLook: Instant?
  /// Nothing ends by the wall clock before then.
  package private(set) var doubtfulUntil = Instant(nanoseconds: .min)

  package enum Finding: Sendable, Equatable {
    /// The wall clock was moved by so much.
    case jumped(Duration)
    /// The process did not run for so long.
    case stoodStill(Duration)
  }

  package init(_ limits: Limits) { self.limits = limits }

  /// To be called in every turn, which come at least once a second.
  package mutating func look(_ now: Now) -> [Finding] {
    var found: [Finding] = []
    if let lastLook, now.instant - lastLook > limits.standstillMin {
      found.append(.stoodStill(now.instant - lastLook))
    }
    lastLook = now.instant
    let present = Duration.nanoseconds(now.wall.nanoseconds - now.instant.nanoseconds)
    let moved = present - (offset ?? present)
    if moved > limits.clockJumpMax || moved < .zero - limits.clockJumpMax {
      found.append(.jumped(moved))
      doubt(now)
      offset = present
    }
    if offset == nil { offset = present }
    return found
  }

  /// `time` was written down by an earlier look at the wall clock, which must not lie before it.
  package mutating func look(written time: WallTime, now: Now) -> Finding? {
    guard !isDoubtful(now), time - now.wall > limits.clockJumpMax else { return nil }
    doubt(now)
    return .jumped(now.wall - time)
  }

  package func isDoubtful(_ now: Now) -> Bool { now.instant < doubtfulUntil }

  private mutating func doubt(_ now: Now) { doubtfulUntil = now.instant + limits.clockDoubtTime }
}
