package import Relay
import Store
import System

extension Engine {
  /// Closes every file: what waits for a lazy write is written, and the logs are emptied. Says
  /// whether all of it could be done; if not, what was acknowledged is still in the logs, but the
  /// process has to end with a status that says so.
  @discardableResult
  package func close(now: Now) -> Bool {
    var isWhole = true
    fileWaiters.refuseAll(now: now)
    // Those whose files are open first, so that there is room for the others.
    for desk in desks.values.filter(\.isOpen) + desks.values.filter({ !$0.isOpen })
    where desk.failure == nil {
      guard fatal == nil else { break }
      if close(desk, now: now) { sleep(desk, now: now) } else { isWhole = false }
    }
    writeHeldReceipts(now: now)
    desks = [:]
    guard fatal == nil else { return false }
    do throws(StoreError) {
      try registry.writeRest(now: now)
      try data.registry.commit([.clock(clocks.record(boot: data.kernelBoot, now: now))])
      try data.registry.end()
    } catch {
      log.error("registry_close_failed", ["error": .text(error.description)])
      data.registry.abandon()
      isWhole = false
    }
    return isWhole
  }

  private func close(_ desk: Desk, now: Now) -> Bool {
    desk.transaction.makeDeferredUrgent(now.instant)
    commit(desk, now: now)
    let isWritten =
      desk.transaction.deferred.isEmpty && desk.transaction.batch.isEmpty && desk.failure == nil
    guard desk.failure == nil, fatal == nil, desk.isOpen else { return isWritten }
    do throws(StoreError) {
      try desk.file.sync()
      try desk.file.checkpoint(.truncate)
      try desk.closeFile()
      files.closed(desk.id)
    } catch {
      failed(error, workspace: desk.id)
      abandonFile(desk)
      return false
    }
    return isWritten
  }

  /// Those of workspaces that are only files. One that is lost is as one that never came.
  private func writeHeldReceipts(now: Now) {
    for id in receipts.absent where fatal == nil {
      guard let desk = try? desk(id, now: now) else { continue }
      if close(desk, now: now) { sleep(desk, now: now) }
    }
  }

  func abandonFile(_ desk: Desk) {
    files.closed(desk.id)
    desk.abandonFile()
  }

  /// Final for the workspace; the others go on. Everybody who waits is told now: no queue, timer or
  /// barrier will answer them later.
  func close(_ desk: Desk, _ error: StoreError) {
    failed(error, workspace: desk.id)
    giveUp(desk, error)
  }

  func giveUp(_ desk: Desk, _ error: StoreError) {
    desk.failure = error
    let unstored = desk.transaction.unstored(in: desk.queue)
    for (seq, waiters) in desk.waiters {
      // What was committed may be read again once the file is mended.
      let reason: RelayError = unstored.contains(seq) ? .workspaceUnavailable : .outcomeUnknown
      for waiter in waiters {
        heldCallers.remove(waiter.addressee.call)
        var reply = waiter.addressee.reply(reason)
        if reason == .outcomeUnknown, let message = desk.queue.message(seq) {
          reply.messageID = desk.messageID(message)
        }
        replies.send(reply)
      }
    }
    let unsent = desk.transaction.waitingReplies
    replies.fail(unsent.uncommitted, .workspaceUnavailable)
    replies.fail(unsent.committed, .outcomeUnknown)
    for (call, place) in cancels where place.1 == desk.id {
      cancels[call] = nil
      replies.send(place.0.reply(.outcomeUnknown))
    }
    for (call, operation) in operations where operation.workspace == desk.id {
      operations[call] = nil
    }
    // They ask again, and are told that the file cannot be used.
    for work in desk.afterWrite.values.joined() { replies.later(for: .nobody, work) }
    for (call, reason) in desk.open { replies.send(Reply(call: call, error: reason)) }
    empty(desk)
    // The barrier may hold its descriptor: then the last round closes it.
    if desk.transaction.rounds.isEmpty { abandonFile(desk) }
  }

  /// Its queue does nothing any more. What the rounds on their way have answered already stands.
  private func empty(_ desk: Desk) {
    desk.cache.removeAll()
    desk.consumers = Consumers()
    desk.replays = [:]
    desk.afterWrite = [:]
    desk.jobs = []
    desk.scans = []
    desk.waiters = [:]
    desk.pendingKeys = PendingKeys()
    desk.open = [:]
    desk.ownAnswers = OwnAnswers()
    receipts.opened(desk.id)
    desk.transaction.giveUp()
  }
}
