import Relay

/// A running job: its durable progress, and the instant of its next step.
final class JobRun {
  /// The durable row, plus the messages that were examined and skipped since.
  var row: JobRow
  /// The row with the pending step.
  var next: JobRow?
  /// The instant up to which the job's rate accounts for the messages it has moved.
  private var paid: Instant
  /// The earliest instant of the next step.
  private var earliest: Instant
  /// The number of steps in a row that could move nothing.
  private var waits = 0
  /// The operators' requests to stop the job.
  var stops: [Operation] = []

  private let messagesMax: Int64

  init(_ row: JobRow, _ limits: Limits, now: Now) {
    self.row = row
    messagesMax = Int64(limits.jobStepMessagesMax)
    paid = now.instant
    earliest = now.instant
  }

  private var interval: Int64 { 1_000_000_000 / Int64(row.rate) }

  /// The instant at which the job has something to do; `nil` while a step is pending.
  var due: Instant? {
    guard next == nil else { return nil }
    if !stops.isEmpty { return Instant(nanoseconds: 0) }
    // A step is a tenth of a second's worth, if it may move that many: each step costs a sync that
    // live traffic waits for, and a commit for each message would cost more.
    let worth = max(1, min(Int64(row.rate) / 10, messagesMax)) * interval
    return max(earliest, Instant(nanoseconds: paid.nanoseconds + worth))
  }

  /// Returns the number of messages that the next step may move.
  func allowance(_ limits: Limits, now: Now) -> Int {
    // A job that was slower than its rate does not catch up.
    let oldest = now.instant.nanoseconds - max(200_000_000, interval)
    paid = Instant(nanoseconds: max(paid.nanoseconds, oldest))
    let worth = (now.instant.nanoseconds - paid.nanoseconds) / interval
    return min(Int(worth), limits.jobStepMessagesMax)
  }

  /// Notes a step, which has moved messages or found none to move.
  func stepped(_ moved: Int, _ limits: Limits, now: Now) {
    if moved > 0 { waits = 0 }
    paid = Instant(nanoseconds: paid.nanoseconds + Int64(moved) * interval)
    earliest = now.instant + limits.jobStep
  }

  func wait(_ duration: Duration, now: Now) { earliest = now.instant + duration }

  /// Waits longer after each attempt, because the next message cannot be moved yet: its end needs a
  /// barrier, or a queue or the disk needs room.
  func waitLonger(_ limits: Limits, now: Now) {
    wait(min(limits.jobStep * (1 << waits), limits.jobRetry), now: now)
    waits = min(waits + 1, 16)
  }
}
