import Relay

/// Workspaces that are only files and are to be opened because something in them is due, one after
/// the other. They are many after a start, and nobody waits for them.
struct SweepList {
  private var ids: [WorkspaceID] = []
  /// How many of the ids are done with.
  private var done = 0
  /// No step is made before.
  private(set) var nextStep = Instant(nanoseconds: 0)

  var isEmpty: Bool { ids.isEmpty }

  /// The workspace whose turn it is.
  var first: WorkspaceID? { done < ids.count ? ids[done] : nil }

  mutating func add(_ id: WorkspaceID) { ids.append(id) }

  /// Returns whether a step may be made now; the next one is `pause` later.
  mutating func takeStep(now: Instant, pause: Duration) -> Bool {
    guard nextStep <= now else { return false }
    nextStep = now + pause
    return true
  }

  /// The first one is done with.
  mutating func advance() {
    done += 1
    guard done >= ids.count else { return }
    ids = []
    done = 0
  }
}
