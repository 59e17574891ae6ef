import Engine
import HTTPServer
import Relay
import Wire

/// What an agent is told whose workspace has been removed: that it will never be wanted again, in
/// the form in which its loop ends.
extension RelayServer {
  /// The removal that has ended the token which a refused request shows.
  func ended(
    _ error: RelayError, _ route: Route, _ head: HTTPRequestHead
  ) -> Directory.EndedToken? {
    switch (error, route) {
    case (.unauthorized, _), (.unsupported, .platform(.activity)): break
    default: return nil
    }
    for secret in [head.headers.firstBytes("x-relay-key"), bearer(head)] {
      if let secret, let ended = engine.directory.endedToken(secret) { return ended }
    }
    return nil
  }

  func refusal(of ended: Directory.EndedToken, _ route: Route) -> HTTPResponse {
    // It may still fail, and then the token counts again: nobody is to give up for that.
    let error: RelayError = ended.isDurable ? .workspaceRemoved : .notStored
    engine.metrics.refused(error)
    let members = ended.isDurable ? engine.registry.json.members(of: ended) : []
    var response = HTTPResponse.json(
      ended.isDurable && route.endsByNotFound ? 404 : error.status,
      Reply.body(error, nil, members))
    response.headers += Reply.headers(error)
    if case .call = route { response.headers += CrossOrigin.headers }
    return response
  }
}

extension Route {
  /// The platform's clients end at a 404 here: `molecule_agent` reads it as "deleted" at `/state`,
  /// and for `molecule connect` a 410 of `/activity` is a lost cursor, after which it polls again.
  fileprivate var endsByNotFound: Bool {
    switch self {
    case .platform(.state), .platform(.activity): true
    default: false
    }
  }
}
