import Relay

/// What an operator asks of the relay as a whole.
enum StatusRoute: Equatable {
  /// `GET /admin/status`.
  case status
  /// `GET /admin/messages/{message}`: which workspaces the message may belong to.
  case workspaces(MessageID)

  init?(_ parts: PathSegments) {
    guard parts.has(0, "admin") else { return nil }
    if parts.count == 2, parts.has(1, "status") {
      self = .status
    } else if parts.count == 3, parts.has(1, "messages"), let message = parts.message(2) {
      self = .workspaces(message)
    } else {
      return nil
    }
  }
}
