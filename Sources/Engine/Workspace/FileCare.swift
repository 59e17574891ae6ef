import Relay

/// The schedules of the care that a workspace's file gets, and what was found at the last look.
struct FileCare {
  /// When the file is looked through for what can go.
  var retention: RetentionSchedule
  /// When the write-ahead log is emptied.
  var log = LogSchedule()
  var lowDiskUse = LowDiskUse()
  /// The file has been idle and has many free pages.
  var shrinking: Shrinking?
  /// What the file keeps beside the queue.
  var kept = Kept()
  /// When a transaction without a new message was counted last.
  private var countedAt: Instant?
  /// The progress of the file that was noted, or is about to be.
  private var notedProgress: Int64 = 0

  init(retention: RetentionSchedule) { self.retention = retention }

  /// Whether a transaction without a new message may be counted now.
  func mayCount(every interval: Duration, now: Instant) -> Bool {
    countedAt.map { $0 + interval <= now } ?? true
  }

  mutating func counted(at now: Instant) { countedAt = now }

  /// Returns whether the progress is news.
  mutating func note(progress: Int64) -> Bool {
    guard progress > notedProgress else { return false }
    notedProgress = progress
    return true
  }
}
