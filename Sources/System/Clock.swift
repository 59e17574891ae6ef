import CLinux
import Glibc
package import Relay

/// The only place that reads time.
package enum Clock {
  /// CLOCK_BOOTTIME goes on while a laptop sleeps, and CLOCK_MONOTONIC does not: a lease that ran
  /// out overnight has run out.
  package static func now() -> Now { Now(instant: instant(), wall: wall()) }

  package static func instant() -> Instant { Instant(nanoseconds: read(CLOCK_BOOTTIME)) }

  package static func wall() -> WallTime { WallTime(nanoseconds: read(CLOCK_REALTIME)) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    precondition(result == 0, "the kernel knows both clocks since 2.6.39")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
