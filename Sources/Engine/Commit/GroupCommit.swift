import Relay
import Store
import System

/// Commits each turn's work: one transaction for each workspace with work, and one barrier for all
/// of them.
///
/// No other type knows what makes a write durable. A workspace gets its commit round back when the
/// round is durable.
package final class GroupCommit {
  /// The files and registry changes that a barrier is to make durable.
  package struct RoundWork: Sendable {
    package var number: UInt64
    package var files: [Int32]
    /// Whether one small operation is all that waits for a barrier, in any round.
    package var isLone: Bool
  }

  private let limits: Limits
  private let data: DataDirectory
  private let registry: Registry
  private let replies: Replies
  private let metrics: Metrics
  private let process: ProcessState
  private let repeatedLog: RepeatedLog
  /// The workspaces that the end of this turn commits.
  private var touched: [Workspace] = []
  private var rounds = Rounds()
  var progress: ProgressNotes

  init(
    _ limits: Limits, data: DataDirectory, registry: Registry, replies: Replies, metrics: Metrics,
    process: ProcessState, repeatedLog: RepeatedLog
  ) {
    self.limits = limits
    self.data = data
    self.registry = registry
    self.replies = replies
    self.metrics = metrics
    self.process = process
    self.repeatedLog = repeatedLog
    progress = ProgressNotes(limits, registry: data.registry.progress)
  }

  func touch(_ workspace: Workspace) {
    if workspace.turn.isTouched { return }
    workspace.turn.isTouched = true
    touched.append(workspace)
  }

  /// Whether no workspace has work to commit, and no workspace waits for a barrier.
  var isIdle: Bool { touched.isEmpty && rounds.isEmpty }

  /// Whether no workspace has work to commit at the end of this turn.
  var hasNothingTouched: Bool { touched.isEmpty }

  /// The last commit round that was handed to the barrier.
  var lastRound: UInt64 { rounds.last }

  /// Whether any workspace waits for a barrier.
  var isBarrierBusy: Bool { !rounds.isEmpty }

  /// The instant at which the touched workspaces next have something to do.
  var nextDue: Instant? {
    var earliest = Instant.distantFuture
    for workspace in touched {
      let turn = workspace.turn
      if workspace.hasTurnWork || turn.wantsSync || turn.blockedUntil != nil {
        let due = turn.blockedUntil ?? turn.waitsSince.map { $0 + limits.commitWaitMax }
        earliest = min(earliest, due ?? Instant(nanoseconds: 0))
      }
      // The workspace's alarm is set when its turn ends.
      if let due = workspace.due { earliest = min(earliest, due) }
    }
    return earliest
  }

  /// Forgets the workspaces, so that the engine can be released in the middle of its work.
  func letGo() {
    touched = []
    rounds = Rounds()
  }

  // MARK: the end of a turn

  /// Commits the work of this turn. Returns nil if nobody waits for a barrier.
  func endTurn(now: Now) -> RoundWork? {
    var files: [Int32] = []
    let number = rounds.next
    let turn = touched
    touched = []
    // Rounds of this turn do not count: they share one barrier.
    let isBarrierBusy = !rounds.isEmpty
    for workspace in turn {
      workspace.turn.isTouched = false
      if isBarrierBusy, mayWait(workspace, now: now) {
        touch(workspace)
        continue
      }
      if workspace.upkeep.waitsForEmptyLog(now: now) { continue }
      workspace.turn.waitsSince = nil
      workspace.commit(now: now)
      if closeRound(workspace, number) { files.append(workspace.file.walDescriptor) }
      workspace.pool.unloadIfIdle(workspace, now: now)
    }
    if registry.commit(number, now: now) { files.append(data.registry.walDescriptor) }
    guard !files.isEmpty, process.fatal == nil else { return nil }
    rounds.ask()
    metrics.rounds.add(Int64(operations(in: number)))
    return RoundWork(number: number, files: files, isLone: isLone(number, files))
  }

  /// Returns whether a workspace's small transaction may wait. While a barrier runs, the next one
  /// cannot start, so the transaction loses nothing by waiting for more writes. One commit of 64
  /// writes costs a third of 64 commits.
  private func mayWait(_ workspace: Workspace, now: Now) -> Bool {
    guard workspace.failure == nil, !process.isShuttingDown,
      workspace.transaction.batch.count < limits.commitWritesMin,
      workspace.transaction.batchBytes < limits.commitBytesMin
    else { return false }
    let since = workspace.turn.waitsSince ?? now.instant
    workspace.turn.waitsSince = since
    return since + limits.commitWaitMax > now.instant
  }

  /// Makes a commit round of the workspace's writes that wait for the barrier. Returns whether
  /// there are any.
  private func closeRound(_ workspace: Workspace, _ number: UInt64) -> Bool {
    let isWanted = workspace.turn.wantsSync
    workspace.turn.wantsSync = false
    guard workspace.failure == nil,
      workspace.transaction.closeRound(
        number, progress: { workspace.file.progress }, isWanted: isWanted)
    else { return false }
    rounds.add(workspace, to: number)
    return true
  }

  /// Returns the number of message writes and registry changes that wait for the round's barrier.
  private func operations(in number: UInt64) -> Int {
    var count = registry.operations(in: number)
    for workspace in rounds.workspaces(in: number) {
      count += workspace.transaction.rounds.last?.reports.count ?? 0
    }
    return count
  }

  private func isLone(_ number: UInt64, _ files: [Int32]) -> Bool {
    guard files.count == 1, rounds.count == 1, registry.roundCount == 0,
      rounds.workspaces(in: number).count == 1,
      let round = rounds.workspaces(in: number).first?.transaction.rounds.last
    else { return false }
    return round.reports.count + round.replies.count == 1
      && round.bytes <= limits.loopSyncBytesMax
  }

  // MARK: the barrier's report

  /// Hands each round up to `number`, all of which are on the disk, to its workspaces.
  func barrierPassed(_ number: UInt64, now: Now) {
    guard let covered = rounds.covered(by: number), process.fatal == nil, isDirectoryInPlace()
    else { return }
    for current in covered {
      for workspace in rounds.take(current) { passed(workspace, current, now: now) }
      registry.passed(current, now: now)
    }
    rounds.pass(number)
  }

  private func passed(_ workspace: Workspace, _ number: UInt64, now: Now) {
    guard let first = workspace.transaction.takeRound(number) else { return }
    if let loss = workspace.isOpen ? workspace.file.loss() : nil {
      // Somebody has replaced the directory: nobody will read the files that were synced.
      replies.fail(first.replies, .outcomeUnknown)
      if workspace.failure == nil { workspace.close(after: loss) }
      if workspace.transaction.rounds.isEmpty { workspace.abandonFile() }
      return
    }
    replies.send(first.replies)
    if workspace.failure != nil {
      // Until now the barrier used the file's descriptor.
      if workspace.transaction.rounds.isEmpty { workspace.abandonFile() }
      return
    }
    let isAll = workspace.transaction.passed(first)
    workspace.passed(progress: first.progress, now: now)
    if isAll { workspace.file.markSynced() }
    touch(workspace)
    workspace.queue.durable(first.reports, now: now)
    workspace.carryOut(now: now)
  }

  /// Returns whether the data directory is still the one that this process has locked. Ends the
  /// process if it is not.
  func isDirectoryInPlace() -> Bool {
    guard let loss = data.loss() else { return true }
    process.fatal = loss
    return false
  }

  // MARK: progress

  /// Returns the progress of files that relay.db is to store with this turn's transaction, and
  /// stores its own progress. No alarm is needed: the server makes a turn every second to look at
  /// the disk.
  func takeProgress(now: Now) -> [WorkspaceID: Int64] {
    guard progress.begin(now: now.instant) else { return [:] }
    if progress.registry > 0 {
      do throws(StoreError) {
        try data.note(registryProgress: progress.registry)
        progress.registryNoted()
      } catch {
        repeatedLog.warning("progress_not_noted", error.description)
        progress.noteSoon(now.instant)
      }
    }
    let directory = registry.directory
    return progress.take(atMost: Limits.pulsesInTransactionMax).filter { id, _ in
      // A workspace that is being purged may have lost its row.
      let row = (directory.workspace(id) ?? directory.removed[id])?.row
      return row != nil && row?.state != .purging
    }
  }
}
