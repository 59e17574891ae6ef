import Relay
import Testing

@testable import Engine

/// The values in which the registry keeps what is pending: without a file.
@Suite struct RegistryValueTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func row(_ low: UInt64, _ name: String = "") -> RegisteredWorkspace {
    RegisteredWorkspace(
      id: WorkspaceID(UUIDBytes(high: 1, low: low)), name: name, org: "default",
      createdAt: WallTime(nanoseconds: 0))
  }

  @Test func `a row is pending until its last write has an outcome`() {
    var rows = PendingRows()
    #expect(rows.add(row(1, "a")) == nil)
    #expect(rows.add(row(1, "b")) == row(1, "a"))
    rows.removeWrite(row(1).id)
    #expect(rows[row(1).id] == row(1, "b") && rows.all == [row(1, "b")])
    rows.removeWrite(row(1).id)
    #expect(rows.isEmpty && rows[row(1).id] == nil)
    rows.removeWrite(row(1).id)
    #expect(rows.isEmpty)
  }

  @Test func `a refused write leaves the row as the one before it`() {
    var rows = PendingRows()
    _ = rows.add(row(1, "a"))
    let previous = rows.add(row(1, "b"))
    if let previous { rows.putBack(previous) }
    rows.removeWrite(row(1).id)
    #expect(rows[row(1).id] == row(1, "a"))
    rows.putBack(row(2))
    #expect(rows[row(2).id] == nil, "nothing of it is pending")
  }

  @Test func `pulses are written at the interval, urgent ones in the turn`() {
    var pulses = Pulses()
    #expect(pulses.isEmpty && pulses.nextDue == nil)
    pulses.add(row(1).id, at: start + .seconds(60))
    pulses.add(row(2).id, at: start + .seconds(90))
    #expect(pulses.nextDue == start + .seconds(60), "the first sets the time")
    pulses.addUrgent(row(3).id)
    #expect(pulses.hasUrgent && pulses.take(start) == [row(3).id])
    #expect(pulses.take(start).isEmpty && !pulses.isEmpty)
    #expect(Set(pulses.take(start + .seconds(60))) == [row(1).id, row(2).id])
    #expect(pulses.isEmpty && pulses.nextDue == nil)
  }

  @Test func `more pulses than one transaction takes go on at once`() {
    var pulses = Pulses()
    for low in 0..<501 { pulses.add(row(UInt64(low)).id, at: start) }
    #expect(pulses.take(start).count == 500 && pulses.nextDue == start)
    #expect(pulses.take(start).count == 1 && pulses.nextDue == nil)
  }

  @Test func `lines of the audit stay until they are written, and the oldest gives way`() {
    func line(_ detail: String) -> AuditEntry {
      AuditEntry(
        at: WallTime(nanoseconds: 0), actor: "admin", action: .jobEnd, target: .relay,
        detail: detail)
    }
    var lines = AuditLines()
    #expect(lines.nextDue == nil)
    #expect(lines.add(line("1"), atMost: 2) == nil && lines.add(line("2"), atMost: 2) == nil)
    #expect(lines.nextDue == Instant(nanoseconds: 0), "with the turn's commit")
    #expect(lines.taken(start).map(\.detail) == ["1", "2"])
    lines.refused(retry: start + .seconds(5))
    #expect(lines.nextDue == start + .seconds(5) && lines.taken(start).isEmpty)
    #expect(lines.add(line("3"), atMost: 2) == line("1"), "it is lost")
    let taken = lines.taken(start + .seconds(5))
    #expect(taken.map(\.detail) == ["2", "3"])
    lines.stored(1)
    #expect(lines.waiting.map(\.detail) == ["3"] && lines.nextDue == Instant(nanoseconds: 0))
  }
}
