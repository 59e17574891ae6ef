import Relay

/// A job at work: how far it has come, as the file says, and when it goes on.
final class JobRun {
  /// As it is durable, but for what it has looked at and passed over.
  var row: JobRow
  /// The same with the step that is on its way.
  var next: JobRow?
  /// What it has moved is paid for up to here, at its rate.
  private var paid: Instant
  /// It makes no step before.
  private var earliest: Instant
  /// Steps in a row that could move nothing.
  private var waits = 0
  /// Operators who stop it.
  var stops: [Operation] = []

  private let messagesMax: Int64

  init(_ row: JobRow, _ limits: Limits, now: Now) {
    self.row = row
    messagesMax = Int64(limits.jobStepMessagesMax)
    paid = now.instant
    earliest = now.instant
  }

  private var interval: Int64 { 1_000_000_000 / Int64(row.rate) }

  /// When there is something to do; `nil` while a step is on its way.
  var due: Instant? {
    guard next == nil else { return nil }
    if !stops.isEmpty { return Instant(nanoseconds: 0) }
    // A tenth of a second's worth at a time, if a step can move so many: each step is a sync that
    // live traffic waits for, and a commit for each message would cost more than it.
    let worth = max(1, min(Int64(row.rate) / 10, messagesMax)) * interval
    return max(earliest, Instant(nanoseconds: paid.nanoseconds + worth))
  }

  /// Messages that the next step may move.
  func allowance(_ limits: Limits, now: Now) -> Int {
    // What it could not do in time is not made up for.
    let oldest = now.instant.nanoseconds - max(200_000_000, interval)
    paid = Instant(nanoseconds: max(paid.nanoseconds, oldest))
    let worth = (now.instant.nanoseconds - paid.nanoseconds) / interval
    return min(Int(worth), limits.jobStepMessagesMax)
  }

  /// A step has been made, or looked for something to move.
  func stepped(_ moved: Int, _ limits: Limits, now: Now) {
    if moved > 0 { waits = 0 }
    paid = Instant(nanoseconds: paid.nanoseconds + Int64(moved) * interval)
    earliest = now.instant + limits.jobStep
  }

  func wait(_ duration: Duration, now: Now) { earliest = now.instant + duration }

  /// What is next cannot be moved yet: the end of a message is a barrier away, room in a queue or
  /// on a disk is further.
  func waitLonger(_ limits: Limits, now: Now) {
    wait(min(limits.jobStep * (1 << waits), limits.jobRetry), now: now)
    waits = min(waits + 1, 16)
  }
}
