import Relay
import Store

/// How far each file is on the disk, as another file is to note it, so that the next start finds
/// out when one has gone back (`Progress`). The notes cost no sync, and a transaction of relay.db a
/// second while anything is written.
struct ProgressNotes {
  private let interval: Duration
  private var files: [WorkspaceID: Int64] = [:]
  /// Of relay.db; 0: nothing new.
  private(set) var registry: Int64 = 0
  private var due: Instant?

  /// - `registry`: what relay.db had come to at the start.
  init(_ limits: Limits, registry: Int64) {
    interval = limits.progressInterval
    self.registry = registry
  }

  /// A barrier has covered what the workspace's file had come to.
  mutating func note(_ id: WorkspaceID, _ progress: Int64, now: Instant) {
    files[id] = progress
    noteSoon(now)
  }

  /// A barrier has covered what relay.db had come to.
  mutating func note(registry progress: Int64, now: Instant) {
    guard progress > registry else { return }
    registry = progress
    noteSoon(now)
  }

  mutating func noteSoon(_ now: Instant) {
    if due == nil { due = now + interval }
  }

  /// Returns whether notes are to be written with this turn's transaction; no notes are due then.
  mutating func begin(now: Instant) -> Bool {
    if let due, due > now { return false }
    due = nil
    return true
  }

  mutating func registryNoted() { registry = 0 }

  /// Takes at most so many notes of files.
  mutating func take(atMost count: Int) -> [WorkspaceID: Int64] {
    var taken: [WorkspaceID: Int64] = [:]
    for id in Array(files.keys.prefix(count)) { taken[id] = files.removeValue(forKey: id) }
    return taken
  }

  /// The transaction with these notes was refused.
  mutating func refused(_ noted: [WorkspaceID: Int64]) {
    files.merge(noted) { newer, _ in newer }
  }

  /// The workspace's file is deleted.
  mutating func forget(_ id: WorkspaceID) { files[id] = nil }
}
