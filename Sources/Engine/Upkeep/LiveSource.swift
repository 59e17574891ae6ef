import Archive
import Relay
import Store

/// The files of a relay at work, for its backup: those in use by the connection that uses them, the
/// others opened for as long as they are copied.
final class LiveSource: BackupSource {
  private unowned let pool: WorkspacePool
  package let data: DataDirectory
  /// Opened for the backup alone.
  private(set) var lent: (id: WorkspaceID, file: WorkspaceFile)?

  init(_ pool: WorkspacePool) {
    self.pool = pool
    data = pool.data
    data.beforeUse = { [weak self] id in self?.letGo(of: id) }
  }

  package func borrow(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile? {
    if let workspace = pool[id] {
      if let failure = workspace.failure { throw failure }
      if workspace.isOpen { return workspace.file }
    }
    guard data.place(of: id) != nil else { return nil }
    let file = try data.openWorkspaceFile(id)
    lent = (id, file)
    return file
  }

  package func giveBack(_ id: WorkspaceID) { letGo(of: id) }

  /// A file has one connection: who wants to use it, or to remove it, says so first. Its copy is
  /// begun anew, on the connection that uses it then.
  func letGo(of id: WorkspaceID) {
    guard let lent, lent.id == id else { return }
    self.lent = nil
    do throws(StoreError) { try lent.file.close() } catch {
      lent.file.abandon()
      pool.process.failed(error, workspace: id)
    }
  }
}

extension LiveSource {
  /// A file is open for the backup alone.
  var isLending: Bool { lent != nil }
}
