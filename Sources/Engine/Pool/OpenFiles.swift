import Relay

/// The workspaces whose files are open, and which of those can be closed, each in the order of use.
///
/// After each turn that used an open file the engine says whether the file can be closed (`put`);
/// it asks for the file that was unused for the longest time (`oldest`). No operation looks through
/// all open files.
struct OpenFiles {
  /// The condition for closing a file.
  enum Standing {
    /// The file can be closed: everything is on the disk.
    case ready
    /// The file can be closed once its commits and deferred writes are synced.
    case unsynced
    /// The file is in use, or kept open by something that may end without a turn of its workspace.
    case busy
  }

  /// The number of files opened since the start.
  private(set) var openedEver = 0
  private var standings: [WorkspaceID: (standing: Standing, use: UInt64)] = [:]
  private var lastUse: UInt64 = 0
  private var ready = RecencyList<WorkspaceID>()
  private var unsynced = RecencyList<WorkspaceID>()
  private var busy = RecencyList<WorkspaceID>()

  var count: Int { standings.count }

  mutating func opened(_ id: WorkspaceID) {
    openedEver += 1
    put(id, .busy)
  }

  mutating func closed(_ id: WorkspaceID) {
    guard let entry = standings.removeValue(forKey: id) else { return }
    remove(id, entry.standing)
  }

  /// Sets the standing of the file.
  ///
  /// - `isUse`: somebody used the file. A look that finds nothing new is no use.
  /// - `isFirst`: the file is closed before all others.
  mutating func put(
    _ id: WorkspaceID, _ standing: Standing, isUse: Bool = true, isFirst: Bool = false
  ) {
    if !isUse, !isFirst, standings[id]?.standing == standing { return }
    lastUse += 1
    let entry = (standing: standing, use: isFirst ? 0 : lastUse)
    if let before = standings.updateValue(entry, forKey: id), before.standing != standing {
      remove(id, before.standing)
    }
    switch standing {
    case .ready: isFirst ? ready.useFirst(id) : ready.use(id)
    case .unsynced: isFirst ? unsynced.useFirst(id) : unsynced.use(id)
    case .busy: isFirst ? busy.useFirst(id) : busy.use(id)
    }
  }

  func oldest(_ standing: Standing) -> WorkspaceID? {
    switch standing {
    case .ready: ready.oldest
    case .unsynced: unsynced.oldest
    case .busy: busy.oldest
    }
  }

  /// Returns whether the oldest file of this standing was unused for longer than every file that is
  /// ready.
  func isBeforeReady(_ standing: Standing) -> Bool {
    guard let id = oldest(standing) else { return false }
    guard let first = ready.oldest else { return true }
    return use(of: id) <= use(of: first)
  }

  private func use(of id: WorkspaceID) -> UInt64 { standings[id]?.use ?? 0 }

  private mutating func remove(_ id: WorkspaceID, _ standing: Standing) {
    switch standing {
    case .ready: ready.remove(id)
    case .unsynced: unsynced.remove(id)
    case .busy: busy.remove(id)
    }
  }
}
