import Engine
import HTTPServer
import Relay
import Wire

/// Backups, and workspaces on their way from relay to relay: the admin token's alone, since they
/// name directories of the relay's machine.
enum ArchiveRoute: Equatable {
  case backup, importing

  init?(_ parts: PathSegments) {
    guard parts.count == 2 else { return nil }
    if parts.has(1, "backup") {
      self = .backup
    } else if parts.has(1, "import") {
      self = .importing
    } else {
      return nil
    }
  }

  var methods: [String] { self == .backup ? ["GET", "HEAD", "POST"] : ["POST"] }
}

extension RelayServer {
  func archive(
    _ route: ArchiveRoute, _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket,
    _ loop: Loop, now: Now
  ) throws(RelayError) {
    guard head.method == "POST" else {
      return loop.respond(ticket, .json(200, engine.backupStatus.bytes))
    }
    let json = try object(body)
    guard let folder = json["dir"]?.string else {
      return fail(ticket, .badRequest, "member \"dir\" must be an absolute path")
    }
    let actor = actor(head, ticket, now: now)
    switch route {
    case .importing:
      engine.startImport(open(ticket, .other), folder, actor: actor, now: now)
    case .backup:
      var workspace: WorkspaceID?
      if let text = json["workspace"] {
        guard let id = text.string.flatMap({ WorkspaceID($0) }) else {
          return fail(ticket, .badRequest, "member \"workspace\" must be a UUID")
        }
        workspace = id
      }
      engine.startBackup(
        open(ticket, .other), folder, workspace: workspace, actor: actor, now: now)
    }
  }
}
