import Relay
import Store

/// Computes queue depths for readers outside the engine.
extension WorkspacePool {
  /// Returns the depth of the workspace's queue, or for a closed file the depth at its closing.
  /// Returns `nil` if that is unknown, because the relay was killed and has not opened the file
  /// since.
  func knownDepth(_ record: WorkspaceRecord) -> QueueDepth? {
    let id = record.row.id
    if let workspace = self[id] {
      return workspace.failure == nil ? workspace.queue.depth : nil
    }
    if unopenable.contains(id) { return nil }
    if let depth = lastKnown.depth(of: id) { return depth }
    return record.row.nextWakeAt == nil ? nil : QueueDepth()
  }

  func levels() -> Levels {
    var levels = Levels()
    levels.depth = lastKnown.total()
    levels.filesFailed = unopenable.count
    levels.filesOpen = files.count
    levels.filesOpened = files.openedEver
    levels.heldCallers = heldCallers.count
    for workspace in all {
      guard workspace.failure == nil else {
        levels.filesFailed += 1
        continue
      }
      levels.depth += workspace.queue.depth
      levels.parkedPolls += workspace.queue.parkedCount
      guard let pages = workspace.walPages else { continue }
      levels.walPages += pages
      levels.walPagesMost = max(levels.walPagesMost, pages)
    }
    return levels
  }

  /// Returns the workspaces in memory and their queue depths, in the order of their ids; at most
  /// `max`.
  func depths(
    max: Int, where isShown: (WorkspaceID) -> Bool
  ) -> [(id: WorkspaceID, depth: QueueDepth)] {
    let open = allUsable.filter { isShown($0.id) }
      .sorted { $0.id.bytes < $1.id.bytes }
    return open.prefix(max).map { ($0.id, $0.queue.depth) }
  }
}
