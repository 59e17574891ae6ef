import Relay

/// Selects the open files that are compared with their paths: a few at each check, until each has
/// had its turn.
struct FileWatch {
  private var left: [WorkspaceID] = []

  /// Returns the files for this check. `all`: returns the open files; called when no selected file
  /// is left.
  mutating func next(atMost count: Int, of all: () -> [WorkspaceID]) -> [WorkspaceID] {
    if left.isEmpty { left = all() }
    let taken = Array(left.suffix(count))
    left.removeLast(taken.count)
    return taken
  }
}
