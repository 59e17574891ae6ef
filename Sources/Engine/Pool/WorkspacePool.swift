import Relay
import Store
import System

/// The workspaces in memory, and which of their files are open.
///
/// At most `openWorkspacesMax` files are. One more closes the file that was unused for the longest
/// time and is quiet: all of it is on the disk and nothing is on its way. Its workspace stays in
/// memory as long as something of it is not in the file (a parked poll, a held caller, a lease, a
/// receipt), which the closing does not disturb; afterwards it is read from the file again when it
/// is needed.
final class WorkspacePool: UsesServices {
  let services: Services
  let boot: UInt32
  var workspaces: [WorkspaceID: Workspace] = [:]
  /// Which files are open, and in which order they are closed.
  var files = OpenFiles()
  /// Files that this turn has synced so that they can be closed.
  var syncsAsked = 0
  var receipts = HeldReceipts()
  let fileWaiters: FileWaiters
  /// What comes due, in workspaces that are only files, too.
  var alarms = Alarms()
  /// Workspaces that are only files, and are to be opened because something in them is due.
  var sweepList = SweepList()
  /// Workspaces in which there is something to read, in the order in which they get their turn.
  var scanning: [WorkspaceID] = []
  /// Fences of queues that have left memory are not given again.
  var fenceFloor: UInt64 = 0
  /// Workspaces whose file could not be opened, for good.
  var unopenable: Set<WorkspaceID> = []
  /// Files with messages that had no row at the start.
  var unregistered: Set<WorkspaceID> = []
  /// What files that are closed again held when they were.
  var lastKnown = LastKnownDepths()
  let cacheAccount: CacheAccount

  /// Throws what SQLite reports of relay.db.
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

  // MARK: what there is

  /// The workspace, if it is in memory.
  subscript(id: WorkspaceID) -> Workspace? { workspaces[id] }

  /// The workspace, if it is in memory and its file has not failed.
  func usable(_ id: WorkspaceID) -> Workspace? {
    guard let workspace = workspaces[id], workspace.failure == nil else { return nil }
    return workspace
  }

  /// The workspaces in memory.
  var all: some Collection<Workspace> { workspaces.values }

  /// The workspaces in memory whose file has not failed.
  var allUsable: some Sequence<Workspace> { workspaces.values.lazy.filter { $0.failure == nil } }

  /// Those whose file is open.
  var open: some Sequence<Workspace> { allUsable.lazy.filter(\.isOpen) }

  /// Workspaces whose file a final error has closed.
  var failed: [WorkspaceID] {
    (workspaces.values.filter { $0.failure != nil }.map(\.id) + unopenable)
      .sorted { $0.bytes < $1.bytes }
  }

  // MARK: use

  /// Returns the workspace, opened at its first use.
  ///
  /// - `needsFile`: it is going to be read.
  /// - `evenRemoved`: one that was removed too.
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

  /// Brings a workspace into memory.
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
    // What it has been opened for goes first.
    try workspace.upkeep.noteFreePages(from: now.instant + limits.walIdle)
    try workspace.jobs.resume(now: now)
    workspaces[id] = workspace
    lastKnown.forget(id)
    files.opened(id)
    workspace.touch()
    for receipt in receipts.take(id) { workspace.tasks.apply(receipt, now: now) }
    // What came to its end while the file was closed ends now.
    queue.tick(now: now)
    workspace.carryOut(now: now)
    return workspace
  }

  /// Compares the wall clock with the newest time in a file that is being opened.
  private func compareClock(with time: WallTime?, now: Now) {
    guard let time, let finding = clocks.look(written: time, now: now) else { return }
    heed([finding], now: now)
  }

  /// Applies what was found of the clocks to every queue.
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

  /// Opens the file of a workspace that has been in memory without it.
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
  /// is busy the call waits for one, and is carried out anew.
  ///
  /// - `bytes`: of the call's body, which are kept while it waits.
  /// - `refused`: what is done with an error instead of answering.
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
