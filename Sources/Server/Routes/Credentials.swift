import Engine
import HTTPServer
import Relay
import System
import Wire

extension RelayServer {
  /// Whether the credential may ask, as far as the head alone tells.
  func check(
    _ route: CredentialRoute, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    switch route {
    case .orgs, .audit: try operate(on: nil, .admin, head, ticket, now: now)
    case .keys, .key: _ = try `operator`(.admin, head, ticket, now: now)
    case .tokens(let id), .adminTokens(let id), .token(let id, _):
      let scope: RegisteredToken.Scopes = Self.isRead(head) ? .read : .admin
      try operate(on: id, scope, head, ticket, now: now)
    case .rotation(let id):
      if identity(bearer(head), ticket, now: now) == .workspace(id) { return }
      try operate(on: id, .admin, head, ticket, now: now)
    }
  }

  static func isRead(_ head: HTTPRequestHead) -> Bool {
    head.method == "GET" || head.method == "HEAD"
  }

  /// An operator of the relay (`nil`), or of one org.
  func `operator`(
    _ scope: RegisteredToken.Scopes, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) throws(RelayError) -> String? {
    switch identity(bearer(head), ticket, now: now) {
    case nil: throw .unauthorized
    case .admin: return nil
    case .org(let org, let scopes):
      guard !scopes.isDisjoint(with: scope.union(.admin)) else { throw .notFound }
      return org
    case .workspace, .anonymous: throw .notFound
    }
  }

  /// Which org is meant: an org's key means its own, and may say so; the operator of the relay
  /// names one, or means `default`. `nil`: the operator of the relay has named one that is not.
  func org(
    named name: String?, _ scope: RegisteredToken.Scopes, _ head: HTTPRequestHead,
    _ ticket: Ticket, now: Now
  ) throws(RelayError) -> String? {
    if let own = try `operator`(scope, head, ticket, now: now) {
      guard name == nil || name == own else { throw .notFound }
      return own
    }
    let name = name ?? Registry.defaultOrg
    return engine.directory.orgs[name] == nil ? nil : name
  }

  func credentials(
    _ route: CredentialRoute, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket,
    _ loop: Loop, now: Now
  ) throws(RelayError) {
    let actor = actor(head, ticket, now: now)
    switch route {
    case .orgs where Self.isRead(head):
      loop.respond(ticket, .json(200, engine.registry.json.orgs(engine.directory).bytes))
    case .orgs: try createOrg(body, ticket, actor, now: now)
    case .keys where Self.isRead(head):
      let name = QueryItems(head.query).first("org")
      guard let org = try org(named: name, .admin, head, ticket, now: now) else {
        throw .notFound
      }
      loop.respond(ticket, .json(200, engine.registry.json.keys(of: org, engine.directory).bytes))
    case .keys: try mintKey(head, body, ticket, actor, now: now)
    case .key(let key):
      let org = try `operator`(.admin, head, ticket, now: now)
      engine.registry.orgs.revokeKey(open(ticket, .other), key, in: org, actor: actor, now: now)
    case .audit: try audit(head, ticket)
    case .tokens(let id) where Self.isRead(head):
      loop.respond(ticket, .json(200, engine.registry.json.tokens(of: id, engine.directory).bytes))
    case .tokens(let id) where head.method == "DELETE":
      engine.registry.tokens.revoke(open(ticket, .other), of: id, nil, actor: actor, now: now)
    case .tokens(let id), .adminTokens(let id):
      try mintToken(id, body, ticket, actor, now: now)
    case .rotation(let id): try rotate(id, body, ticket, actor, now: now)
    case .token(let id, let token):
      engine.registry.tokens.revoke(open(ticket, .other), of: id, token, actor: actor, now: now)
    }
  }

  private func createOrg(
    _ body: [UInt8], _ ticket: Ticket, _ actor: String, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    guard let id = json["id"]?.string, Self.isOrgID(id) else {
      return fail(ticket, .badRequest, "id: 1 to 40 of a-z, 0-9 and -")
    }
    let name = json["name"]?.string ?? id
    guard json["name"] == nil || json["name"]?.string != nil,
      name.utf8.count <= limits.nameBytesMax
    else { return fail(ticket, .badRequest, "name: at most \(limits.nameBytesMax) bytes") }
    engine.registry.orgs.create(
      open(ticket, .other), RegisteredOrg(id: id, name: name), actor: actor, now: now)
  }

