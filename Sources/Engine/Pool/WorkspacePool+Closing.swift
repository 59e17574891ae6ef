import Relay
import Store
import System

/// Closes files to make room for others.
extension WorkspacePool {
  /// Makes room for one more open file.
  func makeRoom() throws(RelayError) {
    guard files.count >= limits.openWorkspacesMax else { return }
    guard closeOldest() != .none else { throw .tooManyOpen }
  }

  /// Starts to close some of the longest unused files before the room runs out, so that a barrier
  /// that is needed anyway can sync their last commits.
  func retireFiles() {
    syncsAsked = 0
    let most = limits.openWorkspacesMax - limits.openWorkspacesMax / 8
    for _ in 0..<Limits.filesClosedInTurnMax where files.count > most {
      guard closeOldest() == .quick else { return }
    }
  }

  /// The outcome of an attempt to close a file.
  private enum Close {
    case none
    /// The file was closed without a sync, in about 0.2 ms.
    case quick
    /// The file was closed after its log was emptied, which takes two syncs.
    case emptied
  }

  /// Closes the longest unused file that can be closed. Prepares older ones that cannot: their
  /// deferred writes are committed with this turn, and synced by its barrier.
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

  /// Returns the condition for closing the workspace's file.
  ///
  /// - `isAtRest`: the whole queue is known to be in the file; finding that out takes a look at
  ///   each message.
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

  /// Returns whether closing the file would be expensive: a backup would have to start its copy
  /// again, or the rest of the file's end would be cut in one step.
  private func mustStayOpen(_ workspace: Workspace) -> Bool {
    (workspace.file.isBeingCopied || workspace.upkeep.isBeingCut) && limits.openWorkspacesMax > 1
  }

  private func close(_ workspace: Workspace) -> Close {
    // Deleted content must not stay in a log that is no longer watched.
    let outcome = workspace.care.log.holdsErased ? Close.emptied : .quick
    if outcome == .emptied, !workspace.upkeep.emptyLog(isIdle: false, now: process.turnNow) {
      guard workspace.failure == nil else { return outcome }
      // The next attempt takes another file, and this one later.
      files.put(workspace.id, .busy)
      return .none
    }
    do throws(StoreError) {
      try workspace.closeFile()
    } catch {
      if workspace.isFinal(error) { return outcome }
      // The file stays open and usable, and is tried again later.
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
    if !workspace.turn.isTouched { unloadIfIdle(workspace, now: process.turnNow) }
    return outcome
  }
}
