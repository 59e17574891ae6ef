package import Relay

/// The state that an agent reports in a heartbeat; kept in memory, for people to look at.
package struct Vitals: Sendable, Equatable {
  package var at: WallTime
  package var activeTasks: Int?
  package var uptimeSeconds: Int?
  /// The error rate, with the digits that the agent sent.
  package var errorRate: String?

  package init(at: WallTime) { self.at = at }
}
