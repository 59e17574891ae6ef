import Relay

/// The queue depths that closed files had at their closing, so that no file is opened to count.
/// relay.db stores them with each workspace's next alarm, so that they survive a restart.
struct LastKnownDepths {
  private struct Due: Comparable {
    var at: WallTime
    var id: WorkspaceID
    static func < (left: Due, right: Due) -> Bool { left.at < right.at }
  }

  private var depths: [WorkspaceID: QueueDepth] = [:]
  private var sum = QueueDepth()
  private var unanswered = Heap<Due>()
  private var unreceived = Heap<Due>()

  func depth(of id: WorkspaceID) -> QueueDepth? { depths[id] }

  /// The number of workspaces known to hold messages; empty workspaces are not stored.
  var count: Int { depths.count }

  mutating func remember(_ id: WorkspaceID, _ depth: QueueDepth) {
    forget(id)
    guard depth != QueueDepth() else { return }
    depths[id] = depth
    add(depth, 1)
    if let at = depth.oldestUnanswered { unanswered.insert(Due(at: at, id: id)) }
    if let at = depth.oldestUnreceived { unreceived.insert(Due(at: at, id: id)) }
    let known = depths
    if unanswered.count > 64 + 2 * known.count {
      unanswered.keep { known[$0.id]?.oldestUnanswered == $0.at }
    }
    if unreceived.count > 64 + 2 * known.count {
      unreceived.keep { known[$0.id]?.oldestUnreceived == $0.at }
    }
  }

  /// Forgets a workspace that was opened or deleted.
  mutating func forget(_ id: WorkspaceID) {
    if let depth = depths.removeValue(forKey: id) { add(depth, -1) }
  }

  private mutating func add(_ depth: QueueDepth, _ sign: Int) {
    sum.unanswered += sign * depth.unanswered
    sum.inFlight += sign * depth.inFlight
    sum.unreceived += sign * depth.unreceived
    sum.dead += sign * depth.dead
    sum.interrupted += sign * depth.interrupted
    sum.bytes += sign * depth.bytes
  }

  mutating func total() -> QueueDepth {
    while let first = unanswered.first, depths[first.id]?.oldestUnanswered != first.at {
      _ = unanswered.popFirst()
    }
    while let first = unreceived.first, depths[first.id]?.oldestUnreceived != first.at {
      _ = unreceived.popFirst()
    }
    var total = sum
    total.oldestUnanswered = unanswered.first?.at
    total.oldestUnreceived = unreceived.first?.at
    return total
  }
}
