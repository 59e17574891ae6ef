import CLinux
import Glibc
import Relay

/// A lock and its condition, for what two threads share.
///
/// A pthread mutex, because ThreadSanitizer misreads `Synchronization.Mutex`. No other lock is ever
/// taken while it is held. `@unchecked Sendable`: both pointers are constant, and what they point
/// to is made for several threads.
final class Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    // A wall clock that somebody sets must not lengthen a wait.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Wakes one thread that waits. Best after the lock is free, or that thread only waits for it.
  func signal() { pthread_cond_signal(condition) }

  func wakeAll() { pthread_cond_broadcast(condition) }

  /// Waits for a signal. Only while the lock is held.
  func wait() { pthread_cond_wait(condition, mutex) }

  /// Waits for a signal until `deadline`. Returns `false` when the deadline has come.
  func wait(until deadline: timespec) -> Bool {
    var deadline = deadline
    return pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT
  }

  static func deadline(after time: Duration) -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let end = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) + time.nanoseconds
    return timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
  }
}
