import Engine
import HTTPServer
import Relay
import Wire

/// Messages by the platform's way in: the same queue as at a workspace's URL, other manners.
struct PlatformCallRoutes {
  let engine: Engine
  let calls: OpenCalls
  let gate: Gate

  /// - `named`: the workspace in the path; `nil` at `/a2a`, where head or body name it.
  func call(_ request: Request, at named: WorkspaceID?) {
    let parsed: PlatformCall
    switch PlatformCall.parse(
      request.body, version: request.head.headers.first("a2a-version"),
      newID: engine.callers.newUUID)
    {
    case .success(let call): parsed = call
    case .failure(let error): return request.respond(.json(400, JSONRPC.error(error)))
    }
    let call = calls.open(request, .send)
    let addressee = Addressee(
      call: call, id: parsed.rpc.id, dialect: parsed.rpc.dialect,
      historyLength: parsed.rpc.historyLength, platformMethod: parsed.rpc.methodName)
    calls.setAddressee(
      addressee, of: call, isAnonymous: false,
      isCrossOrigin: request.head.headers.contains("origin"))
    do throws(RelayError) {
      if let named { return place(parsed, at: named, request.sender, call, request) }
      guard let target = try target(of: parsed, request) else {
        let error = A2AError.invalidParams(
          "no target: X-Target-Workspace-ID, params.metadata.target_workspace_id, "
            + "params.metadata.to, params.to, or X-Workspace-ID")
        return engine.replies.send(addressee.reply(error))
      }
      place(parsed, at: target, try gate.caller(of: target, request), call, request)
    } catch {
      engine.replies.send(addressee.reply(error))
    }
  }

  private func place(
    _ parsed: PlatformCall, at target: WorkspaceID, _ caller: Identity, _ call: CallID,
    _ request: Request
  ) {
    var rpc = parsed.rpc
    let hold = hold(of: parsed, at: target, request.head)
    rpc.isBlocking = hold > .zero
    let record = engine.directory.workspace(target)
    var callerRequest = CallerRequest(
      call: call, caller: caller, rpc: rpc, body: parsed.body,
      head: StoredHead.json(request.head, from: caller, besides: record?.credentials ?? []),
      holdUntil: request.now.instant + hold, platformMethod: rpc.methodName,
      payer: request.payer(of: caller, engine))
    callerRequest.given = parsed.given
    calls.setAddressee(
      callerRequest.addressee, of: call, isAnonymous: caller == .anonymous,
      isCrossOrigin: request.head.headers.contains("origin"))
    guard IdempotencyKeys.read(from: request.head, into: &callerRequest, engine) else { return }
    engine.callers.platformCall(callerRequest, at: target, now: request.now)
    // No white space: its clients have a time-out for the whole answer, and would never end.
    guard engine.callers.messageID(of: call) != nil else { return }
    request.hold(whitespace: false)
  }

  /// Returns how long a caller waits. Somebody must be there to answer, unless the caller has said
  /// how long it waits. Who answers something itself waits for nothing: two that did would wait for
  /// each other.
  private func hold(
    of call: PlatformCall, at target: WorkspaceID, _ head: HTTPRequestHead
  ) -> Duration {
    guard !call.isReply, call.rpc.isBlocking else { return .zero }
    let asked = head.preferredWait ?? head.headers.first("x-timeout").flatMap { Int($0) }
    if let asked, asked >= 0 { return min(.seconds(asked), engine.limits.holdMax) }
    return engine.callers.isPolled(target) ? engine.limits.platformHold : .zero
  }

  /// Returns the workspace that a call at `/a2a` is for; `nil` if it does not say.
  private func target(
    of call: PlatformCall, _ request: Request
  ) throws(RelayError) -> WorkspaceID? {
    let headers = request.head.headers
    if let named = headers.first("x-target-workspace-id") ?? call.target {
      guard let id = WorkspaceID(named) else { throw .notFound }
      return id
    }
    // The header names an agent's own workspace; operators have none, and mean the target.
    if let own = request.ownWorkspace { return own }
    guard let text = headers.first("x-workspace-id") else { return nil }
    guard let id = WorkspaceID(text) else { throw .notFound }
    return id
  }

  /// A message that was sent by the platform's way in, for whoever has sent it.
  func queueItem(_ request: Request) {
    engine.callers.queueItem(
      calls.open(request), request.message, at: request.workspace, caller: request.sender,
      isGiven: request.method == .get, now: request.now)
  }
}
