import Relay

/// Lines of the audit that nobody waits for: how a job ended, and why an operation was refused.
/// They go with the registry's next commit, and stay here while the disk refuses it.
struct AuditLines {
  private(set) var waiting: [AuditEntry] = []
  /// Not before; `nil`: with the turn's commit.
  private var due: Instant?

  /// When the lines are to be written.
  var nextDue: Instant? { waiting.isEmpty ? nil : due ?? Instant(nanoseconds: 0) }

  /// Returns the oldest line if it is lost, because more than `max` would wait.
  mutating func add(_ entry: AuditEntry, atMost max: Int) -> AuditEntry? {
    let lost = waiting.count >= max ? waiting.removeFirst() : nil
    waiting.append(entry)
    return lost
  }

  /// The lines that go with this turn's commit.
  func taken(_ now: Instant) -> [AuditEntry] {
    if let due, due > now { return [] }
    return waiting
  }

  /// The first lines are in the file.
  mutating func stored(_ count: Int) {
    waiting.removeFirst(count)
    due = nil
  }

  /// The disk has refused the lines.
  mutating func refused(retry time: Instant) { due = time }
}
