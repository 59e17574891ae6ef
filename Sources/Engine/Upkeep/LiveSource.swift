import Archive
import Relay
import Store

/// The files of a running relay, as the source of its backup. A file in use is read through the
/// connection that uses it; any other is opened while it is copied.
final class LiveSource: BackupSource {
  private unowned let pool: WorkspacePool
  package let data: DataDirectory
  /// The file that was opened for the backup alone.
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

  /// Gives up a file that was opened for the backup, because a file has one connection and somebody
  /// wants to use or delete it. The copy starts again on the new connection.
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
  /// Whether a file is open for the backup alone.
  var isLending: Bool { lent != nil }
}
