import API
import Engine
import Relay
import Wire

/// Backups, and workspaces on their way from relay to relay. Only the admin token may ask for them:
/// they name directories of the relay's machine.
struct ArchiveRoutes {
  let engine: Engine
  let calls: OpenCalls

  func status(_ request: Request) { request.respond(calls.renderer.backup(engine.backups.status)) }

  func importing(_ request: Request) throws(RelayError) {
    guard let folder = folder(try request.object(engine.limits), request) else { return }
    engine.backups.startImport(
      calls.open(request), folder, actor: request.actor, now: request.now)
  }

  func backUp(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    guard let folder = folder(json, request) else { return }
    var workspace: WorkspaceID?
    if let text = json["workspace"] {
      guard let id = text.string.flatMap({ WorkspaceID($0) }) else {
        return calls.fail(request, .badRequest, "member \"workspace\" must be a UUID")
      }
      workspace = id
    }
    engine.backups.startBackup(
      calls.open(request), folder, workspace: workspace, actor: request.actor, now: request.now)
  }

  /// Returns `nil` after answering that the body names no directory.
  private func folder(_ json: JSON, _ request: Request) -> String? {
    if let folder = json["dir"]?.string { return folder }
    calls.fail(request, .badRequest, "member \"dir\" must be an absolute path")
    return nil
  }
}
