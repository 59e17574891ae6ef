package import Relay
package import Store
import System
import Wire

/// The way of one exported workspace into a relay, in slices. Its file is durable before anybody is
/// told to make its rows: a crash in between leaves a file without a row, as at the making of a new
/// workspace.
///
/// Its unanswered messages count as possibly handed out: what happened to them where it came from
/// since the export is not known here.
package final class ImportJob {
  package enum Turn: Equatable {
    case more
    case sync([Int32])
    /// The file is there: insert `rows`.
    case whole
    case failed
  }

  package let id: WorkspaceID
  /// The rows for the registry, to be inserted when the file is there.
  package let rows: [RegistryRow]
  /// The same rows in the form that the relay keeps in memory.
  package let registered: RegistrySnapshot
  package var messages: Int { entry.messages }
  package private(set) var error: ArchiveError?
  private let entry: Manifest.File
  private let old: String
  private let data: DataDirectory
  private let limits: Limits
  private var hash = SHA256()
  private var offset: Int64 = 0
  private var unsynced = 0
  private var syncing: [OpenFile] = []
  private var phase = Phase.copying

  /// The steps that are left of the check of the copy.
  private var steps: StillFile.Steps?

  private enum Phase { case copying, checking, marking, naming, ended }

  private var new: String { data.path(of: id) }
  private var draft: String { new + ".draft" }

  /// Reads what is small of the export, and begins. It throws what can be said before a byte of the
  /// queue is copied.
  package init(
    _ folder: String, into data: DataDirectory, limits: Limits
  ) throws(ArchiveError) {
    let manifest = try Manifest(of: folder, bytesMax: limits.importManifestBytesMax)
    guard manifest.content == .workspace,
      let entry = manifest.files.first(where: { $0.workspace != nil }), let id = entry.workspace,
      let registry = manifest.files.first(where: { $0.workspace == nil }),
      manifest.files.count == 2
    else {
      throw ArchiveError(.refused, "\(folder) holds no single workspace: restore it instead")
    }
    self.entry = entry
    self.id = id
    self.data = data
    self.limits = limits
    old = "\(folder)/\(entry.path)"
    do throws(StoreError) {
      let path = "\(folder)/\(registry.path)"
      guard Files.size(path) <= Int64(limits.importRegistryBytesMax) else {
        throw StoreError(
          kind: .corrupt, call: "import", path: path,
          message: "it is larger than \(limits.importRegistryBytesMax) bytes")
      }
      // A log beside it would be read with it.
      guard try FileCopying.hash(path) == registry.hash, Files.size(path + "-wal") == 0 else {
        throw StoreError(
          kind: .corrupt, call: "import", path: path,
          message: "its SHA-256 differs from the manifest")
      }
      let still = try StillFile(path)
      defer { still.close() }
      if let wrong = try still.wrongKind(.registry) {
        throw StoreError(kind: .newerSchema, call: "import", path: path, message: wrong)
      }
      if let wrong = try still.findings(.registry).first {
        throw StoreError(kind: .corrupt, call: "import", path: path, message: wrong)
      }
      (rows, registered) = try still.admitted(id)
    } catch {
      throw ArchiveError(error.kind == .corrupt ? .damaged : .io, error.description)
    }
    try refuseConflicts()
    do throws(StoreError) {
      _ = try Files.makeFolder(Files.folder(of: new))
      for suffix in ["", "-wal"] { try Files.remove(draft + suffix) }
      _ = try Files.create(draft)
    } catch {
      throw ArchiveError(error)
    }
  }

  private func refuseConflicts() throws(ArchiveError) {
    guard data.place(of: id) == nil else {
      throw ArchiveError(.refused, "workspace \(id.text) has a file here already")
    }
    guard registered.workspaces.first?.state == .active else {
      throw ArchiveError(.refused, "workspace \(id.text) had been removed when it was exported")
    }
    let conflict = try reading { () throws(StoreError) in try data.registry.conflict(with: rows) }
    if let conflict {
      throw ArchiveError(.refused, "workspace \(id.text) cannot be imported: \(conflict)")
    }
    let free = try reading { () throws(StoreError) in try data.freeBytes() }
    let mark = data.highWater
    guard free - mark > entry.bytes else {
      throw ArchiveError(
        .full,
        "\(entry.bytes) bytes are needed, and \(max(0, free - mark)) are free above the high-water "
          + "mark")
    }
  }

  // MARK: turns

  package func turn() -> Turn {
    do throws(ArchiveError) {
      switch phase {
      case .copying: return try copy()
      case .checking: return try check()
      case .marking: return try mark()
      case .naming:
        phase = .ended
        return .whole
      case .ended: return error == nil ? .whole : .failed
      }
    } catch {
      fail(error)
      return .failed
    }
  }

  /// - `code`: 0, or the error number of the sync that failed.
  package func synced(code: Int32) {
    syncing = []
    guard code != 0 else { return }
    fail(ArchiveError(.io, "\(draft) could not be synced: \(ErrorNumber.text(code))"))
  }

  /// Ends the import with an error, and deletes the new file: it has no row.
  private func fail(_ error: ArchiveError) {
    self.error = error
    phase = .ended
    for path in [draft, draft + "-wal", new, new + "-wal"] {
      do throws(StoreError) { try Files.remove(path) } catch {
        self.error?.text += "; \(error.description)"
      }
    }
  }

  package func stop(_ reason: String) { fail(ArchiveError(.refused, reason)) }

  private func copy() throws(ArchiveError) -> Turn {
    let (old, draft, offset, count) = (old, draft, offset, limits.backupSliceBytes)
    let slice = try reading { () throws(StoreError) in
      let slice = try Files.slice(of: old, at: offset, count: count)
      try Files.append(slice, to: try Files.openToAppend(draft), draft)
      return slice
    }
    hash.update(slice)
    self.offset += Int64(slice.count)
    // Only so much was seen to have room.
    guard self.offset <= entry.bytes else {
      throw ArchiveError(.damaged, "\(old) is longer than the manifest says")
    }
    unsynced += slice.count
    guard slice.count < count else {
      guard unsynced >= limits.backupSyncBytes else { return .more }
      unsynced = 0
      return try sync([draft])
    }
    guard hash.finalize().hex == entry.hash else {
      throw ArchiveError(.damaged, "\(old): its SHA-256 is not that of the manifest")
    }
    phase = .checking
    return try sync([draft])
  }

  /// Checks the copy as `check` would, a part in each turn. Nothing is taken over before all of it
  /// is known to be what a relay could have written.
  private func check() throws(ArchiveError) -> Turn {
    do throws(StoreError) {
      let still = try StillFile(draft)
      defer { still.close() }
      var left: StillFile.Steps
      if let steps { left = steps } else { left = try still.steps(id) }
      try still.look(&left)
      steps = left
      if left.isOver { phase = .marking }
    } catch {
      throw ArchiveError(error.kind == .corrupt ? .damaged : .io, error.description)
    }
    return .more
  }

  private func mark() throws(ArchiveError) -> Turn {
    do throws(StoreError) {
      try data.adopt(draft, as: id)
      try Files.rename(draft, to: new)
    } catch {
      throw ArchiveError(error.kind == .corrupt ? .damaged : .io, error.description)
    }
    phase = .naming
    return try sync([new, Files.folder(of: new), data.path + "/workspaces"])
  }

  private func sync(_ paths: [String]) throws(ArchiveError) -> Turn {
    syncing = try reading { () throws(StoreError) in
      var open: [OpenFile] = []
      for path in paths { open.append(try OpenFile(path)) }
      return open
    }
    return .sync(syncing.map(\.raw))
  }

  /// Makes the whole import at once, with the rows, for a command that has nothing else to do.
  package func run(at time: WallTime) throws(ArchiveError) {
    while true {
      switch turn() {
      case .more: continue
      case .sync(let files):
        var code: Int32 = 0
        for file in files where code == 0 { code = SyncCalls.fsync.fdatasync(file) }
        synced(code: code)
      case .failed: throw error ?? ArchiveError(.io, "the import failed")
      case .whole:
        let entry = AuditEntry(
          at: time, actor: AuditEntry.commandLine, action: .workspaceImport, target: .workspace(id))
        return try reading { () throws(StoreError) in
          try data.registry.commit([.insertRows(rows), .audit(entry)])
          try data.registry.sync()
        }
      }
    }
  }
}
