import Relay
import Store

/// Collects how far each file is on the disk, so that another file can store it and the next start
/// can detect a file that has gone back (`Progress`). The notes need no sync of their own, only one
/// transaction of relay.db a second while anything is written.
struct ProgressNotes {
  private let interval: Duration
  private var files: [WorkspaceID: Int64] = [:]
  /// The progress of relay.db that is not stored yet; 0 for none.
  private(set) var registry: Int64 = 0
  private var due: Instant?

  /// Makes empty notes.
  ///
  /// - `registry`: the progress of relay.db at the start.
  init(_ limits: Limits, registry: Int64) {
    interval = limits.progressInterval
    self.registry = registry
  }

  /// Notes the progress of a workspace's file that a barrier has covered.
  mutating func note(_ id: WorkspaceID, _ progress: Int64, now: Instant) {
    files[id] = progress
    noteSoon(now)
  }

  /// Notes the progress of relay.db that a barrier has covered.
  mutating func note(registry progress: Int64, now: Instant) {
    guard progress > registry else { return }
    registry = progress
    noteSoon(now)
  }

  mutating func noteSoon(_ now: Instant) {
    if due == nil { due = now + interval }
  }

  /// Returns whether notes are to be written with this turn's transaction, and resets the timer if
  /// so.
  mutating func begin(now: Instant) -> Bool {
    if let due, due > now { return false }
    due = nil
    return true
  }

  mutating func registryNoted() { registry = 0 }

  /// Takes the notes of at most `count` files.
  mutating func take(atMost count: Int) -> [WorkspaceID: Int64] {
    var taken: [WorkspaceID: Int64] = [:]
    for id in Array(files.keys.prefix(count)) { taken[id] = files.removeValue(forKey: id) }
    return taken
  }

  /// Puts back the notes of a transaction that was refused.
  mutating func refused(_ noted: [WorkspaceID: Int64]) {
    files.merge(noted) { newer, _ in newer }
  }

  /// Forgets a workspace whose file is deleted.
  mutating func forget(_ id: WorkspaceID) { files[id] = nil }
}
