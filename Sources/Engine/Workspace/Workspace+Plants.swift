#if PLANTS
  import Relay

  extension Workspace {
    /// The time between the replies and the commit under the injected fault `answerBeforeCommit`.
    private static let plantDelay = Duration.milliseconds(300)

    /// Answers before the commit under an injected fault. Returns whether the commit has to wait.
    func plantedDelay(now: Now) -> Bool {
      guard process.plant == .answerBeforeCommit, !transaction.batch.isEmpty else { return false }
      let due = turn.plantDue ?? now.instant + Self.plantDelay
      turn.plantDue = due
      let taken = transaction.takeUncommitted()
      replies.send(taken.replies)
      queue.durable(taken.reports, now: now)
      carryOut(now: now)
      replies.send(transaction.takeAfterCommit())
      touch()
      if now.instant < due { return true }
      turn.plantDue = nil
      return false
    }

    func planted(_ writes: [Write]) -> [Write] {
      guard process.plant == .dropHandOut else { return writes }
      return writes.filter { if case .handOut = $0 { false } else { true } }
    }
  }
#endif
