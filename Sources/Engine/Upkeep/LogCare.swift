import Relay

/// Selects the write-ahead logs that are to be copied into their files, one at a time.
struct LogCare {
  /// A log whose length matters.
  struct LongLog {
    var pages: Int
    /// Whether the end of its file is being cut: a checkpoint would cut the rest in one step.
    var isBeingCut: Bool
  }

  private struct Watched: Comparable {
    var at: Instant
    var id: WorkspaceID
    static func < (left: Watched, right: Watched) -> Bool { left.at < right.at }
  }

  /// The length, in pages, at which a log is copied while no barrier runs.
  private let pagesIdle: Int
  private let pagesBusy: Int
  /// The workspaces whose log was long after their last write.
  private(set) var long: Set<WorkspaceID> = []
  /// The workspaces with any log, by the instant at which it is due.
  private var watched = Heap<Watched>()

  init(_ limits: Limits) {
    pagesIdle = limits.walPagesIdle
    pagesBusy = limits.walPagesBusy
  }

  func isLong(_ pages: Int) -> Bool { pages >= pagesIdle }

  /// Notes that the log is long.
  mutating func noteLong(_ id: WorkspaceID) { long.insert(id) }

  /// Sets the instant at which the log is due.
  mutating func watch(_ id: WorkspaceID, at: Instant) { watched.insert(Watched(at: at, id: id)) }

  mutating func closed(_ id: WorkspaceID) { long.remove(id) }

  /// Returns the workspace with the longest log that is to be copied: from `walPagesBusy` in any
  /// case, from `walPagesIdle` while no barrier runs.
  ///
  /// - `look`: returns `nil` for a log that cannot be copied.
  mutating func longest(
    isBarrierBusy: Bool, _ look: (WorkspaceID) -> LongLog?
  ) -> WorkspaceID? {
    var longest: (id: WorkspaceID, pages: Int)?
    for id in long {
      guard let log = look(id), isLong(log.pages) else {
        long.remove(id)
        continue
      }
      if log.isBeingCut, log.pages < 2 * pagesBusy { continue }
      let isDue = log.pages >= pagesBusy || !isBarrierBusy
      if isDue, log.pages > longest?.pages ?? 0 { longest = (id, log.pages) }
    }
    return longest?.id
  }

  /// Removes and returns a workspace whose log is due.
  mutating func popDue(_ now: Instant) -> WorkspaceID? {
    guard let first = watched.first, first.at <= now else { return nil }
    return watched.popFirst()?.id
  }
}
