import Relay
import Store

/// Whether what is open is still what the paths lead to: see `Database.loss`.
extension Engine {
  /// Ends everything if the data directory is not the one that this process holds.
  func isDirectoryInPlace() -> Bool {
    guard let loss = data.loss() else { return true }
    fatal = loss
    return false
  }

  /// Looks once a second at the directory and at `filesLookedAtMax` of the open files, and closes
  /// workspaces whose file has gone.
  package func watchFiles() {
    guard fatal == nil, isDirectoryInPlace() else { return }
    let ids = fileWatch.next(atMost: limits.filesLookedAtMax) {
      desks.values.filter { $0.isOpen && $0.failure == nil }.map(\.id)
    }
    for id in ids {
      guard let desk = desks[id], desk.isOpen, desk.failure == nil, let loss = desk.file.loss()
      else { continue }
      close(desk, loss)
    }
  }
}
