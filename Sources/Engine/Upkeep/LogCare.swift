import Relay

/// Which write-ahead logs are to be copied into their files, and whose turn it is.
struct LogCare {
  /// A log that is looked at for its length.
  struct LongLog {
    var pages: Int
    /// The end of its file is being cut: a checkpoint would cut the rest at one go.
    var isBeingCut: Bool
  }

  private struct Watched: Comparable {
    var at: Instant
    var id: WorkspaceID
    static func < (left: Watched, right: Watched) -> Bool { left.at < right.at }
  }

  /// Pages at which a log is copied when no barrier is at work, and in any case.
  private let pagesIdle: Int
  private let pagesBusy: Int
  /// Workspaces whose log was long when something was written last.
  private(set) var long: Set<WorkspaceID> = []
  /// Workspaces with any log, by when it comes due.
  private var watched = Heap<Watched>()

  init(_ limits: Limits) {
    pagesIdle = limits.walPagesIdle
    pagesBusy = limits.walPagesBusy
  }

  func isLong(_ pages: Int) -> Bool { pages >= pagesIdle }

  /// The log is long.
  mutating func noteLong(_ id: WorkspaceID) { long.insert(id) }

  /// The log comes due then.
  mutating func watch(_ id: WorkspaceID, at: Instant) { watched.insert(Watched(at: at, id: id)) }

  mutating func closed(_ id: WorkspaceID) { long.remove(id) }

  /// Returns the workspace with the longest log that is to be copied: at `walPagesBusy` in any
  /// case, at `walPagesIdle` when no barrier is at work. `look` returns `nil` for a log that cannot
  /// be copied.
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

  /// Takes a workspace whose log has come due out of the list.
  mutating func popDue(_ now: Instant) -> WorkspaceID? {
    guard let first = watched.first, first.at <= now else { return nil }
    return watched.popFirst()?.id
  }
}
