import API
import Engine
import HTTPServer
import Relay
import System
import Wire

/// What agents say of themselves: that they are there, where, and with which card.
struct AgentRoutes {
  let engine: Engine
  let calls: OpenCalls
  let registration: RegistrationMode

  func register(_ request: Request) throws(RelayError) {
    let limits = engine.limits
    // Whose workspace it is decides before anything is made of the card.
    guard let id = AgentCallReader.workspace(of: request.body) else {
      _ = try request.object(limits)
      return calls.fail(request, .badRequest, "member \"id\" must be a UUID")
    }
    let known = request.shown?.identity
    try engine.registry.workspaces.checkRegistration(
      of: id, by: known, mode: registration, now: request.now)
    let json = try request.object(limits)
    let card = json["agent_card"]
    let bytes = card?.bytes ?? []
    let url = json["url"]?.string ?? ""
    guard bytes.count + url.utf8.count <= limits.cardBytesMax else {
      return calls.fail(
        request, .badRequest, "agent_card and url: at most \(limits.cardBytesMax) bytes")
    }
    guard !URLUser.isIn(url) else {
      return calls.fail(
        request, .badRequest, "url has a user name or password in it; write it without")
    }
    if let card, !card.isNull {
      do throws(AgentCardError) {
        try AgentCard.check(card)
      } catch {
        return calls.fail(request, .badRequest, "agent_card: \(error.description)")
      }
    }
    engine.registry.workspaces.register(
      calls.open(request),
      Registration(
        id: id, cardName: card?["name"]?.string ?? "", cardBytes: card?.isNull == true ? [] : bytes,
        url: url, wantsPush: json["delivery_mode"]?.string == "push", origin: origin(request)),
      identity: known, mode: registration, now: request.now)
  }

  /// Who registers. Of claims, which show no credential, it is told where they come from.
  private func origin(_ request: Request) -> TokenOrigin {
    guard request.head.bearer == nil else { return TokenOrigin(by: request.actor) }
    return TokenOrigin(
      by: "anonymous", from: request.peer?.host ?? "",
      via: String(
        (request.head.headers.first("x-forwarded-for") ?? "").prefix(Limits.forwardedForMax)))
  }

  func heartbeat(_ request: Request) throws(RelayError) {
    guard let own = request.ownWorkspace else { throw .notFound }
    let json = try request.object(engine.limits)
    if let named = json["workspace_id"], !named.isNull {
      guard let text = named.string else {
        return calls.fail(request, .badRequest, "member \"workspace_id\" must be a string")
      }
      guard WorkspaceID(text) == own else { throw .notFound }
    }
    do throws(BadSetting) {
      engine.registry.beat(own, try SettingsReader.vitals(json, at: request.now.wall))
    } catch {
      return calls.fail(request, .badRequest, error.text)
    }
    let reply = Reply(call: calls.open(request), .alive)
    engine.agents.heartbeat(own, reply, now: request.now)
  }

  func updateCard(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    guard let id = json["workspace_id"]?.string.flatMap({ WorkspaceID($0) }) else {
      return calls.fail(request, .badRequest, "member \"workspace_id\" must be a UUID")
    }
    guard id == request.ownWorkspace else { throw .notFound }
    guard let card = json["agent_card"], card.object != nil else {
      return calls.fail(request, .badRequest, "member \"agent_card\" must be an object")
    }
    let bytes = card.bytes
    guard bytes.count <= engine.limits.cardBytesMax else {
      return calls.fail(
        request, .badRequest, "agent_card: at most \(engine.limits.cardBytesMax) bytes")
    }
    do throws(AgentCardError) {
      try AgentCard.check(card)
    } catch {
      return calls.fail(request, .badRequest, "agent_card: \(error.description)")
    }
    engine.registry.workspaces.updateCard(
      calls.open(request), bytes, of: id, actor: request.actor, now: request.now)
  }

  /// Whether the workspace is paused or removed, and what else its agent or an operator may know.
  func state(_ request: Request) throws(RelayError) {
    guard let record = engine.directory.workspace(request.workspace) else { throw .notFound }
    request.respond(
      calls.renderer.registry.state(
        record, isForAgent: request.ownWorkspace != nil, now: request.now.wall))
  }
}
