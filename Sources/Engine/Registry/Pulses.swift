import Relay

/// The workspaces whose facts relay.db has to store: the time at which something in their file is
/// due, the last sign of life, and the queue depth.
struct Pulses {
  private var waiting: Set<WorkspaceID> = []
  /// The workspaces that relay.db must store with this turn's transaction, because something is due
  /// in a file that relay.db calls idle.
  private var urgent: Set<WorkspaceID> = []
  /// The instant at which the waiting facts are written.
  private(set) var nextDue: Instant?

  var isEmpty: Bool { waiting.isEmpty && urgent.isEmpty }
  var hasUrgent: Bool { !urgent.isEmpty }

  mutating func add(_ id: WorkspaceID, at time: Instant) {
    if waiting.isEmpty, nextDue == nil { nextDue = time }
    waiting.insert(id)
  }

  mutating func addUrgent(_ id: WorkspaceID) { urgent.insert(id) }

  /// Sets the time at which all waiting facts are written.
  mutating func retry(at time: Instant) { nextDue = time }

  /// Takes the urgent workspaces, and at the interval as many others as one transaction holds.
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
