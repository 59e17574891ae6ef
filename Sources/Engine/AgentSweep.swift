package import Relay

/// How many agents are online, offline, or awaited, found by walking through the registry in
/// memory a part at a time: a look at all of 100,000 would keep everybody waiting.
package struct AgentSweep: Sendable {
  package struct Counts: Sendable, Equatable {
    package var online = 0
    /// An agent has been there, and has shown no sign of life for a while.
    package var offline = 0
    /// No agent has ever registered.
    package var awaiting = 0

    /// Those in use.
    package var all: Int { online + offline + awaiting }
  }

  /// As of the last pass that came to its end.
  package private(set) var counts = Counts()
  private var soFar = Counts()
  private var after: WorkspaceID?

  package init() {}

  /// One more part.
  package mutating func advance(
    _ directory: borrowing Directory, offlineAfter: Duration, now: WallTime
  ) {
    guard let page = directory.page(after: after, Limits.agentsCountedMax) else {
      // Where it stood is gone: from the beginning.
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
