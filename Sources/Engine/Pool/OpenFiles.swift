import Relay

/// Which workspaces' files are open, and which of them can be closed, each in the order of use.
///
/// The engine says how an open file stands after each turn in which it was used (`put`), and asks
/// for the one that was not used for the longest time (`oldest`). No operation looks through the
/// open files.
struct OpenFiles {
  /// What has to happen before a file can be closed.
  enum Standing {
    /// Nothing: everything is on the disk and nothing is on its way.
    case ready
    /// What it has committed, or deferred, has to be synced.
    case unsynced
    /// It is at work; or something else keeps it open, which may end without a turn of it.
    case busy
  }

  /// Files opened since the start.
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

  /// How the file stands now. `isUse`: it was used for somebody; a look that finds what was found
  /// before is no use. `isFirst`: it is to be closed before all others.
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

  /// The oldest that stands so was not used for longer than any that is ready.
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
