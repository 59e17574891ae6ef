import Broker
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
    guard name.utf8.count <= limits.nameBytesMax else {
      return fail(ticket, .badRequest, "name: at most \(limits.nameBytesMax) bytes")
    }
    do throws(BadSetting) {
      var settings = try Settings(json)
      // The relay's own note.
      settings.cardAt = nil
      broker.createWorkspace(open(ticket, .other), id: id, name: name, settings: settings, now: now)
    } catch {
      fail(ticket, .badRequest, error.text)
    }
  }

  /// In the order of their making, a page at a time: a list of all would keep everybody waiting.
  private func listWorkspaces(
    _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    let query = QueryItems(head.query)
    guard let size = Int(query.first("limit") ?? "\(Self.pageMax)"), (1...Self.pageMax) ~= size
    else { return fail(ticket, .badParameter, "limit must be 1 to \(Self.pageMax)") }
    var after: WorkspaceID?
    if let text = query.first("after") {
      guard let id = WorkspaceID(text) else { throw .badParameter }
      after = id
    }
    guard let page = broker.directory.page(after: after, size) else { throw .notFound }
    var list: [JSON] = []
    for id in page.ids { list.append(try broker.workspaceStatus(id, now: now)) }
    var json: JSON = ["workspaces": .array(list)]
    if page.hasMore, let last = page.ids.last { json["next"] = .string(last.text) }
    loop.respond(ticket, .json(200, json.bytes))
  }

  /// Workspaces in one page of the list.
  private static let pageMax = 500

  func workspace(
    _ id: WorkspaceID, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    var json = try broker.workspaceStatus(id, now: now)
    json["agent_card"] = broker.registeredCard(id)
    loop.respond(ticket, .json(200, json.bytes))
  }

  /// Whether sends would be taken now.
  func ready(_ ticket: Ticket, _ loop: Loop) {
    let isReady = broker.fatal == nil && !broker.isDiskLow && !broker.isShuttingDown
    let failed = broker.failedWorkspaces
    let json: JSON = [
      "status": .string(isReady ? failed.isEmpty ? "ready" : "degraded" : "not_ready"),
      "disk_low": .bool(broker.isDiskLow),
      "unavailable_workspaces": .array(failed.map { .string($0.text) }),
    ]
    loop.respond(ticket, .json(isReady ? 200 : 503, json.bytes))
  }
}
