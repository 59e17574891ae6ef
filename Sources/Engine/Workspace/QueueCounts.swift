package import Relay

extension QueueCounts {
  /// The counts with the names that callers and operators see.
  package var named: [(name: String, count: Int)] {
    [
      ("unanswered", unanswered), ("unreceived", unreceived), ("dead", dead),
      ("interrupted", interrupted),
    ]
  }
}
