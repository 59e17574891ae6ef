import API
import Engine
import HTTPServer
import Relay
import Wire

/// Makes the answers to requests that are refused before a handler has answered them.
struct Refusals {
  let engine: Engine
  let renderer: Renderer

  func response(to request: Request, _ error: RelayError) -> HTTPResponse {
    if let ended = endedToken(of: request, error) { return response(to: request, ended) }
    engine.metrics.refused(error)
    var (detail, members) = explanation(of: error, request)
    var headers: [(String, String)] = []
    switch error {
    case .methodNotAllowed:
      let names = RouteTable.methods(besides: request.route).names.joined(separator: ", ")
      headers.append(("Allow", names))
      detail = "allowed are \(names)"
    // RFC 9110 §15.5.16.
    case .contentEncoding: headers.append(("Accept-Encoding", "identity"))
    default: break
    }
    if request.route.traits.contains(.callers) { headers += CrossOrigin.headers }
    let rendered = renderer.response(error, detail, members: members)
    var response = HTTPResponse(rendered)
    response.headers += rendered.headers + headers
    return response
  }

  /// A request that comes after a final error: certainly nothing of it is stored. A caller hears so
  /// in its own form.
  func stopping(_ request: Request) -> HTTPResponse {
    guard case .success(let rpc) = A2ACall.parse(request.body, version: nil) else {
      return response(to: request, .stopping)
    }
    let addressee = Addressee(call: 0, id: rpc.id, dialect: rpc.dialect, historyLength: nil)
    return .json(200, renderer.response(to: addressee.reply(.stopping)).body)
  }

  private func explanation(
    of error: RelayError, _ request: Request
  ) -> (detail: String?, members: [(String, JSON)]) {
    switch error {
    case .noRoute: return ("there are " + RouteSuggestions.nearest(request.head.path), [])
    case .badJSON: return (JSONUnreadable.first(in: request.body.span).map { "\($0)" }, [])
    case .wrongHost:
      return ("got \"\(request.head.requestedHost?.prefix(Limits.shownHostMax) ?? "")\"", [])
    case .workspaceRemoved where request.route.traits.contains(.explainsRemoval):
      let record = engine.directory.removed[request.workspace]
      return (nil, renderer.registry.removedMembers(record))
    case .unsupported where request.route.traits.contains(.feed):
      let (detail, members) = renderer.registry.insteadOfFeed(request.workspace)
      return (detail, members)
    default: return (nil, [])
    }
  }

  // MARK: removed workspaces

  /// Returns the removal that has ended the token which a refused request shows. Its agent is told
  /// that it will never be wanted again, in the form in which its loop ends.
  private func endedToken(of request: Request, _ error: RelayError) -> Directory.EndedToken? {
    guard error == .unauthorized || error == .unsupported && request.route.traits.contains(.feed)
    else { return nil }
    for secret in [request.head.relayKey, request.head.bearer] {
      if let secret, let ended = engine.directory.endedToken(secret) { return ended }
    }
    return nil
  }

  private func response(to request: Request, _ ended: Directory.EndedToken) -> HTTPResponse {
    // The removal may still fail, and then the token counts again: nobody is to give up for that.
    let error: RelayError = ended.isDurable ? .workspaceRemoved : .notStored
    engine.metrics.refused(error)
    let members = ended.isDurable ? renderer.registry.members(of: ended) : []
    // `molecule_agent` reads a 404 as "deleted" at `/state`, and for `molecule connect` a 410 of
    // `/activity` is a lost cursor, after which it polls again.
    let endsByNotFound = ended.isDurable && request.route.traits.contains(.endsByNotFound)
    var rendered = renderer.response(error, nil, members: members)
    if endsByNotFound { rendered.status = 404 }
    var response = HTTPResponse(rendered)
    response.headers += rendered.headers
    if request.route.traits.contains(.callers) { response.headers += CrossOrigin.headers }
    return response
  }
}