  private static func isOrgID(_ id: String) -> Bool {
    (1...40).contains(id.utf8.count)
      && id.utf8.allSatisfy { byte in
        byte == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      }
  }

  private func mintKey(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ actor: String, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    guard knows(json, only: ["org", "scopes", "name", "expires_in_seconds"], ticket) else { return }
    if let org = json["org"], org.string == nil {
      return fail(ticket, .badRequest, "org must be a string")
    }
    guard let org = try org(named: json["org"]?.string, .admin, head, ticket, now: now) else {
      return fail(ticket, .badRequest, Self.noOrg(json))
    }
    var scopes: RegisteredToken.Scopes = []
    for item in json["scopes"]?.array ?? [] {
      guard let known = RegisteredToken.Scopes.names.first(where: { $0.name == item.string })
      else {
        scopes = []
        break
      }
      scopes.insert(known.scope)
    }
    guard !scopes.isEmpty else {
      return fail(ticket, .badRequest, "scopes: a list of admin, send and read, not empty")
    }
    guard let wish = try wish(json, ticket) else { return }
    engine.registry.orgs.mintKey(
      open(ticket, .other), for: org, scopes, wish, actor: actor, now: now)
  }

  static func noOrg(_ json: JSON) -> String {
    "org: there is no \"\(json["org"]?.string?.prefix(40) ?? "")\"; POST /orgs makes it"
  }

  private func mintToken(
    _ id: WorkspaceID, _ body: [UInt8], _ ticket: Ticket, _ actor: String, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    guard knows(json, only: ["name", "expires_in_seconds"], ticket),
      let wish = try wish(json, ticket)
    else { return }
    engine.registry.tokens.mint(open(ticket, .other), for: id, wish, actor: actor, now: now)
  }

  /// `nil`: what is wrong with it has been answered.
  private func wish(_ json: JSON, _ ticket: Ticket) throws(RelayError) -> TokenWish? {
    var wish = TokenWish()
    if let name = json["name"], !name.isNull {
      guard let text = name.string, text.utf8.count <= limits.nameBytesMax else {
        fail(ticket, .badRequest, "name: a string of at most \(limits.nameBytesMax) bytes")
        return nil
      }
      wish.name = text
    }
    if let life = json["expires_in_seconds"], !life.isNull {
      let most = Int(limits.tokenLifeMax.components.seconds)
      guard let seconds = life.int, (1...most).contains(seconds) else {
        fail(ticket, .badParameter, "expires_in_seconds must be 1 to \(most)")
        return nil
      }
      wish.life = .seconds(seconds)
    }
    return wish
  }

  private func rotate(
    _ id: WorkspaceID, _ body: [UInt8], _ ticket: Ticket, _ actor: String, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    guard knows(json, only: ["grace_seconds"], ticket) else { return }
    var grace = limits.rotationGrace
    if let value = json["grace_seconds"], !value.isNull {
      let most = Int(limits.rotationGraceMax.components.seconds)
      guard let seconds = value.int, (0...most).contains(seconds) else {
        return fail(ticket, .badParameter, "grace_seconds must be 0 to \(most)")
      }
      grace = .seconds(seconds)
    }
    // Its holder rotates one token; an operator, all of them.
    engine.registry.tokens.rotate(
      open(ticket, .other), of: id, grace: grace,
      own: shown?.identity == .workspace(id) ? shown?.use : nil, actor: actor, now: now)
  }

  private func audit(_ head: HTTPRequestHead, _ ticket: Ticket) throws(RelayError) {
    let query = QueryItems(head.query)
    guard let size = Int(query.first("limit") ?? "\(limits.listRowsMax)"),
      (1...limits.listRowsMax) ~= size
    else { return fail(ticket, .badParameter, "limit must be 1 to \(limits.listRowsMax)") }
    guard let after = Int64(query.first("after") ?? "\(Int64.max)"), after > 0 else {
      return fail(ticket, .badParameter, "after must be the id of a line")
    }
    engine.registry.showAudit(open(ticket, .other), before: after, limit: size)
  }
}
