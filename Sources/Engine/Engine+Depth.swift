package import Relay
import Store

/// What closed files held when they were closed: nothing of it is looked up in them. It stands in
/// relay.db beside the hint of when they come due, so that a start knows it too.
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

  /// Known to hold something; those that held nothing are not kept.
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

  /// It is open again, or gone.
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

extension Engine {
  /// What its file holds, in memory or as it was when it was closed. `nil`: that is not known yet,
  /// as the relay has not looked into it since it was killed.
  func knownDepth(_ record: WorkspaceRecord) -> QueueDepth? {
    let id = record.row.id
    if let desk = desks[id] { return desk.failure == nil ? desk.queue.depth : nil }
    if unopenable.contains(id) { return nil }
    if let depth = lastKnown.depth(of: id) { return depth }
    return record.row.nextWakeAt == nil ? nil : QueueDepth()
  }

  /// What lasts, in a time that grows with the workspaces in memory and nothing else.
  package struct Levels: Sendable {
    /// Of open files, and of closed ones as they were when they were closed.
    package var depth = QueueDepth()
    package var filesOpen = 0
    package var filesOpened = 0
    package var filesFailed = 0
    package var walPages = 0
    package var walPagesMost = 0
    package var parkedPolls = 0
    package var heldCallers = 0
  }

  package func levels() -> Levels {
    var levels = Levels()
    levels.depth = lastKnown.total()
    levels.filesFailed = unopenable.count
    levels.filesOpen = files.count
    levels.filesOpened = files.openedEver
    levels.heldCallers = heldCallers.count
    for desk in desks.values {
      guard desk.failure == nil else {
        levels.filesFailed += 1
        continue
      }
      levels.depth += desk.queue.depth
      levels.parkedPolls += desk.queue.parkedCount
      guard let pages = desk.opened?.walPages else { continue }
      levels.walPages += pages
      levels.walPagesMost = max(levels.walPagesMost, pages)
    }
    return levels
  }

  /// Workspaces in memory with what they hold, in the order of their ids; at most `max`.
  package func depths(
    max: Int, where isShown: (WorkspaceID) -> Bool
  ) -> [(id: WorkspaceID, depth: QueueDepth)] {
    let open = desks.values.filter { $0.failure == nil && isShown($0.id) }
      .sorted { $0.id.bytes < $1.id.bytes }
    return open.prefix(max).map { ($0.id, $0.queue.depth) }
  }
}
