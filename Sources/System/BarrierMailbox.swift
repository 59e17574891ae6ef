import Glibc

/// The mailbox between the loop and the barrier's thread: arrays swapped under a lock.
final class BarrierMailbox {
  struct Work {
    var round: UInt64
    var files: [Int32]
  }

  private let monitor = Monitor()
  private var waiting: Work?
  private var reports: [BarrierReport] = []
  private var isStopped = false

  // MARK: the loop's side

  func submit(round: UInt64, files: [Int32]) {
    monitor.locked {
      if waiting == nil {
        waiting = Work(round: round, files: files)
      } else {
        waiting?.round = round
        waiting?.files += files
      }
    }
    // After the lock is free, or the thread that wakes would only wait for it.
    monitor.signal()
  }

  func takeReport() -> BarrierReport? {
    monitor.locked { reports.isEmpty ? nil : reports.removeFirst() }
  }

  func stop() {
    monitor.locked {
      isStopped = true
      monitor.signal()
    }
  }

  // MARK: the barrier's side

  /// Everything submitted so far, as one piece of work; waits for some. `nil` when stopped.
  func next() -> Work? {
    monitor.locked {
      while waiting == nil, !isStopped { monitor.wait() }
      guard !isStopped else { return nil }
      defer { waiting = nil }
      return waiting
    }
  }

  func post(_ report: BarrierReport) {
    monitor.locked { reports.append(report) }
  }
}
