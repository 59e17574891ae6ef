import API
import Engine
import Relay
import Store
import Wire

/// What operators do with workspaces: they list, make, show, change, remove and restore them.
struct WorkspaceRoutes {
  let engine: Engine
  let calls: OpenCalls

  func create(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    if let org = json["org"], org.string == nil {
      return calls.fail(request, .badRequest, "org must be a string")
    }
    let named = json["org"]?.string
    guard let org = try request.org(named: named, engine.directory) else {
      return calls.fail(request, .badRequest, OrgRoutes.noOrg(named))
    }
    var id: WorkspaceID?
    if let text = json["id"] {
      guard let given = text.string.flatMap({ WorkspaceID($0) }) else {
        return calls.fail(request, .badRequest, "member \"id\" must be a UUID")
      }
      id = given
    }
    if let name = json["name"], name.string == nil {
      return calls.fail(request, .badRequest, "member \"name\" must be a string")
    }
    let name = json["name"]?.string ?? ""
    guard let parent = parent(json) else {
      return calls.fail(request, .badRequest, "parent_id must be a UUID or null")
    }
    guard name.utf8.count <= engine.limits.nameBytesMax else {
      return calls.fail(
        request, .badRequest, "name: at most \(engine.limits.nameBytesMax) bytes")
    }
    do throws(BadSetting) {
      var settings = Settings()
      settings.change(try SettingsReader.read(json))
      engine.registry.workspaces.create(
        calls.open(request), id: id, name: name, settings: settings, org: org, parent: parent,
        actor: request.actor, now: request.now)
    } catch {
      calls.fail(request, .badRequest, error.text)
    }
  }

  /// Returns the parent that the body names: `.some(nil)` if it names none, `nil` if what it names
  /// is no id.
  private func parent(_ json: JSON) -> WorkspaceID?? {
    guard let value = json["parent_id"], !value.isNull else { return .some(nil) }
    return value.string.flatMap { WorkspaceID($0) }.map { .some($0) }
  }

  /// In the order in which they were made, or removed, a page at a time: a list of all would keep
  /// everybody waiting.
  func list(_ request: Request) throws(RelayError) {
    let query = request.query
    let size: Int
    let sizeMax = engine.limits.listRowsMax
    do throws(BatchFault) {
      size =
        try QueryValue.number("limit", query.first("limit"), 1...sizeMax) ?? sizeMax
    } catch {
      return calls.fail(request, error)
    }
    var after: WorkspaceID?
    if let text = query.first("after") {
      guard let id = WorkspaceID(text) else {
        return calls.fail(request, .badParameter, "after must be the \"next\" of a page")
      }
      after = id
    }
    guard let areRemoved = QueryValue.flag(query.first("removed")) else {
      return calls.fail(request, .badParameter, "removed must be 1 or 0")
    }
    let page = engine.directory.page(
      after: after, size, org: request.ownOrg, areRemoved: areRemoved)
    guard let page else { throw .notFound }
    var list: [JSON] = []
    for id in page.ids {
      if areRemoved {
        if let entry = calls.renderer.registry.removedEntry(engine.directory.removed[id]) {
          list.append(entry)
        }
      } else {
        list.append(try status(of: id, request))
      }
    }
    var json: JSON = ["workspaces": .array(list)]
    if page.hasMore, let last = page.ids.last { json["next"] = .string(last.text) }
    request.respond(json)
  }

  private func status(of id: WorkspaceID, _ request: Request) throws(RelayError) -> JSON {
    calls.renderer.registry.status(
      try engine.operators.workspaceStatus(id, now: request.now), now: request.now.wall)
  }

  func show(_ request: Request) throws(RelayError) {
    var json = try status(of: request.workspace, request)
    json["agent_card"] = calls.renderer.registry.registeredCard(
      engine.directory.workspace(request.workspace))
    request.respond(json)
  }

  /// Changes what the body names, and nothing else: what is misspelled must not look as if it were
  /// done.
  func change(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    let allowed = ["name", "parent_id"] + SettingsReader.names
    if let unknown = json.object?.first(where: { !allowed.contains($0.key) }) {
      let names = allowed.joined(separator: ", ")
      return calls.fail(
        request, .badRequest,
        "\"\(unknown.key.prefix(40))\" cannot be changed; there are \(names)")
    }
    guard let parent = parent(json) else {
      return calls.fail(request, .badRequest, "parent_id must be a UUID or null")
    }
    var name: String?
    if let value = json["name"] {
      guard let text = value.string, text.utf8.count <= engine.limits.nameBytesMax else {
        return calls.fail(
          request, .badRequest,
          "name: a string of at most \(engine.limits.nameBytesMax) bytes")
      }
      name = text
    }
    let settings: SettingsChange
    do throws(BadSetting) {
      settings = try SettingsReader.read(json)
    } catch {
      return calls.fail(request, .badRequest, error.text)
    }
    engine.registry.workspaces.change(
      calls.open(request), request.workspace,
      WorkspaceChange(
        name: name, parent: json["parent_id"] == nil ? nil : .some(parent),
        settings: settings),
      actor: request.actor, now: request.now)
  }

  /// Removes a workspace. It can be restored for a while, unless it is purged.
  func remove(_ request: Request) throws(RelayError) {
    let query = request.query
    guard let purge = QueryValue.flag(query.first("purge")),
      let isConfirmed = QueryValue.flag(query.first("confirm"))
    else { throw .badParameter }
    engine.registry.removals.remove(
      calls.open(request), request.workspace, purge: purge, isConfirmed: isConfirmed,
      actor: request.actor, now: request.now)
  }

  func restore(_ request: Request) {
    engine.registry.removals.restore(
      calls.open(request), request.workspace, actor: request.actor, now: request.now)
  }
}
