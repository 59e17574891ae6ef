package import Relay
import System
package import Wire

/// What operators see of one workspace: its row, its agent and its queue.
extension Engine {
  /// The workspace with what its queue holds, or held when its file was closed. Without the queue
  /// if nobody knows that.
  package func workspaceStatus(_ id: WorkspaceID, now: Now) throws(RelayError) -> JSON {
    guard let record = directory.workspace(id) else { throw .notFound }
    var json = registry.json.workspace(record.row, lastSeen: record.lastSeen)
    registry.json.addLiveness(
      record, isDeaf: isDeaf(record, now: now), to: &json, now: now.wall)
    if let depth = knownDepth(record) {
      let desk = desks[id]
      var queue: JSON = [:]
      for (name, count) in depth.counts.named { queue[name] = .number("\(count)") }
      let held = desk?.waiters.values.reduce(0) { $0 + $1.count } ?? 0
      queue["held_callers"] = .number("\(held)")
      queue["parked_polls"] = .number("\(desk?.queue.parkedCount ?? 0)")
      // A poll keeps its workspace in memory, and for a while after its end.
      queue["present"] = .bool(desk?.queue.isPresent(now: now) ?? false)
      queue["in_memory"] = .bool(desk != nil)
      json["queue"] = queue
    }
    return json
  }

  /// Its agent polls the feed, and nobody polls the inbox.
  private func isDeaf(_ record: WorkspaceRecord, now: Now) -> Bool {
    guard let polled = record.polledFeedAt, polled + limits.offlineAfter > now.wall
    else { return false }
    return desks[record.row.id]?.queue.isPresent(now: now) != true
  }
}
