import Relay

/// Workspaces that are not in memory and in which something is due. They are opened one after the
/// other, because they may be many after a start and nobody waits for them.
struct SweepList {
  private var ids: [WorkspaceID] = []
  /// The number of workspaces that were opened.
  private var done = 0
  /// The earliest instant of the next step.
  private(set) var nextStep = Instant(nanoseconds: 0)

  var isEmpty: Bool { ids.isEmpty }

  /// The workspace to open next.
  var first: WorkspaceID? { done < ids.count ? ids[done] : nil }

  mutating func add(_ id: WorkspaceID) { ids.append(id) }

  /// Returns whether a step may be made now. If so, the next one may follow after `pause`.
  mutating func takeStep(now: Instant, pause: Duration) -> Bool {
    guard nextStep <= now else { return false }
    nextStep = now + pause
    return true
  }

  /// Removes the first workspace, which has been opened.
  mutating func advance() {
    done += 1
    guard done >= ids.count else { return }
    ids = []
    done = 0
  }
}
