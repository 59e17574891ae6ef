import Relay

/// The workspaces that a backup copies, one after the other, and how often a copy may begin again.
struct BackupPlan {
  private var workspaces: [WorkspaceID] = []
  private var next = 0
  private var restarts = 0
  private let restartsMax: Int
  /// The bytes of all planned files, which must fit before anything is copied.
  private(set) var bytes: Int64 = 0

  init(restartsMax: Int) { self.restartsMax = restartsMax }

  var count: Int { workspaces.count }
  /// The workspace whose turn it is; `nil` when all have had theirs.
  var current: WorkspaceID? { next < workspaces.count ? workspaces[next] : nil }

  mutating func add(_ id: WorkspaceID, bytes: Int64) {
    workspaces.append(id)
    self.bytes += bytes
  }

  /// The current workspace is copied or left out.
  mutating func advance() {
    precondition(next < workspaces.count, "no workspace has its turn")
    next += 1
    restarts = 0
  }

  /// Returns whether the copy of the current workspace may begin once more, and counts it.
  mutating func takeRestart() -> Bool {
    guard restarts < restartsMax else { return false }
    restarts += 1
    return true
  }
}
