import Relay

/// The open files that are still to be compared with their paths: a few at each look, until each
/// has had its turn.
struct FileWatch {
  private var left: [WorkspaceID] = []

  /// Returns the files of this look. `all`: the open files, asked for when none is left.
  mutating func next(atMost count: Int, of all: () -> [WorkspaceID]) -> [WorkspaceID] {
    if left.isEmpty { left = all() }
    let taken = Array(left.suffix(count))
    left.removeLast(taken.count)
    return taken
  }
}
