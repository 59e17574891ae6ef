import Relay
import Store
import System

/// The workspaces in memory, and which of their files are open.
///
/// At most `openWorkspacesMax` files are open. Opening one more closes the idle file that was
/// unused for the longest time: a file is idle when all of it is on the disk and no write is
/// pending. The workspace of a closed file stays in memory as long as it has state that is not in
/// the file (a parked poll, a held caller, a lease, a receipt). Afterwards it is loaded from the
/// file again when needed.
final class WorkspacePool: UsesServices {
  let services: Services
  let boot: UInt32
  var workspaces: [WorkspaceID: Workspace] = [:]
  /// The open files, in the order in which they are closed.
  var files = OpenFiles()
  /// The number of files that this turn has synced so that they can be closed.
  var syncsAsked = 0
  var receipts = HeldReceipts()
  let fileWaiters: FileWaiters
  /// The alarms of workspaces, in memory or not.
  var alarms = Alarms()
  /// The workspaces that are not in memory and have to be opened because something in them is due.
  var sweepList = SweepList()
  /// The workspaces with scans, in the order of their turns.
  var scanning: [WorkspaceID] = []
  /// The highest fence of the unloaded queues: new fences are above it.
  var fenceFloor: UInt64 = 0
  /// The workspaces whose file can never be opened.
  var unopenable: Set<WorkspaceID> = []
  /// The workspaces whose file had messages but no row at the start.
  var unregistered: Set<WorkspaceID> = []
  /// The depths of closed files at their closing.
  var lastKnown = LastKnownDepths()
  let cacheAccount: CacheAccount

  /// Makes an empty pool. Throws the error that SQLite reports for relay.db.
  init(_ services: Services, boot: UInt32) throws(StoreError) {
    self.services = services
    self.boot = boot
    fileWaiters = FileWaiters(services.limits)
    cacheAccount = CacheAccount(bytesMax: services.limits.cacheBytesMax)
    for (id, depth) in try services.data.registry.depths() { lastKnown.remember(id, depth) }
  }

  // MARK: calls

  var callers: Callers { Callers(pool: self) }
  var agents: Agents { Agents(pool: self) }
  var operators: Operators { Operators(pool: self) }

  // MARK: workspaces in memory

  /// Returns the workspace, if it is in memory.
  subscript(id: WorkspaceID) -> Workspace? { workspaces[id] }

  /// Returns the workspace, if it is in memory and its file has not failed.
  func usable(_ id: WorkspaceID) -> Workspace? {
    guard let workspace = workspaces[id], workspace.failure == nil else { return nil }
    return workspace
  }

  /// The workspaces in memory.
  var all: some Collection<Workspace> { workspaces.values }

  /// The workspaces in memory whose file has not failed.
  var allUsable: some Sequence<Workspace> { workspaces.values.lazy.filter { $0.failure == nil } }

  /// The workspaces whose file is open.
  var open: some Sequence<Workspace> { allUsable.lazy.filter(\.isOpen) }

  /// The workspaces whose file a final error has closed.
  var failed: [WorkspaceID] {
    (workspaces.values.filter { $0.failure != nil }.map(\.id) + unopenable)
      .sorted { $0.bytes < $1.bytes }
  }

  // MARK: use

  /// Returns the workspace, and loads it at its first use.
  ///
  /// - `needsFile`: the caller is going to read the file.
  /// - `evenRemoved`: a removed workspace is returned too.
  func workspace(
    _ id: WorkspaceID, needsFile: Bool = true, evenRemoved: Bool = false, now: Now
  ) throws(RelayError) -> Workspace {
    process.turnNow = now
    guard directory.isThere(id) || evenRemoved else { throw .notFound }
    if let workspace = workspaces[id] {
      if workspace.failure != nil { throw .workspaceUnavailable }
      workspace.touch()
      (workspace.turn.isUsed, workspace.turn.isClosedNext) = (true, false)
      if needsFile { try workspace.openFile() }
      return workspace
    }
    guard !unopenable.contains(id) else { throw .workspaceUnavailable }
    try makeRoom()
    do throws(StoreError) {
      return try load(id, now: now)
    } catch {
      process.failed(error, workspace: id)
      if error.isFinalForWorkspace { unopenable.insert(id) }
      if error.kind == .full { throw .diskFull }
      throw error.isFinalForProcess ? .outcomeUnknown : .workspaceUnavailable
    }
  }

