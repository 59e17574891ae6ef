import Relay
import Store

/// The files of the workspaces, one after the other, and what is done when one cannot be copied.
extension BackupJob {
  func beginNext(now: WallTime) throws(ArchiveError) -> Turn {
    guard next < workspaces.count else {
      if case .workspace(let id) = content, filesDone < 2 {
        throw ArchiveError(
          .refused,
          "workspace \(id.text) cannot be read: \(unreadable.first?.error ?? "it has no file")")
      }
      phase = .closing
      return try sync { (job) throws(StoreError) in
        [
          try OpenFile(job.folder + "/workspaces"), try OpenFile(job.folder + "/removed"),
          try OpenFile(job.folder),
        ]
      }
    }
    restarts = 0
    try begin(workspaces[next])
    return .more
  }

  private func begin(_ id: WorkspaceID) throws(ArchiveError) {
    guard let place = source.data.place(of: id) else { return skip(id, nil) }
    let found: WorkspaceFile?
    do throws(StoreError) { found = try source.borrow(id) } catch { return skip(id, error) }
    guard let file = found else { return skip(id, nil) }
    do throws(StoreError) {
      let path = folder + "/" + place
      _ = try Files.makeFolder(Files.folder(of: path))
    } catch {
      source.giveBack(id)
      throw ArchiveError(error)
    }
    do throws(CopyFailure) {
      let copy = try file.copy(to: folder + "/" + place, vfs: vfs)
      phase = .file(FileBackup(.workspace(id), place: place, in: folder, copy, limits))
    } catch {
      source.giveBack(id)
      try fail(error, id)
    }
  }

  /// It is not in the backup: `nil`, it was purged; else it cannot be read, and the others are no
  /// worse for it.
  private func skip(_ id: WorkspaceID, _ error: StoreError?) {
    if let error { unreadable.append((id, error.description)) } else { purged.append(id) }
    next += 1
    phase = .between
  }

  func advance(_ file: FileBackup) throws(ArchiveError) -> Turn {
    try checkSlice()
    do throws(CopyFailure) {
      let wasCopying = file.isCopying
      let turn = try file.turn()
      if wasCopying, !file.isCopying, case .workspace(let id) = file.source { source.giveBack(id) }
      switch turn {
      case .more: return .more
      case .sync(let open):
        syncing = open
        return .sync(open.map(\.raw))
      case .whole: break
      }
    } catch {
      try interrupted(file, error)
      return .more
    }
    try finish(file)
    return .more
  }

  private func checkSlice() throws(ArchiveError) {
    let whole = needed
    needed = 0
    defer { needed = whole }
    try checkRoom()
  }

  private func interrupted(_ file: FileBackup, _ failure: CopyFailure) throws(ArchiveError) {
    guard case .workspace(let id) = file.source else {
      return try refusing { () throws(CopyFailure) in throw failure }
    }
    if file.isCopying { source.giveBack(id) }
    if case .destination = failure { return try fail(failure, id) }
    do throws(StoreError) { try file.discard() } catch { throw ArchiveError(error) }
    guard case .interrupted = failure, restarts < limits.backupRestartsMax else {
      return try fail(failure, id)
    }
    restarts += 1
    try begin(id)
  }

  private func fail(_ failure: CopyFailure, _ id: WorkspaceID) throws(ArchiveError) {
    switch failure {
    case .source(let error): skip(id, error)
    case .destination(let error): throw ArchiveError(error)
    case .interrupted:
      skip(
        id,
        StoreError(
          kind: .other, call: "copy", path: source.data.path(of: id),
          message: "it was closed and opened again too often"))
    }
  }

  func refusing<Value>(
    _ body: () throws(CopyFailure) -> Value
  ) throws(ArchiveError) -> Value {
    do throws(CopyFailure) { return try body() } catch {
      switch error {
      case .source(let error), .destination(let error): throw ArchiveError(error)
      case .interrupted: throw ArchiveError(.refused, "the registry was closed")
      }
    }
  }

  private func finish(_ file: FileBackup) throws(ArchiveError) {
    filesDone += 1
    bytes += file.entry.bytes
    messages += file.entry.messages
    do throws(StoreError) {
      try manifest?.add(file.entry)
      phase = .between
      switch file.source {
      case .workspace: next += 1
      case .registry:
        if content == .relay {
          phase = .planning(try StillFile(folder + "/relay.db"), after: nil)
        }
      }
    } catch {
      throw ArchiveError(error)
    }
  }
}
