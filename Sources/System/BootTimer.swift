import CLinux
import Glibc
package import Relay

/// A descriptor that becomes readable at an instant: timerfd on CLOCK_BOOTTIME.
///
/// The time-out of `epoll_wait` counts on CLOCK_MONOTONIC, which stands still while the machine
/// sleeps; this one fires at once after the lid is opened.
package struct BootTimer: ~Copyable {
  private let descriptor: FileDescriptor

  package init() throws(SystemError) {
    descriptor = try FileDescriptor(
      owning: retrying("timerfd_create") {
        timerfd_create(CLOCK_BOOTTIME, Int32(TFD_NONBLOCK) | Int32(TFD_CLOEXEC))
      })
  }

  package var raw: Int32 { descriptor.raw }

  /// Fires at `instant`, at once if that has passed; `nil` disarms it.
  package func arm(at instant: Instant?) {
    var setting = itimerspec()
    if let instant {
      // An expiry of zero would disarm the timer.
      let nanoseconds = max(instant.nanoseconds, 1)
      setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
      setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    }
    let result = timerfd_settime(descriptor.raw, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    precondition(result == 0, "a timerfd takes every instant")
  }

  /// Takes the expiry, so that the descriptor is no longer readable.
  package func drain() {
    var expiries: UInt64 = 0
    _ = read(descriptor.raw, &expiries, 8)
  }
}