  /// Loads a workspace into memory.
  private func load(_ id: WorkspaceID, now: Now) throws(StoreError) -> Workspace {
    let (file, recovered) = try disk.withRoom(for: .deletion) { () throws(StoreError) in
      let file = try data.openWorkspaceFile(id)
      do throws(StoreError) { return (file, try file.recover(now: now.wall)) } catch {
        file.abandon()
        throw error
      }
    }
    compareClock(with: recovered.newestAt, now: now)
    let queue = Queue(limits: limits, boot: boot, seed: random.next(), fencesAbove: fenceFloor)
    queue.expiresFrom = clocks.doubtfulUntil
    if directory.workspace(id)?.settings.isPaused == true { queue.pause() }
    queue.recover(recovered, now: now, isAfterPowerCut: recovered.isAfterPowerCut)
    let dead = try file.deadCount(most: limits.deadCountMax)
    queue.deadInFile = max(0, dead - queue.counts.dead)
    let workspace = Workspace(
      id: id, pool: self, file: file, queue: queue, digestKey: recovered.digestKey,
      care: try WorkspaceUpkeep.care(of: file, beside: queue, limits, now: now),
      cache: cacheAccount)
    // The work for which the file was opened goes first.
    try workspace.upkeep.noteFreePages(from: now.instant + limits.walIdle)
    try workspace.jobs.resume(now: now)
    workspaces[id] = workspace
    lastKnown.forget(id)
    files.opened(id)
    workspace.touch()
    for receipt in receipts.take(id) { workspace.tasks.apply(receipt, now: now) }
    // Messages that expired while the file was closed end now.
    queue.tick(now: now)
    workspace.carryOut(now: now)
    return workspace
  }

  /// Compares the wall clock with the newest time in a file that is being opened.
  private func compareClock(with time: WallTime?, now: Now) {
    guard let time, let finding = clocks.look(written: time, now: now) else { return }
    heed([finding], now: now)
  }

  /// Applies the findings about the clocks to every queue.
  func heed(_ findings: [ClockWatch.Finding], now: Now) {
    for finding in findings {
      switch finding {
      case .jumped:
        for workspace in all { workspace.queue.expiresFrom = clocks.doubtfulUntil }
      case .unknown: break
      case .stoodStill(let gap):
        for workspace in allUsable { workspace.queue.stoodStill(gap, now: now) }
      }
    }
  }

  /// Opens the file of a workspace that is in memory without it.
  func openFile(of workspace: Workspace) throws(RelayError) {
    if workspace.isOpen { return }
    if workspace.failure != nil { throw .workspaceUnavailable }
    try makeRoom()
    do throws(StoreError) {
      workspace.use(
        try disk.withRoom(for: .deletion) { () throws(StoreError) in
          try data.openWorkspaceFile(workspace.id)
        })
      files.opened(workspace.id)
      receipts.opened(workspace.id)
      if !workspace.transaction.deferred.isEmpty {
        workspace.transaction.deferUntil(process.turnNow.instant)
      }
      workspace.touch()
    } catch {
      if error.isFinalForProcess {
        process.failed(error, workspace: workspace.id)
        throw .outcomeUnknown
      }
      if error.isFinalForWorkspace {
        workspace.close(after: error)
      } else {
        process.failed(error, workspace: workspace.id)
      }
      throw error.kind == .full ? .diskFull : .workspaceUnavailable
    }
  }

  /// Carries out `body`, and answers the call with the error that it throws. While every open file
  /// is busy the call waits for one, and `body` runs again.
  ///
  /// - `bytes`: the size of the call's body, which is kept while the call waits.
  /// - `refused`: handles an error instead of answering the call.
  func withFile(
    _ call: CallID, bytes: Int = 0, now: Now, refused: ((RelayError, Now) -> Void)? = nil,
    _ body: @escaping (Now) throws(RelayError) -> Void
  ) {
    do throws(RelayError) { try body(now) } catch {
      let isWaiting =
        error == .tooManyOpen && !process.isShuttingDown
        && fileWaiters.add(call, bytes: bytes, now: now) { [unowned self] now in
          withFile(call, bytes: bytes, now: now, refused: refused, body)
        }
      if isWaiting { return }
      if let refused { refused(error, now) } else { replies.send(Reply(call: call, error: error)) }
    }
  }
}
