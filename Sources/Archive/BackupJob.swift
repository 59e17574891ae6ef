package import Relay
import Store
import System
package import Wire

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

  package enum State: String, Sendable { case running, done, failed }

  package private(set) var state = State.running
  package private(set) var error: ArchiveError?
  package private(set) var startedAt: WallTime
  package private(set) var endedAt: WallTime?
  package internal(set) var filesDone = 0
  package private(set) var files = 1
  package internal(set) var bytes: Int64 = 0
  package internal(set) var messages = 0
  package internal(set) var unreadable: [(workspace: WorkspaceID, error: String)] = []
  package let folder: String
  package let content: Content

  let source: any BackupSource
  let limits: Limits
  private let relayVersion: String
  /// Of the copies; for tests.
  let vfs: String?
  var phase = Phase.beginning
  var manifest: ManifestWriter?
  var syncing: [OpenFile] = []
  var workspaces: [WorkspaceID] = []
  var next = 0
  var purged: [WorkspaceID] = []
  var needed: Int64 = 0
  var restarts = 0

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
    self.content = content
    self.source = source
    self.folder = folder
    self.limits = limits
    self.relayVersion = relayVersion
    self.vfs = vfs
    startedAt = now
  }

  // MARK: turns

  package func turn(now: WallTime) -> Turn {
    guard state == .running else { return .ended }
    precondition(syncing.isEmpty, "what is being synced is waited for")
    do throws(ArchiveError) {
      let turn = try advance(now: now)
      if case .ended = turn {
        state = .done
        endedAt = now
      }
      return turn
    } catch {
      fail(error, now: now)
      return .ended
    }
  }

  /// - `code`: 0, or the error number of the sync that failed.
  package func synced(code: Int32, now: WallTime) {
    syncing = []
    guard code != 0, state == .running else { return }
    fail(
      ArchiveError(.io, "\(folder) could not be synced: \(ErrorNumber.text(code))"), now: now)
  }

  /// Ends it before its time.
  package func stop(_ reason: String, now: WallTime) {
    if state == .running { fail(ArchiveError(.refused, reason), now: now) }
  }

  private func fail(_ error: ArchiveError, now: WallTime) {
    if case .file(let file) = phase, case .workspace(let id) = file.source {
      if file.isCopying { source.giveBack(id) }
    }
    phase = .ending
    manifest = nil
    self.error = error
    state = .failed
    endedAt = now
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
          unreadable: job.unreadable, purged: job.purged,
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

  // MARK: the registry, and what it names

  private func begin() throws(ArchiveError) -> Turn {
    do throws(StoreError) {
      try Files.checkLength(of: folder, limits: limits)
      guard try Files.makeFolder(folder) else {
        throw StoreError(
          kind: .busy, call: "mkdir", path: folder,
          message: "it exists already; name a new directory")
      }
      _ = try Files.makeFolder(folder + "/workspaces")
      _ = try Files.makeFolder(folder + "/removed")
      manifest = try ManifestWriter(
        in: folder, content: content == .relay ? .relay : .workspace, relayVersion: relayVersion,
        startedAt: Timestamp.rfc3339(nanoseconds: startedAt.nanoseconds))
      switch content {
      case .relay: break
      case .workspace(let id):
        // Nothing of other workspaces goes with it.
        try RegistryFile.create(at: folder + "/relay.db", try source.data.registry.rows(of: id))
        workspaces = [id]
        files = 2
        needed = source.data.bytes(of: id)
      }
    } catch {
      throw ArchiveError(error)
    }
    try checkRoom()
    var copy: DatabaseCopy?
    if content == .relay {
      copy = try refusing { () throws(CopyFailure) in
        try source.data.registry.copy(to: folder + "/relay.db", vfs: vfs)
      }
    }
    phase = .file(FileBackup(.registry, place: "relay.db", in: folder, copy, limits))
    return .more
  }

  /// The rows of the copy, not of the registry: it may have changed since.
  private func plan(
    _ registry: StillFile, after id: WorkspaceID?
  ) throws(ArchiveError) -> Turn {
    let page = try reading { () throws(StoreError) in
      try registry.workspaces(after: id, limit: Limits.backupPlannedMax)
    }
    for id in page { needed += source.data.bytes(of: id) }
    workspaces += page
    guard page.count < Limits.backupPlannedMax else {
      phase = .planning(registry, after: page.last)
      return .more
    }
    registry.close()
    files = 1 + workspaces.count
    try checkRoom()
    phase = .between
    return .more
  }

  /// Before anything is copied all that is to come must fit, and at each slice the next one: what
  /// is below the high-water mark is for answers, also where the backup goes.
  func checkRoom() throws(ArchiveError) {
    let (free, mark) = try reading { () throws(StoreError) in
      (
        try Files.freeBytes(folder),
        min(limits.diskHighWater, try Files.totalBytes(folder) / 20)
      )
    }
    let rest = max(needed, Int64(limits.backupSliceBytes))
    guard free - mark >= rest else {
      throw ArchiveError(
        .full,
        "the backup needs \(rest) more bytes, and \(folder) has \(max(0, free - mark)) above the "
          + "high-water mark")
    }
  }
}

extension BackupJob {
  /// How far it is, or how it ended, for programs.
  package var members: [JSON.Member] {
    var members = [
      JSON.Member("state", .string(state.rawValue)), JSON.Member("dir", .string(folder)),
      JSON.Member("files_done", .number("\(filesDone)")), JSON.Member("files", .number("\(files)")),
      JSON.Member("bytes", .number("\(bytes)")), JSON.Member("messages", .number("\(messages)")),
      JSON.Member("unreadable", .array(unreadable.map { .string($0.workspace.text) })),
      JSON.Member(
        "started_at", .string(Timestamp.rfc3339(nanoseconds: startedAt.nanoseconds))),
    ]
    if case .workspace(let id) = content {
      members.append(JSON.Member("workspace", .string(id.text)))
    }
    if let endedAt {
      let text = Timestamp.rfc3339(nanoseconds: endedAt.nanoseconds)
      members.append(JSON.Member("ended_at", .string(text)))
    }
    if let error { members.append(JSON.Member("error", .string(error.text))) }
    return members
  }
}
