/// The times at which something may have to happen, the earliest first. A timer that has become
/// meaningless stays and does nothing.
struct Timers<Key: Comparable> {
  struct Timer: Comparable {
    var at: Instant
    var key: Key

    static func < (left: Timer, right: Timer) -> Bool {
      (left.at.nanoseconds, left.key) < (right.at.nanoseconds, right.key)
    }
  }

  private var heap = Heap<Timer>()

  var count: Int { heap.count }
  /// The earliest time at which something may have to happen.
  var next: Instant? { heap.first?.at }

  /// `liveMax`: at most so many of the timers mean something. The others are removed, with the help
  /// of `isLive`, once they are in the majority by far.
  mutating func set(_ key: Key, at time: Instant, liveMax: Int, isLive: (Timer) -> Bool) {
    heap.insert(Timer(at: time, key: key))
    if heap.count > 256 + 6 * liveMax { heap.keep(isLive) }
  }

  /// Removes and returns the earliest timer if its time has come.
  mutating func popDue(at now: Instant) -> Timer? {
    guard let first = heap.first, first.at <= now else { return nil }
    return heap.popFirst()
  }
}
