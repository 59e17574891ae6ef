import Relay
import Store
import System

/// Closes files, so that others can be opened.
extension WorkspacePool {
  /// Makes room for one more open file.
  func makeRoom() throws(RelayError) {
    guard files.count >= limits.openWorkspacesMax else { return }
    guard closeOldest() != .none else { throw .tooManyOpen }
  }

  /// Closes a few of the longest unused before there is no room, so that what they have committed
  /// lately can be synced by a barrier that is needed anyway.
  func retireFiles() {
    syncsAsked = 0
    let most = limits.openWorkspacesMax - limits.openWorkspacesMax / 8
    for _ in 0..<Limits.filesClosedInTurnMax where files.count > most {
      guard closeOldest() == .quick else { return }
    }
  }

  /// How a file was closed, if one could be.
  private enum Close {
    case none
    /// About 0.2 ms.
    case quick
    /// Its log was emptied before: two syncs.
    case emptied
  }

  /// Closes the file that was not used for the longest time and can be closed. Older ones that
  /// cannot are brought to it: their deferred writes are committed with this turn, and synced by
  /// its barrier.
  private func closeOldest() -> Close {
    for _ in 0..<Limits.filesRetriedInCallMax where files.isBeforeReady(.busy) {
      guard let workspace = oldest(.busy) else { break }
      let standing = exactStanding(workspace)
      files.put(workspace.id, standing, isFirst: standing != .busy)
    }
    while syncsAsked < Limits.filesSyncedInTurnMax, files.isBeforeReady(.unsynced),
      let workspace = oldest(.unsynced)
    {
      syncsAsked += 1
      files.put(workspace.id, .busy)
      if !workspace.transaction.deferred.isEmpty {
        workspace.transaction.deferUntil(process.turnNow.instant)
      }
      workspace.turn.wantsSync = true
      workspace.turn.isClosedNext = true
      workspace.touch()
    }
    while let workspace = oldest(.ready) {
      guard exactStanding(workspace) == .ready else {
        files.put(workspace.id, .busy)
        continue
      }
      let outcome = close(workspace)
      if outcome != .none { return outcome }
    }
    return .none
  }

  private func oldest(_ standing: OpenFiles.Standing) -> Workspace? {
    files.oldest(standing).flatMap { workspaces[$0] }
  }

  /// What has to happen before its file can be closed. `isAtRest`: it is known that all of its
  /// queue is in the file, which takes a look at each message.
  func standing(
    _ workspace: Workspace, isAtRest: Bool = false
  ) -> OpenFiles.Standing {
    guard workspace.isQuiet, isAtRest || workspace.queue.count <= limits.closedMessagesMax,
      !mustStayOpen(workspace)
    else { return .busy }
    let mayHold =
      workspace.transaction.deferred.isEmpty
      || !workspace.transaction.isDeferredUrgent && receipts.hasRoom(limits.receiptsHeldMax)
    return mayHold && !workspace.isUnsynced && !workspace.file.isDirty ? .ready : .unsynced
  }

  private func exactStanding(_ workspace: Workspace) -> OpenFiles.Standing {
    standing(
      workspace,
      isAtRest: workspace.queue.count > limits.closedMessagesMax && isAtRest(workspace))
  }

  /// A backup would have to begin its copy anew; what is left of its end would be cut at one go.
  private func mustStayOpen(_ workspace: Workspace) -> Bool {
    (workspace.file.isBeingCopied || workspace.upkeep.isBeingCut) && limits.openWorkspacesMax > 1
  }

  private func close(_ workspace: Workspace) -> Close {
    // What was deleted must not stay in a log that is no longer watched.
    let outcome = workspace.care.log.holdsErased ? Close.emptied : .quick
    if outcome == .emptied, !workspace.upkeep.emptyLog(isIdle: false, now: process.turnNow) {
      guard workspace.failure == nil else { return outcome }
      // Another one at the next try, and this one later.
      files.put(workspace.id, .busy)
      return .none
    }
    do throws(StoreError) {
      try workspace.closeFile()
    } catch {
      if workspace.isFinal(error) { return outcome }
      // It stays open and usable, and its turn comes again.
      files.put(workspace.id, .busy)
      return .none
    }
    files.closed(workspace.id)
    workspace.care.log.closed()
    services.upkeep.closed(workspace.id)
    if !workspace.transaction.deferred.isEmpty {
      receipts.closed(workspace.id)
      workspace.transaction.deferUntil(process.turnNow.instant + limits.receiptHeldTime)
    }
    if !workspace.turn.isTouched { settle(workspace, now: process.turnNow) }
    return outcome
  }
}
