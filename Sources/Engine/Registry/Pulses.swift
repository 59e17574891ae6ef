import Relay

/// Workspaces of which relay.db is to be told: the hint of when something comes due in their file,
/// the time of the last sign of life, and what the file holds.
struct Pulses {
  private var waiting: Set<WorkspaceID> = []
  /// Workspaces of which relay.db must be told with this turn's transaction: something comes due
  /// in a file that it calls idle.
  private var urgent: Set<WorkspaceID> = []
  /// When the waiting ones are written.
  private(set) var nextDue: Instant?

  var isEmpty: Bool { waiting.isEmpty && urgent.isEmpty }
  var hasUrgent: Bool { !urgent.isEmpty }

  mutating func add(_ id: WorkspaceID, at time: Instant) {
    if waiting.isEmpty, nextDue == nil { nextDue = time }
    waiting.insert(id)
  }

  mutating func addUrgent(_ id: WorkspaceID) { urgent.insert(id) }

  /// All waiting ones are written at this time.
  mutating func retry(at time: Instant) { nextDue = time }

  /// Takes the urgent ones, and at the interval the others, as many as one transaction takes.
  mutating func take(_ now: Instant) -> [WorkspaceID] {
    var ids = Array(urgent)
    urgent = []
    if let due = nextDue, due <= now {
      ids += waiting.prefix(Limits.pulsesInTransactionMax)
      nextDue = waiting.count > Limits.pulsesInTransactionMax ? now : nil
    }
    for id in ids { waiting.remove(id) }
    return ids
  }
}
