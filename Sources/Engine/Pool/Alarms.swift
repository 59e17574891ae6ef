import Relay

/// The alarms of workspaces, in memory or closed: when something in each of them is due.
///
/// A later alarm leaves the earlier one that it replaces in the heap, where it is skipped.
struct Alarms {
  private struct Alarm: Comparable {
    var at: Instant
    var id: WorkspaceID
    static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
  }

  private var heap = Heap<Alarm>()
  private var set: [WorkspaceID: Instant] = [:]

  /// Sets the workspace's alarm; `nil` removes it.
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
