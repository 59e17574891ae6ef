import Engine
import HTTPServer
import Relay
import Wire

/// Messages by the platform's way in: the same queue as at a workspace's URL, other manners.
extension RelayServer {
  func platformCall(
    _ named: WorkspaceID?, _ known: Identity?, _ head: HTTPRequestHead, _ body: [UInt8],
    _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    let version = head.headers.first("a2a-version")
    let parsed: PlatformCall
    switch PlatformCall.parse(body, version: version, newID: engine.newUUID) {
    case .success(let call): parsed = call
    case .failure(let error):
      return loop.respond(ticket, .json(400, JSONRPC.error(error)))
    }
    let call = open(ticket, .send)
    let addressee = Addressee(
      call: call, id: parsed.rpc.id, dialect: parsed.rpc.dialect,
      historyLength: parsed.rpc.historyLength, platformMethod: parsed.rpc.methodName)
    calls.setAddressee(
      addressee, of: call, isAnonymous: false, isCrossOrigin: head.headers.contains("origin"))
    do throws(RelayError) {
      let found = if let named { named } else { try target(of: parsed, head, ticket, now: now) }
      guard let target = found else {
        let error = A2AError.invalidParams(
          "no target: X-Target-Workspace-ID, params.metadata.target_workspace_id, "
            + "params.metadata.to, params.to, or X-Workspace-ID")
        return engine.replies.send(addressee.reply(error))
      }
      let caller =
        if named != nil, let known { known } else {
          try caller(target, head, ticket, now: now)
        }
      place(parsed, at: target, caller, call, head, ticket, now: now)
    } catch {
      engine.replies.send(addressee.reply(error))
    }
  }

  private func place(
    _ parsed: PlatformCall, at target: WorkspaceID, _ caller: Identity, _ call: CallID,
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) {
    var rpc = parsed.rpc
    let hold = hold(of: parsed, at: target, head)
    rpc.isBlocking = hold > .zero
    let record = engine.directory.workspace(target)
    var request = CallerRequest(
      call: call, caller: caller, rpc: rpc, body: parsed.body,
      head: StoredHead.json(head, from: caller, besides: record?.credentials ?? []),
      holdUntil: now.instant + hold, platformMethod: rpc.methodName,
      payer: caller == .anonymous ? .anonymous : shown?.payer ?? engine.payer(of: caller))
    request.given = parsed.given
    calls.setAddressee(
      request.addressee, of: call, isAnonymous: caller == .anonymous,
      isCrossOrigin: head.headers.contains("origin"))
    if rpc.method == .send, head.headers.contains("idempotency-key") {
      guard let key = key(head, request) else { return }
      request.key = key
    }
    engine.platformCall(request, at: target, now: now)
    // No white space: its clients have a time-out for the whole answer, and would never end.
    guard engine.messageID(of: call) != nil else { return }
    loop?.hold(ticket, whitespace: false)
  }

  /// Somebody must be there to answer, unless the caller has said how long it waits. Who answers
  /// something itself waits for nothing: two that did would wait for each other.
  private func hold(
    of call: PlatformCall, at target: WorkspaceID, _ head: HTTPRequestHead
  ) -> Duration {
    guard !call.isReply, call.rpc.isBlocking else { return .zero }
    let asked = wait(head) ?? head.headers.first("x-timeout").flatMap { Int($0) }
    if let asked, asked >= 0 { return min(.seconds(asked), limits.holdMax) }
    return engine.isPolled(target) ? limits.platformHold : .zero
  }

  /// Whom a call at `/a2a` is for. `nil`: it does not say.
  private func target(
    of call: PlatformCall, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> WorkspaceID? {
    let named = head.headers.first("x-target-workspace-id") ?? call.target
    if let named {
      guard let id = WorkspaceID(named) else { throw .notFound }
      return id
    }
    // The header names an agent's own workspace; operators have none, and mean the target.
    if case .workspace(let own) = identity(secret(head), ticket, now: now) { return own }
    guard let text = head.headers.first("x-workspace-id") else { return nil }
    guard let id = WorkspaceID(text) else { throw .notFound }
    return id
  }
}
