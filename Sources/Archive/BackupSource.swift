package import Relay
package import Store

/// Whose files are backed up: a relay at work, or a data directory that nobody uses.
package protocol BackupSource: AnyObject {
  var data: DataDirectory { get }
  /// The file, open until it is given back; it may be closed before, which ends its copy. `nil`:
  /// there is no such file any more.
  func borrow(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile?
  func giveBack(_ id: WorkspaceID)
}

/// A data directory in nobody's use but ours.
package final class DirectorySource: BackupSource {
  package let data: DataDirectory
  private var open: WorkspaceFile?
  /// The errors of files that had been copied already.
  package private(set) var failures: [StoreError] = []

  package init(_ data: DataDirectory) { self.data = data }

  package func borrow(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile? {
    guard data.place(of: id) != nil else { return nil }
    let file = try data.openWorkspaceFile(id)
    open = file
    return file
  }

  package func giveBack(_ id: WorkspaceID) {
    do throws(StoreError) { try open?.close() } catch { failures.append(error) }
    open = nil
  }

  package func close() throws(StoreError) { try data.registry.close() }
}
