/// A time at which something may have to happen. A timer that has become meaningless stays in the
/// heap and does nothing.
struct Timer: Comparable {
  enum Kind: UInt8 { case message, poll, task }

  var at: Instant
  /// The number of the message or the task, or the poll's id.
  var key: UInt64
  var kind: Kind

  static func < (left: Timer, right: Timer) -> Bool {
    (left.at.nanoseconds, left.key) < (right.at.nanoseconds, right.key)
  }
}

/// The timers of one queue, the earliest first.
struct Timers {
  private var heap = Heap<Timer>()

  var count: Int { heap.count }
  /// The earliest time at which something may have to happen.
  var next: Instant? { heap.first?.at }

  /// `liveMax`: at most so many of the timers mean something. The others are removed, with the help
  /// of `isLive`, once they are in the majority by far.
  mutating func set(_ timer: Timer, liveMax: Int, isLive: (Timer) -> Bool) {
    heap.insert(timer)
    if heap.count > 256 + 6 * liveMax { heap.keep(isLive) }
  }

  /// Removes and returns the earliest timer if its time has come.
  mutating func popDue(at now: Instant) -> Timer? {
    guard let first = heap.first, first.at <= now else { return nil }
    return heap.popFirst()
  }
}
