import Relay
import Testing
import Wire

@testable import Engine

/// The probe of `/ready` as a machine, and what its answer says; without a file.
@Suite struct ReadyProbeTests {
  private let limits = Limits()
  private var probe: ReadyProbe
  private var now = Instant(nanoseconds: 1_000_000_000)

  init() { probe = ReadyProbe(limits) }

  private func caller(_ call: CallID) -> ReadyProbe.Caller {
    ReadyProbe.Caller(call: call, reader: .anonymous)
  }

  private mutating func ask(_ call: CallID, canCommit: Bool = true) -> ReadyProbe.Step {
    probe.asked(caller(call), canCommit: canCommit, now: now)
  }

  @Test mutating func `callers share the row that is on its way`() {
    #expect(ask(1) == .commit && ask(2) == .wait)
    #expect(probe.committed(in: 7) && !probe.committed(in: 8), "its round is the first one")
    #expect(ask(3) == .wait)
    #expect(probe.passed(6, now: now).isEmpty && probe.refused(now: now).isEmpty)
    now = now + .milliseconds(3)
    #expect(probe.passed(7, now: now) == [caller(1), caller(2), caller(3)])
    #expect(probe.last?.outcome == .passed(.milliseconds(3)) && probe.nextDue == nil)
    #expect(probe.passed(7, now: now).isEmpty, "each is answered once")
  }

  @Test(arguments: [true, false])
  mutating func `an outcome is shared for a while, then a row is committed again`(
    hasPassed: Bool
  ) {
    #expect(ask(1) == .commit)
    if hasPassed {
      #expect(probe.committed(in: 1) && probe.passed(1, now: now) == [caller(1)])
    } else {
      #expect(probe.refused(now: now) == [caller(1)] && probe.last?.outcome == .refused)
      #expect(probe.committed(in: 1) == false, "nothing of it is written any more")
    }
    now = now + (limits.probeInterval - .nanoseconds(1))
    #expect(ask(2) == .answer)
    now = now + .nanoseconds(1)
    #expect(ask(3) == .commit)
  }

  @Test mutating func `a row that takes too long is reported once, and still has an outcome`() {
    #expect(probe.nextDue == nil && ask(1) == .commit && probe.committed(in: 1))
    #expect(probe.nextDue == now + limits.probeTime)
    now = now + (limits.probeTime - .nanoseconds(1))
    #expect(probe.tick(now: now).isEmpty)
    now = now + .nanoseconds(1)
    #expect(probe.tick(now: now) == [caller(1)] && probe.last?.outcome == .slow)
    #expect(probe.nextDue == nil && probe.tick(now: now).isEmpty)
    // Who asks now waits for the same row, which is late already.
    #expect(ask(2) == .wait && probe.tick(now: now) == [caller(2)])
    #expect(probe.passed(1, now: now).isEmpty)
    #expect(probe.last?.outcome == .passed(limits.probeTime) && ask(3) == .answer)
  }

  @Test mutating func `nobody waits for a row when the relay ends`() {
    #expect(ask(1, canCommit: false) == .answer && probe.nextDue == nil)
    #expect(!probe.committed(in: 1) && probe.refused(now: now).isEmpty)
    #expect(ask(2) == .commit && ask(3, canCommit: false) == .answer)
  }
}
