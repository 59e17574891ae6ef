import Relay

/// The audit lines that nobody waits for: how a job ended, and why an operation was refused. They
/// are written with the registry's next commit, and kept while the disk refuses them.
struct AuditLines {
  private(set) var waiting: [AuditEntry] = []
  /// The earliest instant of the next attempt; `nil`: the turn's commit writes the lines.
  private var due: Instant?

  /// The instant at which the lines are to be written.
  var nextDue: Instant? { waiting.isEmpty ? nil : due ?? Instant(nanoseconds: 0) }

  /// Adds a line. Returns the oldest line, which is lost, if more than `max` would wait.
  mutating func add(_ entry: AuditEntry, atMost max: Int) -> AuditEntry? {
    let lost = waiting.count >= max ? waiting.removeFirst() : nil
    waiting.append(entry)
    return lost
  }

  /// Returns the lines that go with this turn's commit.
  func taken(_ now: Instant) -> [AuditEntry] {
    if let due, due > now { return [] }
    return waiting
  }

  /// Removes the first `count` lines, which are in the file.
  mutating func stored(_ count: Int) {
    waiting.removeFirst(count)
    due = nil
  }

  /// Notes that the disk has refused the lines, which are tried again at `time`.
  mutating func refused(retry time: Instant) { due = time }
}
