import API
import Engine
import Relay
import Wire

/// Orgs, the keys of their operators, and the audit of what operators did.
struct OrgRoutes {
  let engine: Engine
  let calls: OpenCalls

  func list(_ request: Request) {
    request.respond(calls.renderer.registry.orgs(engine.directory))
  }

  func create(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    guard let id = json["id"]?.string, isOrgID(id) else {
      return calls.fail(request, .badRequest, "id: 1 to 40 of a-z, 0-9 and -")
    }
    let name = json["name"]?.string ?? id
    let most = engine.limits.nameBytesMax
    guard json["name"] == nil || json["name"]?.string != nil, name.utf8.count <= most else {
      return calls.fail(request, .badRequest, "name: at most \(most) bytes")
    }
    engine.registry.orgs.create(
      calls.open(request), RegisteredOrg(id: id, name: name), actor: request.actor,
      now: request.now)
  }

  private func isOrgID(_ id: String) -> Bool {
    (1...40).contains(id.utf8.count)
      && id.utf8.allSatisfy { byte in
        byte == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      }
  }

  // MARK: keys

  func keys(_ request: Request) throws(RelayError) {
    let org = try request.org(named: request.query.first("org"), engine.directory)
    guard let org else { throw .notFound }
    request.respond(calls.renderer.registry.keys(of: org, engine.directory))
  }

  func mintKey(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    do throws(BatchFault) {
      try QueryValue.check(json, hasOnly: ["org", "scopes", "name", "expires_in_seconds"])
    } catch {
      return calls.fail(request, error)
    }
    if let org = json["org"], org.string == nil {
      return calls.fail(request, .badRequest, "org must be a string")
    }
    let named = json["org"]?.string
    guard let org = try request.org(named: named, engine.directory) else {
      return calls.fail(request, .badRequest, Self.noOrg(named))
    }
    do throws(BatchFault) {
      let scopes = try scopes(json)
      let wish = try TokenWish(json, engine.limits)
      engine.registry.orgs.mintKey(
        calls.open(request), for: org, scopes, wish, actor: request.actor, now: request.now)
    } catch {
      calls.fail(request, error)
    }
  }

  static func noOrg(_ name: String?) -> String {
    "org: there is no \"\(name?.prefix(40) ?? "")\"; POST /orgs makes it"
  }

  private func scopes(_ json: JSON) throws(BatchFault) -> RegisteredToken.Scopes {
    var scopes: RegisteredToken.Scopes = []
    for item in json["scopes"]?.array ?? [] {
      let known = RegisteredToken.Scopes.names.first { $0.name == item.string }
      guard let known else {
        scopes = []
        break
      }
      scopes.insert(known.scope)
    }
    guard !scopes.isEmpty else {
      throw BatchFault(.badRequest, "scopes: a list of admin, send and read, not empty")
    }
    return scopes
  }

  func revokeKey(_ request: Request) {
    engine.registry.orgs.revokeKey(
      calls.open(request), request.text, in: request.ownOrg, actor: request.actor,
      now: request.now)
  }

  // MARK: the audit

  func audit(_ request: Request) {
    let query = request.query
    let sizeMax = engine.limits.listRowsMax
    do throws(BatchFault) {
      let size = try QueryValue.number("limit", query.first("limit"), 1...sizeMax) ?? sizeMax
      guard let after = Int64(query.first("after") ?? "\(Int64.max)"), after > 0 else {
        throw BatchFault(.badParameter, "after must be the id of a line")
      }
      engine.registry.showAudit(calls.open(request), before: after, limit: size)
    } catch {
      calls.fail(request, error)
    }
  }
}
