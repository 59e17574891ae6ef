import Relay
import Store

/// The end of a workspace's work in this process: its file failed, or the process ends.
extension Workspace {
  /// Writes everything that waits, and closes the file with an empty log. Returns whether all of it
  /// could be done.
  func closeWhole(now: Now) -> Bool {
    transaction.makeDeferredUrgent(now.instant)
    commit(now: now)
    let isWritten = transaction.deferred.isEmpty && transaction.batch.isEmpty && failure == nil
    guard failure == nil, process.fatal == nil, isOpen else { return isWritten }
    do throws(StoreError) {
      try file.sync()
      try file.checkpoint(.truncate)
      try closeFile()
      pool.fileClosed(self)
    } catch {
      process.failed(error, workspace: id)
      abandonFile()
      return false
    }
    return isWritten
  }

  /// Closes the workspace after a final error of its file; the others go on.
  func close(after error: StoreError) {
    process.failed(error, workspace: id)
    giveUp(error)
  }

  /// Answers everybody who waits: no queue, timer or barrier will answer them later.
  func giveUp(_ error: StoreError) {
    noteFailure(error)
    tasks.failWaiters(unstored: transaction.unstored(in: queue))
    let unsent = transaction.waitingReplies
    replies.fail(unsent.uncommitted, .workspaceUnavailable)
    replies.fail(unsent.committed, .outcomeUnknown)
    for cancel in waiting.cancels.values {
      replies.send(cancel.addressee.reply(.outcomeUnknown))
    }
    // They ask again, and are answered that the file cannot be used.
    for work in waiting.afterWrite.values.joined() { replies.later(for: .nobody, work) }
    for (call, reason) in openCalls { replies.send(Reply(call: call, error: reason)) }
    empty()
    // The barrier may hold the file's descriptor: then the last round closes it.
    if transaction.rounds.isEmpty { abandonFile() }
  }

  /// Ends the work of the queue. What the rounds on their way have answered already stands.
  private func empty() {
    cache.removeAll()
    consumers = Consumers()
    jobState = JobState()
    waiting = WaitingCallers()
    openCalls = [:]
    pool.receipts.opened(id)
    transaction.giveUp()
  }
}
