import Relay

/// The upkeep schedules of a workspace's file, and the results of the last check.
struct FileCare {
  /// The schedule for deleting old messages.
  var retention: RetentionSchedule
  /// The schedule for emptying the write-ahead log.
  var log = LogSchedule()
  var lowDiskUse = LowDiskUse()
  /// The plan to shrink the file, if it is idle and has many free pages.
  var shrinking: Shrinking?
  /// The amount of data that the file keeps beside the queue.
  var kept = Kept()
  /// The instant at which a transaction without a new message was last counted.
  private var countedAt: Instant?
  /// The progress of the file that was stored elsewhere, or is about to be.
  private var notedProgress: Int64 = 0

  init(retention: RetentionSchedule) { self.retention = retention }

  /// Returns whether a transaction without a new message may be counted now.
  func mayCount(every interval: Duration, now: Instant) -> Bool {
    countedAt.map { $0 + interval <= now } ?? true
  }

  mutating func counted(at now: Instant) { countedAt = now }

  /// Notes the progress of the file. Returns whether it is new.
  mutating func note(progress: Int64) -> Bool {
    guard progress > notedProgress else { return false }
    notedProgress = progress
    return true
  }
}
