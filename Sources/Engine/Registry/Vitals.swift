package import Relay
package import Wire

/// What an agent says of itself in a heartbeat; kept in memory, for people to look at.
package struct Vitals: Sendable, Equatable {
  package var at: WallTime
  package var activeTasks: Int?
  package var uptimeSeconds: Int?
  /// As the agent spelled the number.
  package var errorRate: String?

  package init(at: WallTime) { self.at = at }

  /// Reads the members that have a type to keep; all others are taken and ignored, as a heartbeat
  /// that is refused ends some agents' loops for good.
  package init(_ body: JSON, at: WallTime) throws(BadSetting) {
    self.init(at: at)
    activeTasks = try Self.count("active_tasks", body)
    uptimeSeconds = try Self.count("uptime_seconds", body)
    if case .number(let rate) = body["error_rate"] { errorRate = rate }
  }

  private static func count(_ name: String, _ body: JSON) throws(BadSetting) -> Int? {
    guard let value = body[name], !value.isNull else { return nil }
    guard let count = value.int else { throw BadSetting("member \"\(name)\" must be an integer") }
    return count
  }
}
