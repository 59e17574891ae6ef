import Engine
import HTTPServer
import Relay
import Wire

extension Route {
  /// The workspace that an operator's route is about.
  var operated: WorkspaceID? {
    switch self {
    case .workspace(let id), .restore(let id), .timeline(let id, _): id
    default: nil
    }
  }
}

extension RelayServer {
  /// `DELETE /workspaces/{id}`: it can be restored for a while, unless it is purged.
  func removeWorkspace(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    let query = QueryItems(head.query)
    let purge = try flag("purge", query)
    let isConfirmed = try flag("confirm", query)
    engine.registry.removals.remove(
      open(ticket, .other), id, purge: purge, isConfirmed: isConfirmed,
      actor: actor(head, ticket, now: now), now: now)
  }

  func restoreWorkspace(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) {
    engine.registry.removals.restore(
      open(ticket, .other), id, actor: actor(head, ticket, now: now), now: now)
  }

  private func flag(_ name: String, _ query: QueryItems) throws(RelayError) -> Bool {
    guard let value = Self.flag(query.first(name)) else { throw .badParameter }
    return value
  }

  /// What an item of a query says; `nil`: nothing that is allowed.
  static func flag(_ text: String?) -> Bool? {
    switch text {
    case nil, "false", "0": false
    case "true", "1": true
    default: nil
    }
  }
}
