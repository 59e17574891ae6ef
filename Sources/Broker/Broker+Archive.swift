import Archive
package import Relay
import Store
import System
package import Wire

/// What runs of backups, exports and imports: one of them at a time.
struct Archiving {
  var source: LiveSource?
  var backup: BackupJob?
  var number = 0
  var importing: (job: ImportJob, folder: String, call: CallID, actor: String)?
  /// When its next turn is; `nil` while a sync is at work, or nothing is.
  var due: Instant?
  var isSyncing = false
}

extension Broker {
  /// When `archiveTurn` has something to do.
  package var archiveDue: Instant? { archiving.due }

  private var isArchiving: Bool {
    archiving.backup?.state == .running || archiving.importing != nil || archiving.isSyncing
  }

  // MARK: begin

  /// Begins a backup into a new directory: of all, or of one workspace.
  package func startBackup(
    _ call: CallID, _ folder: String, workspace: WorkspaceID?, actor: String, now: Now
  ) {
    if let reply = refusal(call, folder, workspace) { return replies.send(reply) }
    let action = workspace == nil ? AuditAction.relayBackup : .workspaceExport
    let target = workspace.map { AuditTarget.workspace($0) } ?? .relay
    audit(
      AuditEntry(at: now.wall, actor: actor, action: action, target: target, detail: folder),
      before: { broker, now in
        // Another may have begun meanwhile.
        if let reply = broker.refusal(call, folder, workspace) {
          if let error = reply.error {
            broker.auditRefusal(actor, action, target, error, now: now)
          }
          return broker.replies.send(reply)
        }
        broker.beginBackup(call, folder, workspace, now: now)
      }, of: call)
  }

  private func refusal(_ call: CallID, _ folder: String, _ workspace: WorkspaceID?) -> Reply? {
    if isShuttingDown { return Reply(call: call, error: .stopping) }
    if isArchiving { return Reply(call: call, error: .backupRunning) }
    if let workspace, directory.workspace(workspace) == nil {
      return Reply(call: call, error: .notFound)
    }
    return unusable(folder).map { Reply(call: call, error: .badRequest, detail: $0) }
  }

  private func beginBackup(
    _ call: CallID, _ folder: String, _ workspace: WorkspaceID?, now: Now
  ) {
    let source = archiving.source ?? LiveSource(self)
    archiving.source = source
    archiving.number += 1
    archiving.backup = BackupJob(
      workspace.map { .workspace($0) } ?? .relay, of: source, to: folder, limits: limits,
      relayVersion: RelayVersion.text, now: now.wall)
    archiving.due = now.instant
    log.info(
      "backup_started",
      ["dir": .text(folder), "workspace": .text(workspace?.text ?? "all")])
    let json: JSON = ["job": .string(backupName), "dir": .string(folder)]
    replies.send(Reply(call: call, status: 202, body: json.bytes))
  }

  private var backupName: String { "backup-\(boot)-\(archiving.number)" }

  /// What is wrong with the name of a new backup; `nil` if nothing.
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

