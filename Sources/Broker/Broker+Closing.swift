import Relay
import Store

extension Broker {
  /// Final for the workspace; the others go on. Everybody who waits is told now: no queue, timer or
  /// barrier will answer them later.
  func close(_ desk: Desk, _ error: StoreError) {
    failed(error, workspace: desk.id)
    desk.failure = error
    let unstored = Set(desk.reports.compactMap { $0.storing(in: desk.queue) })
    for (seq, waiters) in desk.waiters {
      // What was committed may be read again once the file is mended.
      let reason: RelayError = unstored.contains(seq) ? .workspaceUnavailable : .outcomeUnknown
      for waiter in waiters {
        waiting[waiter.addressee.call] = nil
        var reply = waiter.addressee.reply(reason)
        if reason == .outcomeUnknown, let message = desk.queue.message(seq) {
          reply.messageID = desk.messageID(message)
        }
        outbox.append(reply)
      }
    }
    fail(desk.afterCommit + desk.afterBarrier, .workspaceUnavailable)
    fail(desk.committedReplies, .outcomeUnknown)
    for (call, place) in cancels where place.1 == desk.id {
      cancels[call] = nil
      outbox.append(place.0.reply(.outcomeUnknown))
    }
    for (call, reason) in desk.open { outbox.append(Reply(call: call, error: reason)) }
    empty(desk)
    // The barrier may hold its descriptor: then the last round closes it.
    if desk.rounds.isEmpty { desk.file.abandon() }
  }

  /// Its queue does nothing any more. What the rounds on their way have answered already stands.
  private func empty(_ desk: Desk) {
    for cached in desk.cache.values { cachedBytes -= cached.bytes }
    desk.cache = [:]
    desk.continued = []
    desk.lastCall = [:]
    desk.waiters = [:]
    desk.open = [:]
    desk.batch = []
    desk.reports = []
    desk.committedReports = []
    desk.committedReplies = []
    desk.lazies = []
    desk.laziesInBatch = []
    desk.lazyDue = nil
    desk.afterCommit = []
    desk.afterBarrier = []
    for index in desk.rounds.indices { desk.rounds[index].reports = [] }
  }
}

extension Report {
  /// The message that was to be stored.
  fileprivate func storing(in queue: Queue) -> Seq? {
    if case .message(let seq) = self, queue.message(seq)?.state == .storing { seq } else { nil }
  }
}
