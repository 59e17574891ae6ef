import Broker
import Relay
import Store
import Wire

extension RelayServer {
  /// The list of workspaces, or a new one.
  func workspaces(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    guard head.method == "POST" else { return try listWorkspaces(ticket, loop, now: now) }
    let json = try object(body)
    var id: WorkspaceID?
    if let text = json["id"] {
      guard let given = text.string.flatMap({ WorkspaceID($0) }) else {
        return fail(ticket, .badRequest, "member \"id\" must be a UUID")
      }
      id = given
    }
    let name = json["name"]?.string ?? ""
    guard name.utf8.count <= limits.nameBytesMax else {
      return fail(ticket, .badRequest, "name: at most \(limits.nameBytesMax) bytes")
    }
    do throws(BadSetting) {
      let settings = try Settings(json)
      broker.createWorkspace(open(ticket, .other), id: id, name: name, settings: settings, now: now)
    } catch {
      fail(ticket, .badRequest, error.text)
    }
  }

  private func listWorkspaces(_ ticket: Ticket, _ loop: Loop, now: Now) throws(RelayError) {
    let rows = broker.directory.workspaces.values.sorted { $0.row.createdAt < $1.row.createdAt }
    var list: [JSON] = []
    for record in rows { list.append(try broker.workspaceStatus(record.row.id, now: now)) }
    loop.respond(ticket, .json(200, JSON.object([.init("workspaces", .array(list))]).bytes))
  }

  func workspace(
    _ id: WorkspaceID, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    loop.respond(ticket, .json(200, try broker.workspaceStatus(id, now: now).bytes))
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
