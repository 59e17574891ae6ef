package import Relay

/// Counts the agents that are online, offline or awaited. It walks through the registry a part at a
/// time, because one look at all of 100,000 workspaces would hold up the loop.
package struct AgentSweep: Sendable {
  package struct Counts: Sendable, Equatable {
    package var online = 0
    /// Workspaces whose agent has registered, and has shown no sign of life for a while.
    package var offline = 0
    /// Workspaces whose agent has never registered.
    package var awaiting = 0

    /// The number of workspaces in use.
    package var all: Int { online + offline + awaiting }
  }

  /// The counts of the last complete pass.
  package private(set) var counts = Counts()
  private var soFar = Counts()
  private var after: WorkspaceID?

  package init() {}

  /// Looks at the next part of the workspaces.
  package mutating func advance(
    _ directory: borrowing Directory, offlineAfter: Duration, now: WallTime
  ) {
    guard let page = directory.page(after: after, Limits.agentsCountedMax) else {
      // The workspace at which the last part ended is gone: the pass starts again.
      after = nil
      soFar = Counts()
      return
    }
    for id in page.ids {
      guard let record = directory.workspace(id) else { continue }
      if !record.isClaimed {
        soFar.awaiting += 1
      } else if record.lastSeen.map({ $0 + offlineAfter > now }) ?? false {
        soFar.online += 1
      } else {
        soFar.offline += 1
      }
    }
    after = page.ids.last
    guard !page.hasMore else { return }
    counts = soFar
    soFar = Counts()
    after = nil
  }
}
