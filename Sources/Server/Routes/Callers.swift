import Engine
import HTTPServer
import Relay
import Wire

extension RelayServer {
  /// JSON-RPC at a workspace's URL.
  func call(
    _ id: WorkspaceID, _ known: Identity?, _ head: HTTPRequestHead, _ body: [UInt8],
    _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    if head.method == "OPTIONS" { return preflight(ticket, loop) }
    let caller = if let known { known } else { try caller(id, head, ticket, now: now) }
    let version =
      head.headers.first("a2a-version") ?? QueryItems(head.query).first("A2A-Version")
    let rpc: A2ACall
    switch A2ACall.parse(body, version: version) {
    case .success(let parsed): rpc = parsed
    case .failure(let error):
      var response = HTTPResponse.json(200, JSONRPC.error(error))
      response.headers += CrossOrigin.headers
      return loop.respond(ticket, response)
    }
    let settings = engine.directory.workspace(id)?.settings ?? Settings()
    let hold = wait(head).map { min(.seconds($0), limits.holdMax) } ?? limits.hold
    let call = open(ticket, .send)
    var request = CallerRequest(
      call: call, caller: caller, rpc: rpc, body: body,
      head: StoredHead.json(
        head, from: caller, besides: engine.directory.workspace(id)?.credentials ?? []),
      holdUntil: now.instant + hold,
      payer: caller == .anonymous ? .anonymous : shown?.payer ?? engine.payer(of: caller))
    calls.setAddressee(
      Addressee(call: call, id: rpc.id, dialect: rpc.dialect, historyLength: rpc.historyLength),
      of: call, isAnonymous: caller == .anonymous, isCrossOrigin: head.headers.contains("origin"))
    if rpc.method == .send, head.headers.contains("idempotency-key") {
      guard let key = key(head, request) else { return }
      request.key = key
    }
    engine.call(request, at: id, now: now)
    guard rpc.method == .send, rpc.isBlocking, let message = engine.messageID(of: call)
    else { return }
    let names = calls.messageHeaders(message, isAnonymous: caller == .anonymous)
    loop.hold(ticket, whitespace: settings.keepsAlive, headers: names + CrossOrigin.headers)
  }

  /// RFC 7240 §4.3: `Prefer: wait=10`, in seconds.
  func wait(_ head: HTTPRequestHead) -> Int? {
    for value in head.headers.all("prefer") {
      for part in value.split(whereSeparator: { $0 == "," || $0 == ";" }) {
        let pair = part.split(separator: "=", maxSplits: 1)
        let name = pair.first.map { $0.filter { $0 != " " }.lowercased() }
        guard name == "wait", pair.count == 2 else { continue }
        if let seconds = Int(pair[1].filter { $0 != " " && $0 != "\"" }), seconds >= 0 {
          return seconds
        }
      }
    }
    return nil
  }

  private func preflight(_ ticket: Ticket, _ loop: Loop) {
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
    loop.respond(ticket, response)
  }

  /// The card: at once, whether the agent is there or not (A2A 1.0 §8.6: caching).
  func card(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop
  ) throws(RelayError) {
    if head.method == "OPTIONS" { return preflight(ticket, loop) }
    guard let card = engine.registry.workspaces.card(id),
      let modified = engine.registry.workspaces.cardTime(id)
    else { throw .notFound }
    let date = HTTPDate.format(secondsSince1970: modified.nanoseconds / 1_000_000_000)
    let headers = [
      ("ETag", card.etag), ("Cache-Control", "public, max-age=60"),
      ("Last-Modified", String(decoding: date, as: UTF8.self)),
      ("Access-Control-Allow-Origin", "*"),
    ]
    var response =
      isFresh(head, card.etag, modified) ? HTTPResponse.empty(304) : .json(200, card.bytes)
    response.headers += headers
    loop.respond(ticket, response)
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

  /// A caller's own message.
  func show(
    _ message: MessageID, _ known: Identity?, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    let caller = if let known { known } else { try sender(of: message, head, ticket, now: now) }
    engine.callerMessage(
      open(ticket, .other), message, caller: caller, isGiven: head.method == "GET", now: now)
  }
}