  /// Begins to import an exported workspace; `call` is answered when it is there.
  package func startImport(_ call: CallID, _ folder: String, actor: String, now: Now) {
    do throws(ArchiveError) {
      guard !isArchiving else { return replies.send(Reply(call: call, error: .backupRunning)) }
      guard folder.hasPrefix("/") else {
        return replies.send(
          Reply(call: call, error: .badRequest, detail: "dir must be an absolute path"))
      }
      let job = try ImportJob(folder, into: data, limits: limits)
      if let error = taken(job.id) {
        job.stop(error.text)
        return replies.send(Reply(call: call, error: error))
      }
      do throws(RelayError) {
        for row in job.registered.workspaces {
          // Of the org it counts as new.
          let blank = RegisteredWorkspace(
            id: row.id, name: "", org: row.org, createdAt: row.createdAt)
          try checkRoom(forCard: row.cardBytes, in: blank)
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
      archiving.importing = (job, folder, call, actor)
      archiving.due = now.instant
    } catch {
      replies.send(refusal(call, folder, nil, error))
    }
  }

  /// Why a workspace cannot be made here under this id.
  private func taken(_ id: WorkspaceID) -> RelayError? {
    if directory.removed[id] != nil { return .workspaceRemoved }
    if directory.workspace(id) != nil || rowsOnTheirWay[id] != nil { return .workspaceExists }
    let count = directory.workspaces.count + directory.removed.count
    return count < limits.workspacesMax ? nil : .workspacesFull
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

  /// A little of what runs; hands back what is to be synced, off the loop, before `archiveSynced`.
  package func archiveTurn(now: Now) -> [Int32]? {
    guard fatal == nil, let due = archiving.due, due <= now.instant else { return nil }
    archiving.due = now.instant + limits.backupPause
    if let importing = archiving.importing { return turn(importing.job, now: now) }
    guard let backup = archiving.backup else { return nil }
    switch backup.turn(now: now.wall) {
    case .more: return nil
    case .sync(let files): return syncing(files)
    case .ended:
      archiving.due = nil
      report(backup)
      return nil
    }
  }

  private func syncing(_ files: [Int32]) -> [Int32] {
    archiving.due = nil
    archiving.isSyncing = true
    return files
  }

  private func turn(_ job: ImportJob, now: Now) -> [Int32]? {
    switch job.turn() {
    case .more: return nil
    case .sync(let files): return syncing(files)
    case .whole: finish(job, now: now)
    case .failed:
      if let importing = archiving.importing, let error = job.error {
        replies.send(refusal(importing.call, importing.folder, job.id, error))
      }
    }
    archiving.importing = nil
    archiving.due = nil
    return nil
  }

  /// - `code`: 0, or the error number: it is the backup's, not the relay's.
  package func archiveSynced(code: Int32, now: Now) {
    guard archiving.isSyncing else { return }
    archiving.isSyncing = false
    if let importing = archiving.importing {
      importing.job.synced(code: code)
    } else {
      archiving.backup?.synced(code: code, now: now.wall)
    }
    archiving.due = now.instant
  }

  /// The file is there and durable: its rows come after it, as those of a new workspace.
  private func finish(_ job: ImportJob, now: Now) {
    guard let (_, _, call, actor) = archiving.importing else { return }
    let found = job.registered
    // What was made meanwhile may be in its way.
    guard let row = found.workspaces.first, row.id == job.id, taken(job.id) == nil else {
      let error = taken(job.id) ?? .notImportable
      job.stop(error.text)
      return replies.send(Reply(call: call, error: error))
    }
    if let parent = row.parent, newestRow(parent) != nil,
      let misfit = misfit(of: row, below: parent)
    {
      job.stop(misfit)
      return replies.send(Reply(call: call, error: .notImportable, detail: misfit))
    }
    forgetFile(of: job.id)
    registryBatch.append(.insertRows(job.rows))
    audit(actor, .workspaceImport, .workspace(job.id), now: now)
    let reply: JSON = [
      "workspace": .string(job.id.text), "messages": .number("\(job.messages)"),
    ]
    write(
      row,
      RegistryChange(
        workspace: job.id,
        apply: { directory in
          for org in found.orgs where directory.orgs[org.id] == nil { directory.put(org) }
          directory.put(row)
          for token in found.tokens { directory.add(token) }
          for secret in found.secrets { directory.secrets.put(secret) }
        },
        reply: Reply(call: call, status: 201, body: reply.bytes), isCreation: true,
        then: { broker, _ in
          // What is due in it is not known here: it is looked for.
          broker.sweepList.append(row.id)
          for token in found.tokens { broker.noteEnd(of: token) }
        }))
    log.info(
      "imported", ["workspace": .text(job.id.text), "messages": .number(job.messages)])
  }

  // MARK: what is known

  func stopArchiving(_ reason: String, now: Now) {
    if let importing = archiving.importing {
      importing.job.stop(reason)
      replies.send(
        refusal(
          importing.call, importing.folder, importing.job.id, ArchiveError(.refused, reason)))
      archiving.importing = nil
    }
    if let backup = archiving.backup, backup.state == .running {
      backup.stop(reason, now: now.wall)
      report(backup)
    }
    archiving.due = nil
  }

  private func report(_ backup: BackupJob) {
    for entry in backup.unreadable {
      log.error(
        "backup_incomplete",
        ["workspace": .text(entry.workspace.text), "error": .text(entry.error)])
    }
    if let error = backup.error {
      log.error("backup_failed", ["dir": .text(backup.folder), "error": .text(error.text)])
    } else {
      log.info(
        "backup_done",
        [
          "dir": .text(backup.folder), "files": .number(backup.filesDone),
          "bytes": .number(backup.bytes), "unreadable": .number(backup.unreadable.count),
        ])
    }
  }

  /// How far the backup is that runs, or how the last one of this run ended.
  package var backupStatus: JSON {
    guard let job = archiving.backup else { return ["state": "none"] }
    return .object([JSON.Member("job", .string(backupName))] + job.members)
  }
}
