import Engine
import HTTPServer
import Relay
import Wire

/// What callers do at a workspace's URL, and with the messages that they have sent.
struct CallerRoutes {
  let engine: Engine
  let calls: OpenCalls

  /// JSON-RPC at a workspace's URL.
  func call(_ request: Request) throws(RelayError) {
    let id = request.workspace
    let head = request.head
    let caller = request.sender
    let version = head.headers.first("a2a-version") ?? request.query.first("A2A-Version")
    let rpc: A2ACall
    switch A2ACall.parse(request.body, version: version) {
    case .success(let parsed): rpc = parsed
    case .failure(let error):
      var response = HTTPResponse.json(200, JSONRPC.error(error))
      response.headers += CrossOrigin.headers
      return request.respond(response)
    }
    let record = engine.directory.workspace(id)
    let hold = head.preferredWait.map { min(.seconds($0), engine.limits.holdMax) }
    let call = calls.open(request, .send)
    var callerRequest = CallerRequest(
      call: call, caller: caller, rpc: rpc, body: request.body,
      head: StoredHead.json(head, from: caller, besides: record?.credentials ?? []),
      holdUntil: request.now.instant + (hold ?? engine.limits.hold),
      payer: request.payer(of: caller, engine))
    calls.setAddressee(
      Addressee(call: call, id: rpc.id, dialect: rpc.dialect, historyLength: rpc.historyLength),
      of: call, isAnonymous: caller == .anonymous, isCrossOrigin: head.headers.contains("origin"))
    guard IdempotencyKeys.read(from: head, into: &callerRequest, engine) else { return }
    engine.callers.call(callerRequest, at: id, now: request.now)
    guard rpc.method == .send, rpc.isBlocking, let message = engine.callers.messageID(of: call)
    else { return }
    let names = calls.messageHeaders(message, isAnonymous: caller == .anonymous)
    request.hold(
      whitespace: (record?.settings ?? Settings()).keepsAlive, headers: names + CrossOrigin.headers)
  }

  func preflight(_ request: Request) {
    var response = HTTPResponse.empty(204)
    response.headers += [
      ("Access-Control-Allow-Origin", "*"),
      ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
      (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, X-Relay-Key, A2A-Version, A2A-Extensions, X-A2A-Extensions, "
          + "Prefer, Idempotency-Key"
      ),
      ("Access-Control-Max-Age", "600"),
    ]
    request.respond(response)
  }

  /// The card: at once, whether the agent is there or not (A2A 1.0 §8.6: caching).
  func card(_ request: Request) throws(RelayError) {
    let workspaces = engine.registry.workspaces
    guard let card = workspaces.card(request.workspace),
      let modified = workspaces.cardTime(request.workspace)
    else { throw .notFound }
    let date = HTTPDate.format(secondsSince1970: modified.nanoseconds / 1_000_000_000)
    let isFresh = isFresh(request.head, card.etag, modified)
    var response = isFresh ? HTTPResponse.empty(304) : .json(200, card.bytes)
    response.headers += [
      ("ETag", card.etag), ("Cache-Control", "public, max-age=60"),
      ("Last-Modified", String(decoding: date, as: UTF8.self)),
      ("Access-Control-Allow-Origin", "*"),
    ]
    request.respond(response)
  }

  /// RFC 9110 §13.2.2: If-Modified-Since counts only without If-None-Match.
  private func isFresh(_ head: HTTPRequestHead, _ etag: String, _ modified: WallTime) -> Bool {
    if head.headers.contains("if-none-match") {
      let tags = head.headers.all("if-none-match").joined(separator: ",").split(separator: ",")
      return tags.contains { tag in
        let bare = tag.filter { $0 != " " }
        return bare == "*" || bare == etag || bare == "W/\(etag)"
      }
    }
    guard let since = head.headers.first("if-modified-since").flatMap(HTTPDate.parse)
    else { return false }
    return modified.nanoseconds / 1_000_000_000 <= since
  }

  /// A message, for whoever has sent it.
  func ownMessage(_ request: Request) {
    engine.callers.callerMessage(
      calls.open(request), request.message, caller: request.sender,
      isGiven: request.method == .get, now: request.now)
  }
}
