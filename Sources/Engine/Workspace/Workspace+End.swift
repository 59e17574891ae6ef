import Relay
import Store

/// Ends a workspace's work in this process, because its file failed or the process ends.
extension Workspace {
  /// Writes everything that is pending, and closes the file with an empty log. Returns whether all
  /// of that succeeded.
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

  /// Answers every waiting call, because no queue, timer or barrier will do so later.
  func giveUp(_ error: StoreError) {
    noteFailure(error)
    tasks.failWaiters(unstored: transaction.unstored(in: queue))
    let unsent = transaction.waitingReplies
    replies.fail(unsent.uncommitted, .workspaceUnavailable)
    replies.fail(unsent.committed, .outcomeUnknown)
    for cancel in waiting.cancels.values {
      replies.send(cancel.addressee.reply(.outcomeUnknown))
    }
    // The callers try again, and get the error of a file that cannot be used.
    for work in waiting.afterWrite.values.joined() { replies.later(for: .nobody, work) }
    for (call, reason) in openCalls { replies.send(Reply(call: call, error: reason)) }
    empty()
    // If the barrier uses the file's descriptor, the last round closes the file.
    if transaction.rounds.isEmpty { abandonFile() }
  }

  /// Drops the queue, and the writes, reports and replies of the transaction.
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
