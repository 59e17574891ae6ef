package import Relay

/// What an agent says of itself in a heartbeat; kept in memory, for people to look at.
package struct Vitals: Sendable, Equatable {
  package var at: WallTime
  package var activeTasks: Int?
  package var uptimeSeconds: Int?
  /// As the agent spelled the number.
  package var errorRate: String?

  package init(at: WallTime) { self.at = at }
}
