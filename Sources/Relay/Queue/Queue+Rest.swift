extension Queue {
  /// All of it can be read from the file again, exactly: nobody waits, no agent holds anything, and
  /// no write is on its way. (The driver commits deferred writes before.)
  package var isInFile: Bool {
    polls.isEmpty && heldCount == 0 && actions.isEmpty && !isPaused
      && messages.values.allSatisfy(\.isInFile)
      && tasks.values.allSatisfy { !$0.isPending && $0.onItsWay.isEmpty && $0.waiting.isEmpty }
  }

  /// An agent counts as present until then.
  package func restsAt(now: Now) -> Instant {
    lastPollEnd.map { $0 + limits.presentAfterPoll } ?? now.instant
  }

  /// The counter of the last fence given; the next queue of this run begins above it.
  package var lastFence: UInt64 { fenceCounter }
}

extension Message {
  fileprivate var isInFile: Bool {
    guard callers == 0, waiting.isEmpty, closers.isEmpty else { return false }
    return state.isEnd || !state.isPending && handOut == nil && retryAt == nil
  }
}
