import Relay

/// How many files are open, and in which order they were used last.
///
/// A use is a pair at the end of a list; the older pairs of a desk that has been used again are
/// skipped, and thrown away once they are in the majority.
struct OpenFiles {
  private(set) var count = 0
  /// Since the start.
  private(set) var openedEver = 0
  private var uses: [(id: WorkspaceID, use: UInt64)] = []
  private var start = 0
  private var lastUse: UInt64 = 0
  /// Out of the order: to be closed when what they have committed is on the disk.
  var retiring: [(id: WorkspaceID, use: UInt64)] = []

  mutating func opened() {
    count += 1
    openedEver += 1
  }

  mutating func closed() { count -= 1 }

  /// Numbers a use; to be kept with the desk.
  mutating func use(_ id: WorkspaceID) -> UInt64 {
    lastUse += 1
    uses.append((id, lastUse))
    return lastUse
  }

  /// Takes the longest unused out of the order. `isCurrent`: the desk is there, its file is open,
  /// and this is its last use.
  mutating func popOldest(_ isCurrent: (WorkspaceID, UInt64) -> Bool) -> WorkspaceID? {
    while start < uses.count {
      let (id, use) = uses[start]
      start += 1
      if isCurrent(id, use) { return id }
    }
    return nil
  }

  mutating func compact(_ isCurrent: (WorkspaceID, UInt64) -> Bool) {
    guard uses.count > 64 + 4 * count else { return }
    uses = uses[start...].filter { isCurrent($0.id, $0.use) }
    start = 0
  }
}
