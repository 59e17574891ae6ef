package import Relay

extension QueueCounts {
  /// By the names under which callers and operators see them.
  package var named: [(name: String, count: Int)] {
    [
      ("unanswered", unanswered), ("unreceived", unreceived), ("dead", dead),
      ("interrupted", interrupted),
    ]
  }
}
