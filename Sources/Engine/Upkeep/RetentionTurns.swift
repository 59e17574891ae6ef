import Relay

/// Whose turn it is to delete what was kept for long enough, or to make its file smaller: one
/// workspace a turn, the one that has waited longest.
struct RetentionTurns {
  /// A workspace with a round to come.
  struct Place {
    var due: Instant
    /// It has work for a turn: it is not looked through before.
    var hasTurnWork: Bool
    /// It takes part in the turn at work.
    var isTouched: Bool
  }

  private let pause: Duration
  private let shrinksEvery: Duration
  private(set) var waiting: Set<WorkspaceID> = []
  /// No file is written once more before then.
  private(set) var shrinksFrom = Instant(nanoseconds: 0)

  init(_ limits: Limits) {
    pause = limits.retentionPause
    shrinksEvery = limits.retentionEvery
  }

  /// The workspace takes part until it has no round for now.
  mutating func add(_ id: WorkspaceID) { waiting.insert(id) }

  /// When the next round is due. `look` returns `nil` for a workspace without one.
  func nextDue(_ look: (WorkspaceID) -> Place?) -> Instant? {
    var earliest: Instant?
    for id in waiting {
      guard let place = look(id), !place.hasTurnWork else { continue }
      earliest = min(earliest ?? place.due, place.due)
    }
    return earliest
  }

  /// Returns the workspace whose turn it is, and those whose next round is so late that an alarm
  /// wakes them: they take part no more.
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

  /// A file is written once more: the next one some time later.
  mutating func shrinks(now: Instant) { shrinksFrom = now + shrinksEvery }
}
