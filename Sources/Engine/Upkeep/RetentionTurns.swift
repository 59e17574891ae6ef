import Relay

/// Selects the workspace that deletes old messages or shrinks its file in this turn: the one that
/// has waited longest.
struct RetentionTurns {
  /// A workspace that has a step of retention to come.
  struct Place {
    var due: Instant
    /// Whether it has work to commit; its retention waits for that.
    var hasTurnWork: Bool
    /// Whether it takes part in the current turn.
    var isTouched: Bool
  }

  private let pause: Duration
  private let shrinksEvery: Duration
  private(set) var waiting: Set<WorkspaceID> = []
  /// The earliest instant at which another file may be rewritten.
  private(set) var shrinksFrom = Instant(nanoseconds: 0)

  init(_ limits: Limits) {
    pause = limits.retentionPause
    shrinksEvery = limits.retentionEvery
  }

  /// Adds the workspace, until it has no step of retention for now.
  mutating func add(_ id: WorkspaceID) { waiting.insert(id) }

  /// Returns the instant of the next step. `look` returns `nil` for a workspace without one.
  func nextDue(_ look: (WorkspaceID) -> Place?) -> Instant? {
    var earliest: Instant?
    for id in waiting {
      guard let place = look(id), !place.hasTurnWork else { continue }
      earliest = min(earliest ?? place.due, place.due)
    }
    return earliest
  }

  /// Returns the workspace whose turn it is, and the workspaces that leave the list because their
  /// next step is so late that an alarm wakes them.
  mutating func next(
    now: Instant, _ look: (WorkspaceID) -> Place?
  ) -> (id: WorkspaceID?, later: [WorkspaceID]) {
    var next: (id: WorkspaceID, due: Instant)?
    var later: [WorkspaceID] = []
    for id in waiting {
      guard let place = look(id) else {
        waiting.remove(id)
        continue
      }
      if place.due > now + pause, !place.isTouched {
        waiting.remove(id)
        later.append(id)
      } else if place.due <= now, !place.hasTurnWork, place.due < next?.due ?? .distantFuture {
        next = (id, place.due)
      }
    }
    return (next?.id, later)
  }

  /// Notes that a file is rewritten: the next one follows some time later.
  mutating func shrinks(now: Instant) { shrinksFrom = now + shrinksEvery }
}
