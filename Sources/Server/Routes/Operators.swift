import Engine
import HTTPServer
import Relay
import Store
import Wire

extension RelayServer {
  /// The list of workspaces, or a new one.
  func workspaces(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    guard head.method == "POST" else { return try listWorkspaces(head, ticket, loop, now: now) }
    let json = try object(body)
    if let org = json["org"], org.string == nil {
      return fail(ticket, .badRequest, "org must be a string")
    }
    guard let org = try org(named: json["org"]?.string, .admin, head, ticket, now: now) else {
      return fail(ticket, .badRequest, Self.noOrg(json))
    }
    var id: WorkspaceID?
    if let text = json["id"] {
      guard let given = text.string.flatMap({ WorkspaceID($0) }) else {
        return fail(ticket, .badRequest, "member \"id\" must be a UUID")
      }
      id = given
    }
    if let name = json["name"], name.string == nil {
      return fail(ticket, .badRequest, "member \"name\" must be a string")
    }
    let name = json["name"]?.string ?? ""
    guard let parent = parent(json) else {
      return fail(ticket, .badRequest, "parent_id must be a UUID or null")
    }
    guard name.utf8.count <= limits.nameBytesMax else {
      return fail(ticket, .badRequest, "name: at most \(limits.nameBytesMax) bytes")
    }
    do throws(BadSetting) {
      let settings = try Settings(json)
      engine.registry.workspaces.create(
        open(ticket, .other), id: id, name: name, settings: settings, org: org, parent: parent,
        actor: actor(head, ticket, now: now), now: now)
    } catch {
      fail(ticket, .badRequest, error.text)
    }
  }

  /// `.some(nil)`: it names none. `nil`: what it names is no id.
  private func parent(_ json: JSON) -> WorkspaceID?? {
    guard let value = json["parent_id"], !value.isNull else { return .some(nil) }
    return value.string.flatMap { WorkspaceID($0) }.map { .some($0) }
  }

  /// In the order of their making, or of their removal, a page at a time: a list of all would keep
  /// everybody waiting.
  private func listWorkspaces(
    _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    let query = QueryItems(head.query)
    guard let size = Int(query.first("limit") ?? "\(limits.listRowsMax)"),
      (1...limits.listRowsMax) ~= size
    else { return fail(ticket, .badParameter, "limit must be 1 to \(limits.listRowsMax)") }
    var after: WorkspaceID?
    if let text = query.first("after") {
      guard let id = WorkspaceID(text) else {
        return fail(ticket, .badParameter, "after must be the \"next\" of a page")
      }
      after = id
    }
    guard let areRemoved = Self.flag(query.first("removed")) else {
      return fail(ticket, .badParameter, "removed must be 1 or 0")
    }
    let org = try `operator`(.read, head, ticket, now: now)
    guard
      let page = engine.directory.page(after: after, size, org: org, areRemoved: areRemoved)
    else { throw .notFound }
    var list: [JSON] = []
    for id in page.ids {
      if areRemoved {
        if let entry = engine.registry.json.removedEntry(engine.directory.removed[id]) {
          list.append(entry)
        }
      } else {
        list.append(try engine.workspaceStatus(id, now: now))
      }
    }
    var json: JSON = ["workspaces": .array(list)]
    if page.hasMore, let last = page.ids.last { json["next"] = .string(last.text) }
    loop.respond(ticket, .json(200, json.bytes))
  }

  func workspace(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ loop: Loop,
    now: Now
  ) throws(RelayError) {
    if head.method == "PATCH" { return try change(id, head, body, ticket, now: now) }
    var json = try engine.workspaceStatus(id, now: now)
    json["agent_card"] = engine.registry.json.registeredCard(engine.directory.workspace(id))
    loop.respond(ticket, .json(200, json.bytes))
  }

  /// Changes what is named, and nothing else: what is misspelled must not look as if it were done.
  private func change(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    let json = try object(body)
    let allowed = ["name", "parent_id"] + Settings.names
    if let unknown = json.object?.first(where: { !allowed.contains($0.key) }) {
      let names = allowed.joined(separator: ", ")
      return fail(
        ticket, .badRequest, "\"\(unknown.key.prefix(40))\" cannot be changed; there are \(names)")
    }
    guard let parent = parent(json) else {
      return fail(ticket, .badRequest, "parent_id must be a UUID or null")
    }
    var name: String?
    if let value = json["name"] {
      guard let text = value.string, text.utf8.count <= limits.nameBytesMax else {
        return fail(
          ticket, .badRequest, "name: a string of at most \(limits.nameBytesMax) bytes")
      }
      name = text
    }
    let settings = (json.object ?? []).filter { Settings.names.contains($0.key) }
    engine.registry.workspaces.change(
      open(ticket, .other), id,
      WorkspaceChange(
        name: name, parent: json["parent_id"] == nil ? nil : .some(parent),
        settings: .object(settings)),
      actor: actor(head, ticket, now: now), now: now)
  }
}
