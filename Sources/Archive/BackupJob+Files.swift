import Relay
import Store

/// Copies the files of the workspaces one after the other, and decides what happens to the backup
/// when one cannot be copied.
extension BackupJob {
  func beginNext(now: WallTime) throws(ArchiveError) -> Turn {
    guard let id = plan.current else {
      if case .workspace(let id) = report.content, report.filesDone < 2 {
        let why = report.unreadable.first?.error ?? "it has no file"
        throw ArchiveError(.refused, "workspace \(id.text) cannot be read: \(why)")
      }
      phase = .closing
      return try sync { (job) throws(StoreError) in try job.folder.opened() }
    }
    try begin(id)
    return .more
  }

  private func begin(_ id: WorkspaceID) throws(ArchiveError) {
    guard let place = source.data.place(of: id) else { return skip(id, nil) }
    let found: WorkspaceFile?
    do throws(StoreError) { found = try source.borrow(id) } catch { return skip(id, error) }
    guard let file = found else { return skip(id, nil) }
    do throws(StoreError) {
      let path = folder.path + "/" + place
      _ = try Files.makeFolder(Files.folder(of: path))
    } catch {
      source.giveBack(id)
      throw ArchiveError(error)
    }
    do throws(CopyFailure) {
      let copy = try file.copy(to: folder.path + "/" + place, vfs: vfs)
      phase = .file(FileBackup(.workspace(id), place: place, in: folder.path, copy, limits))
    } catch {
      source.giveBack(id)
      try fail(error, id)
    }
  }

  /// Leaves a workspace out: it could not be read, or without an error it was purged.
  private func skip(_ id: WorkspaceID, _ error: StoreError?) {
    report.skipped(id, error?.description)
    plan.advance()
    phase = .between
  }

  func advance(_ file: FileBackup) throws(ArchiveError) -> Turn {
    // One slice must fit.
    try folder.checkRoom(for: 0)
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

  private func interrupted(_ file: FileBackup, _ failure: CopyFailure) throws(ArchiveError) {
    guard case .workspace(let id) = file.source else {
      return try refusing { () throws(CopyFailure) in throw failure }
    }
    if file.isCopying { source.giveBack(id) }
    if case .destination = failure { return try fail(failure, id) }
    do throws(StoreError) { try file.discard() } catch { throw ArchiveError(error) }
    guard case .interrupted = failure, plan.takeRestart() else { return try fail(failure, id) }
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
    report.finished(file.entry)
    do throws(StoreError) {
      try manifest?.add(file.entry)
      phase = .between
      switch file.source {
      case .workspace: plan.advance()
      case .registry:
        if report.content == .relay {
          phase = .planning(try StillFile(folder.path + "/relay.db"), after: nil)
        }
      }
    } catch {
      throw ArchiveError(error)
    }
  }
}
