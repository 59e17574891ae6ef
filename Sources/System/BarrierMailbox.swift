import Glibc

/// What the loop and the barrier hand each other: arrays swapped under a lock.
///
/// A pthread mutex, because ThreadSanitizer misreads `Synchronization.Mutex`. No other lock is ever
/// taken while it is held.
final class BarrierMailbox {
  struct Work {
    var round: UInt64
    var files: [Int32]
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: Work?
  private var reports: [BarrierReport] = []
  private var isStopped = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  // MARK: the loop's side

  func submit(round: UInt64, files: [Int32]) {
    locked {
      if waiting == nil {
        waiting = Work(round: round, files: files)
      } else {
        waiting?.round = round
        waiting?.files += files
      }
    }
    // After the lock is free, or the thread that wakes would only wait for it.
    pthread_cond_signal(condition)
  }

  func takeReport() -> BarrierReport? {
    locked { reports.isEmpty ? nil : reports.removeFirst() }
  }

  func stop() {
    locked {
      isStopped = true
      pthread_cond_signal(condition)
    }
  }

  // MARK: the barrier's side

  /// Everything submitted so far, as one piece of work; waits for some. `nil` when stopped.
  func next() -> Work? {
    locked {
      while waiting == nil, !isStopped { pthread_cond_wait(condition, mutex) }
      guard !isStopped else { return nil }
      defer { waiting = nil }
      return waiting
    }
  }

  func post(_ report: BarrierReport) {
    locked { reports.append(report) }
  }
}
