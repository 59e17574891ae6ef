import Archive
package import Relay
import Store
import System
import Wire

/// The operators' requests for backups, exports and imports, which `ArchiveRuns` carries out.
package final class Backups: UsesServices {
  let services: Services
  private let pool: WorkspacePool
  let runs: ArchiveRuns

  init(_ pool: WorkspacePool) {
    self.pool = pool
    services = pool.services
    runs = ArchiveRuns(pool.services.limits, boot: pool.boot, pool.services.log)
  }

  var nextDue: Instant? { runs.nextDue }

  // MARK: begin

  /// Begins a backup of all workspaces, or of one, into a new directory.
  package func startBackup(
    _ call: CallID, _ folder: String, workspace: WorkspaceID?, actor: String, now: Now
  ) {
    if let reply = refusal(call, folder, workspace) { return replies.send(reply) }
    let action = workspace == nil ? AuditAction.relayBackup : .workspaceExport
    let target = workspace.map { AuditTarget.workspace($0) } ?? .relay
    registry.audit(
      AuditEntry(at: now.wall, actor: actor, action: action, target: target, detail: folder),
      before: { [unowned self] now in
        // Another backup may have begun meanwhile.
        if let reply = refusal(call, folder, workspace) {
          if let error = reply.error {
            auditRefusal(actor, action, target, error, now: now)
          }
          return replies.send(reply)
        }
        beginBackup(call, folder, workspace, now: now)
      }, of: call)
  }

  private func refusal(_ call: CallID, _ folder: String, _ workspace: WorkspaceID?) -> Reply? {
    if process.isShuttingDown { return Reply(call: call, error: .stopping) }
    if runs.isRunning { return Reply(call: call, error: .backupRunning) }
    if let workspace, directory.workspace(workspace) == nil {
      return Reply(call: call, error: .notFound)
    }
    return unusable(folder).map { Reply(call: call, error: .badRequest, detail: $0) }
  }

  private func beginBackup(
    _ call: CallID, _ folder: String, _ workspace: WorkspaceID?, now: Now
  ) {
    let name = runs.beginBackup(workspace, to: folder, from: LiveSource(pool), now: now)
    replies.send(Reply(call: call, .backupStarted(job: name, folder: folder)))
  }

  /// Returns why the name of a new backup is not allowed; `nil` if it is.
  private func unusable(_ folder: String) -> String? {
    guard folder.hasPrefix("/"), !folder.hasSuffix("/"), folder.utf8.count <= 4000 else {
      return "dir must be an absolute path without a slash at its end"
    }
    if Files.exists(folder) { return "dir must be new: \(folder) exists" }
    guard let parent = Files.real(Files.folder(of: folder)), Files.isFolder(parent) else {
      return "the directory above \(folder) does not exist"
    }
    guard let own = Files.real(data.path), parent != own, !parent.hasPrefix(own + "/") else {
      return "dir must not be in the data directory"
    }
    return nil
  }

  /// Begins to import an exported workspace. `call` is answered when the workspace is in place.
  package func startImport(_ call: CallID, _ folder: String, actor: String, now: Now) {
    do throws(ArchiveError) {
      guard !runs.isRunning else {
        return replies.send(Reply(call: call, error: .backupRunning))
      }
      guard folder.hasPrefix("/") else {
        return replies.send(
          Reply(call: call, error: .badRequest, detail: "dir must be an absolute path"))
      }
      let job = try ImportJob(folder, into: data, limits: limits)
      if let error = registry.workspaces.refusal(ofNew: job.id) {
        job.stop(error.text)
        return replies.send(Reply(call: call, error: error))
      }
      do throws(RelayError) {
        for row in job.registered.workspaces {
          // The import counts as a new workspace of the org.
          let blank = RegisteredWorkspace(
            id: row.id, name: "", org: row.org, createdAt: row.createdAt)
          try registry.workspaces.checkRoom(forCard: row.cardBytes, in: blank)
        }
      } catch {
        job.stop(error.text)
        return replies.send(Reply(call: call, error: error))
      }
      let secrets = job.registered.secrets.reduce(0) { $0 + $1.value.utf8.count }
      guard directory.secrets.bytes + secrets <= limits.secretsInMemoryMax else {
        job.stop("no room for its secrets")
        return replies.send(Reply(call: call, error: .secretsFull))
      }
      runs.begin(
        ArchiveRuns.Import(job: job, folder: folder, call: call, actor: actor), now: now)
    } catch {
      replies.send(refusal(call, folder, nil, error))
    }
  }

  private func refusal(
    _ call: CallID, _ folder: String, _ id: WorkspaceID?, _ error: ArchiveError
  ) -> Reply {
    log.warning(
      "import_failed",
      [
        "dir": .text(folder), "workspace": .text(id?.text ?? "unknown"),
        "error": .text(error.text),
      ])
    return Reply(
      call: call, error: error.kind == .full ? .diskFull : .notImportable, detail: error.text)
  }

  // MARK: turns

  /// Does a small step of the running backup, export or import. Returns descriptors that the caller
  /// has to sync off the loop before it calls `synced`.
  package func turn(now: Now) -> [Int32]? {
    guard process.fatal == nil else { return nil }
    switch runs.turn(now: now) {
    case .nothing: break
    case .sync(let files): return files
    case .imported(let imported): finish(imported, now: now)
    case .importFailed(let failed, let error): replies.send(refusal(failed, error))
    }
    return nil
  }

  /// Continues after a sync. `code`: 0, or the error number, which fails the backup and not the
  /// relay.
  package func synced(code: Int32, now: Now) { runs.synced(code: code, now: now) }

  /// Registers the imported workspace, whose file is in place and durable. The rows follow the
  /// file, as for a new workspace.
  private func finish(_ imported: ArchiveRuns.Import, now: Now) {
    let (job, call) = (imported.job, imported.call)
    let found = job.registered
    // A workspace that was made meanwhile may conflict with the import.
    let taken = registry.workspaces.refusal(ofNew: job.id)
    guard let row = found.workspaces.first, row.id == job.id, taken == nil else {
      let error = taken ?? .notImportable
      job.stop(error.text)
      return replies.send(Reply(call: call, error: error))
    }
    if let misfit = registry.workspaces.misfit(ofReturning: row) {
      job.stop(misfit)
      return replies.send(Reply(call: call, error: .notImportable, detail: misfit))
    }
    registry.workspaces.insert(
      row, job.rows, of: found,
      reply: Reply(call: call, .imported(job.id, messages: Int64(job.messages))),
      actor: imported.actor, now: now
    ) { [unowned self] in
      // The sweep opens the file to find out what is due in it.
      pool.openLater(row.id)
    }
    log.info(
      "imported", ["workspace": .text(job.id.text), "messages": .number(job.messages)])
  }

  // MARK: ends

  func stop(_ reason: String, now: Now) {
    guard let stopped = runs.stop(reason, now: now) else { return }
    replies.send(refusal(stopped, ArchiveError(.refused, reason)))
  }

  private func refusal(_ failed: ArchiveRuns.Import, _ error: ArchiveError) -> Reply {
    refusal(failed.call, failed.folder, failed.job.id, error)
  }

  /// The progress of the running backup, or the outcome of this process's last one.
  package var status: BackupStatus? { runs.status }
}
