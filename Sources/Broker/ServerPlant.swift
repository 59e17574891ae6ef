#if PLANTS
  import Relay

  /// The planted faults of the negative controls of the crash tests: a test that loses nothing
  /// proves something only if it finds these. Release builds have none of this.
  package enum ServerPlant: String, CaseIterable, Sendable {
    /// Callers and agents are answered before COMMIT.
    case answerBeforeCommit = "answer-before-commit"
    /// Hand-outs leave no row.
    case dropHandOut = "drop-hand-out"
  }

  extension Broker {
    /// How long `answerBeforeCommit` keeps what it has answered in memory.
    private static let plantDelay = Duration.milliseconds(300)

    /// Answers what should have waited for the commit; says whether the commit has to wait.
    func plantedDelay(_ desk: Desk, now: Now) -> Bool {
      guard plant == .answerBeforeCommit, !desk.batch.isEmpty else { return false }
      let due = desk.plantDue ?? now.instant + Self.plantDelay
      desk.plantDue = due
      let reports = desk.reports
      desk.reports = []
      outbox += desk.afterCommit + desk.afterBarrier
      desk.afterCommit = []
      desk.afterBarrier = []
      desk.queue.durable(reports, now: now)
      carryOut(desk, now: now)
      outbox += desk.afterCommit
      desk.afterCommit = []
      touch(desk)
      if now.instant < due { return true }
      desk.plantDue = nil
      return false
    }

    func planted(_ writes: [Write]) -> [Write] {
      guard plant == .dropHandOut else { return writes }
      return writes.filter { if case .handOut = $0 { false } else { true } }
    }
  }
#endif
