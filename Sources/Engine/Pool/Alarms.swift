import Relay

/// When something comes due by itself in each workspace, in memory or only a file.
///
/// A later alarm that takes the place of an earlier one stays behind it in the heap and is skipped.
struct Alarms {
  private struct Alarm: Comparable {
    var at: Instant
    var id: WorkspaceID
    static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
  }

  private var heap = Heap<Alarm>()
  private var set: [WorkspaceID: Instant] = [:]

  /// The workspace's alarm from now on; `nil`: nothing comes due.
  mutating func put(_ at: Instant?, _ id: WorkspaceID) {
    guard set[id] != at else { return }
    set[id] = at
    guard let at else { return }
    heap.insert(Alarm(at: at, id: id))
    if heap.count > 64 + 4 * set.count {
      heap.keep { [set] in set[$0.id] == $0.at }
    }
  }

  func at(_ id: WorkspaceID) -> Instant? { set[id] }

  /// Returns the earliest alarm. `at` says whether a workspace has one.
  mutating func next() -> Instant? {
    while let first = heap.first {
      if set[first.id] == first.at { return first.at }
      _ = heap.popFirst()
    }
    return nil
  }

  mutating func popDue(_ now: Instant) -> WorkspaceID? {
    guard let at = next(), at <= now, let first = heap.popFirst() else { return nil }
    set[first.id] = nil
    return first.id
  }
}
