import API
import Engine
import Relay
import Wire

/// The tokens of one workspace: operators make, list and revoke them, their holder rotates them.
struct TokenRoutes {
  let engine: Engine
  let calls: OpenCalls

  func list(_ request: Request) {
    request.respond(calls.renderer.registry.tokens(of: request.workspace, engine.directory))
  }

  func mint(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    do throws(BatchFault) {
      try QueryValue.check(json, hasOnly: ["name", "expires_in_seconds"])
      let wish = try TokenWish(json, engine.limits)
      engine.registry.tokens.mint(
        calls.open(request), for: request.workspace, wish, actor: request.actor, now: request.now)
    } catch {
      calls.fail(request, error)
    }
  }

  func rotate(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    do throws(BatchFault) {
      try QueryValue.check(json, hasOnly: ["grace_seconds"])
      let most = Int(engine.limits.rotationGraceMax.components.seconds)
      let grace = try QueryValue.seconds("grace_seconds", json, 0...most)
      // Its holder rotates one token; an operator, all of them.
      engine.registry.tokens.rotate(
        calls.open(request), of: request.workspace, grace: grace ?? engine.limits.rotationGrace,
        own: request.ownWorkspace == request.workspace ? request.shown?.use : nil,
        actor: request.actor, now: request.now)
    } catch {
      calls.fail(request, error)
    }
  }

  func revokeAll(_ request: Request) { revoke(nil, request) }

  func revoke(_ request: Request) { revoke(request.text, request) }

  private func revoke(_ token: String?, _ request: Request) {
    engine.registry.tokens.revoke(
      calls.open(request), of: request.workspace, token, actor: request.actor, now: request.now)
  }
}

extension TokenWish {
  /// Reads what a body asks of a new token or key.
  init(_ json: JSON, _ limits: Limits) throws(BatchFault) {
    self.init()
    if let name = json["name"], !name.isNull {
      guard let text = name.string, text.utf8.count <= limits.nameBytesMax else {
        throw BatchFault(
          .badRequest, "name: a string of at most \(limits.nameBytesMax) bytes")
      }
      self.name = text
    }
    let most = Int(limits.tokenLifeMax.components.seconds)
    life = try QueryValue.seconds("expires_in_seconds", json, 1...most)
  }
}
