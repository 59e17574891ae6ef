package import Relay
import Store
import System
import Wire

/// A backup of a relay, or of one workspace, into a new directory: a machine that does a little at
/// each turn and is told when what it asked for is synced.
///
/// The order makes it whole. The registry comes first, and the workspaces that it names after it:
/// each has had its file before it had its row. A workspace made meanwhile is in neither; one that
/// was purged meanwhile is named in the manifest, and restoring takes its row away. Each file is
/// copied after the backup began, so that it holds every message that was acknowledged before.
///
/// Nothing of the relay's own is written but by those who use it, and a failure of the destination
/// is the backup's alone. What a failed backup leaves has no manifest.
package final class BackupJob {
  package enum Content: Sendable, Equatable {
    case relay
    case workspace(WorkspaceID)
  }

  package enum Turn: Equatable {
    case more
    /// Sync these, each with `fsync`, and call `synced`.
    case sync([Int32])
    case ended
  }

  package internal(set) var report: BackupReport
  let source: any BackupSource
  let folder: BackupFolder
  let limits: Limits
  private let relayVersion: String
  /// The name of SQLite's file system for the copies; tests use one that fails.
  let vfs: String?
  var phase = Phase.beginning
  var plan: BackupPlan
  var manifest: ManifestWriter?
  var syncing: [OpenFile] = []

  enum Phase {
    case beginning
    case planning(StillFile, after: WorkspaceID?)
    case between
    case file(FileBackup)
    case closing, naming, ending
  }

  package init(
    _ content: Content, of source: any BackupSource, to folder: String, limits: Limits,
    relayVersion: String, now: WallTime, vfs: String? = nil
  ) {
    report = BackupReport(content, folder: folder, startedAt: now)
    self.source = source
    self.folder = BackupFolder(folder, limits: limits)
    self.limits = limits
    self.relayVersion = relayVersion
    self.vfs = vfs
    plan = BackupPlan(restartsMax: limits.backupRestartsMax)
  }

  // MARK: turns

  package func turn(now: WallTime) -> Turn {
    guard report.state == .running else { return .ended }
    precondition(syncing.isEmpty, "the files that are being synced are waited for")
    do throws(ArchiveError) {
      let turn = try advance(now: now)
      if case .ended = turn { report.ended(nil, at: now) }
      return turn
    } catch {
      fail(error, now: now)
      return .ended
    }
  }

  /// - `code`: 0, or the error number of the sync that failed.
  package func synced(code: Int32, now: WallTime) {
    syncing = []
    guard code != 0, report.state == .running else { return }
    fail(
      ArchiveError(.io, "\(report.folder) could not be synced: \(ErrorNumber.text(code))"), now: now
    )
  }

  /// Ends the backup before it is whole.
  package func stop(_ reason: String, now: WallTime) {
    if report.state == .running { fail(ArchiveError(.refused, reason), now: now) }
  }

  private func fail(_ error: ArchiveError, now: WallTime) {
    if case .file(let file) = phase, case .workspace(let id) = file.source {
      if file.isCopying { source.giveBack(id) }
    }
    phase = .ending
    manifest = nil
    report.ended(error, at: now)
  }

  private func advance(now: WallTime) throws(ArchiveError) -> Turn {
    switch phase {
    case .beginning: return try begin()
    case .file(let file): return try advance(file)
    case .planning(let registry, let id): return try plan(registry, after: id)
    case .between: return try beginNext(now: now)
    case .closing:
      return try sync { (job) throws(StoreError) in
        job.phase = .naming
        return try job.manifest?.end(
          unreadable: job.report.unreadable, purged: job.report.purged,
          endedAt: Timestamp.rfc3339(nanoseconds: now.nanoseconds)) ?? []
      }
    case .naming:
      return try sync { (job) throws(StoreError) in
        job.phase = .ending
        return try job.manifest?.publish() ?? []
      }
    case .ending: return .ended
    }
  }

  func sync(
    _ body: (BackupJob) throws(StoreError) -> [OpenFile]
  ) throws(ArchiveError) -> Turn {
    do throws(StoreError) { syncing = try body(self) } catch { throw ArchiveError(error) }
    return .sync(syncing.map(\.raw))
  }

  // MARK: the registry, and the workspaces that it names

  private func begin() throws(ArchiveError) -> Turn {
    do throws(StoreError) {
      try folder.make()
      manifest = try ManifestWriter(
        in: folder.path, content: report.content == .relay ? .relay : .workspace,
        relayVersion: relayVersion,
        startedAt: Timestamp.rfc3339(nanoseconds: report.startedAt.nanoseconds))
      if case .workspace(let id) = report.content {
        // A registry with nothing of other workspaces in it.
        try RegistryFile.create(
          at: folder.path + "/relay.db", try source.data.registry.rows(of: id))
        plan.add(id, bytes: source.data.bytes(of: id))
        report.expect(workspaces: plan.count)
      }
    } catch {
      throw ArchiveError(error)
    }
    try folder.checkRoom(for: plan.bytes)
    var copy: DatabaseCopy?
    if report.content == .relay {
      copy = try refusing { () throws(CopyFailure) in
        try source.data.registry.copy(to: folder.path + "/relay.db", vfs: vfs)
      }
    }
    phase = .file(FileBackup(.registry, place: "relay.db", in: folder.path, copy, limits))
    return .more
  }

  /// Plans a page of the workspaces that the copy of the registry names. The registry itself may
  /// have changed since.
  private func plan(
    _ registry: StillFile, after id: WorkspaceID?
  ) throws(ArchiveError) -> Turn {
    let page = try reading { () throws(StoreError) in
      try registry.workspaces(after: id, limit: Limits.backupPlannedMax)
    }
    for id in page { plan.add(id, bytes: source.data.bytes(of: id)) }
    guard page.count < Limits.backupPlannedMax else {
      phase = .planning(registry, after: page.last)
      return .more
    }
    registry.close()
    report.expect(workspaces: plan.count)
    try folder.checkRoom(for: plan.bytes)
    phase = .between
    return .more
  }
}
