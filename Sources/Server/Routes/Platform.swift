import Engine
import HTTPServer
import Relay
import Wire

/// What the platform's own clients call.
extension RelayServer {
  func platform(
    _ route: PlatformRoute, _ known: Identity?, _ head: HTTPRequestHead, _ body: [UInt8],
    _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    switch route {
    case .a2a(let target):
      try platformCall(target, known, head, body, ticket, loop, now: now)
    case .queueItem(let id, let message):
      let caller = if let known { known } else { try sender(of: message, head, ticket, now: now) }
      engine.queueItem(
        open(ticket, .other), message, at: id, caller: caller, isGiven: head.method == "GET",
        now: now)
    case .secrets(let id):
      let isRead = head.method == "GET" || head.method == "HEAD"
      guard isRead, let own = agentItself(head, ticket, now: now) else {
        guard let id else { throw .notFound }
        return isRead
          ? loop.respond(
            ticket, .json(200, engine.registry.json.secretList(engine.directory.secrets[id]).bytes))
          : try setSecret(id, head, body, ticket, now: now)
      }
      engine.registry.secrets.values(open(ticket, .other), of: own, isWrapped: true)
    case .secretValues:
      guard let own = agentItself(head, ticket, now: now) else { throw .notFound }
      engine.registry.secrets.values(open(ticket, .other), of: own, isWrapped: false)
    case .secret(let id, let key):
      engine.registry.secrets.delete(
        open(ticket, .other), key, of: id, by: actor(head, ticket, now: now), now: now)
    case .state(let id):
      let isAgent = agentItself(head, ticket, now: now) != nil
      guard let record = engine.directory.workspace(id) else { throw .notFound }
      let state = engine.registry.json.state(record, isForAgent: isAgent, now: now.wall)
      loop.respond(ticket, .json(200, state.bytes))
    case .activity: throw .unsupported
    case .updateCard: try updateCard(head, body, ticket, now: now)
    }
  }

  private func agentItself(
    _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) -> WorkspaceID? {
    guard case .workspace(let own) = identity(bearer(head), ticket, now: now) else { return nil }
    return own
  }

  private func setSecret(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    guard let key = json["key"]?.string, isSecretKey(key) else {
      return fail(
        ticket, .badRequest,
        "member \"key\" must have 1 to \(limits.secretKeyBytesMax) of A-Z a-z 0-9 _ . -")
    }
    // Its own name in the path.
    guard key != "values" else {
      return fail(ticket, .badRequest, "member \"key\" must not be \"values\"")
    }
    guard let value = json["value"]?.string, value.utf8.count <= limits.secretBytesMax else {
      return fail(
        ticket, .badRequest,
        "member \"value\" must be a string of at most \(limits.secretBytesMax) bytes")
    }
    engine.registry.secrets.set(
      open(ticket, .other), key, value, of: id, by: actor(head, ticket, now: now), now: now)
  }

  private func isSecretKey(_ key: String) -> Bool {
    (1...limits.secretKeyBytesMax) ~= key.utf8.count
      && key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private func updateCard(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    let own = try ownWorkspace(head, ticket, now: now)
    let json = try object(body)
    guard let id = json["workspace_id"]?.string.flatMap({ WorkspaceID($0) }) else {
      return fail(ticket, .badRequest, "member \"workspace_id\" must be a UUID")
    }
    guard id == own else { throw .notFound }
    guard let card = json["agent_card"], card.object != nil else {
      return fail(ticket, .badRequest, "member \"agent_card\" must be an object")
    }
    let bytes = card.bytes
    guard bytes.count <= limits.cardBytesMax else {
      return fail(ticket, .badRequest, "agent_card: at most \(limits.cardBytesMax) bytes")
    }
    do throws(AgentCardError) {
      try AgentCard.check(card)
    } catch {
      return fail(ticket, .badRequest, "agent_card: \(error.description)")
    }
    engine.registry.workspaces.updateCard(
      open(ticket, .other), bytes, of: id, actor: actor(head, ticket, now: now), now: now)
  }
}
