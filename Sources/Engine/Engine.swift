package import Relay
package import Store
package import System
import Wire

/// The engine decides who waits for what, and when a write is durable.
///
/// Only the loop calls it. In a turn it applies what has arrived to the queues (`tick`, and the
/// calls of `callers`, `agents` and `operators`). `endTurn` commits one transaction for each
/// workspace with work and returns the files that the barrier must sync; `barrierPassed` hands the
/// outcome to the queues. Every reply leaves through `replies`. Background work (`maintain`,
/// `backups`) does a small step in each turn.
package final class Engine: UsesServices {
  let services: Services
  /// Stored here too: other modules read it often, and by a getter each read would copy all of it.
  package let limits: Limits
  let pool: WorkspacePool
  let probes: Probes
  let events: RegistryEvents
  package let backups: Backups
  private let receipts: MessageReceipts

  /// Opens the registry. Throws the error that SQLite reports for relay.db.
  package init(
    data: DataDirectory, limits: Limits, publicURL: String, random: Random, log: Log
  ) throws(StoreError) {
    let newKey = Base64.encodeURL(random.bytes(32))
    let (key, boot) = try data.whileFull { () throws(StoreError) in
      (try data.registry.receiptKey(orNew: newKey), try data.registry.raiseBoot())
    }
    receipts = MessageReceipts(key: key)
    self.limits = limits
    services = try Services(
      data: data, limits: limits, publicURL: publicURL, random: random, log: log)
    pool = try WorkspacePool(services, boot: boot)
    probes = Probes(pool)
    backups = Backups(pool)
    events = RegistryEvents(pool, probes)
    registry.attach(to: events)
  }

  deinit { commits.letGo() }

  // MARK: calls

  package var callers: Callers { pool.callers }
  package var agents: Agents { pool.agents }
  package var operators: Operators { pool.operators }

  /// Returns the id for the next call or poll.
  package func nextCall() -> CallID { process.nextCall() }

  /// Answers `GET /ready` when the probe's row is durable, or cannot become durable.
  package func ready(_ call: CallID, for reader: Identity = .anonymous, now: Now) {
    probes.ready(call, for: reader, now: now)
  }

  /// Returns the receipt with which a caller without a credential can read its message later.
  package func receipt(of id: MessageID) -> String { receipts.receipt(of: id) }

  package func isReceipt(_ shown: ArraySlice<UInt8>, of id: MessageID) -> Bool {
    receipts.isReceipt(shown, of: id)
  }

  // MARK: a turn

  /// Compares the clocks and sets the alarms, before the first turn. It opens no file.
  package func start(now: Now) {
    process.turnNow = now
    compareClocks(now: now)
    pool.setAlarms(now)
    registry.removals.start()
  }

  /// Compares the clocks with the record in relay.db.
  private func compareClocks(now: Now) {
    do throws(StoreError) {
      let seen = directory.workspaces.values.compactMap(\.lastSeen).max()
      let newest = max(try data.registry.newestAt(), seen ?? WallTime(nanoseconds: 0))
      let record = try data.registry.clock()
      pool.heed(clocks.begin(record, newest: newest, boot: data.kernelBoot, now: now), now: now)
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
  }

  /// Looks at both clocks, at the beginning of every turn.
  package func watchClock(_ now: Now) { pool.heed(clocks.look(now), now: now) }

  /// Carries out the timers that are due.
  package func tick(now: Now) {
    process.turnNow = now
    replies.makeDeferred(now: now)
    probes.tick(now: now)
    registry.tokens.tick(now: now)
    pool.tick(now: now)
    registry.removals.tick(now: now)
    while let hold = heldCallers.takeDue(now.instant) { callers.holdEnded(hold, now: now) }
  }

  /// Commits the work of this turn. Returns nil if nobody waits for a barrier.
  package func endTurn(now: Now) -> GroupCommit.RoundWork? {
    process.turnNow = now
    return commits.endTurn(now: now)
  }

  /// Completes every commit round up to `number`, all of which are on the disk.
  package func barrierPassed(_ number: UInt64, now: Now) {
    commits.barrierPassed(number, now: now)
  }

  /// Does a small step of background work, after the turn's barrier has been requested.
  package func maintain(now: Now) {
    if process.fatal == nil { services.upkeep.maintain(pool, now: now) }
  }

  /// Returns the earliest instant at which an owner has something to do.
  package func nextDeadline() -> Instant? {
    // Deferred replies, and work that a refused commit has caused, need another turn at once.
    if replies.hasDeferred { return Instant(nanoseconds: 0) }
    let turn = process.turnNow
    let owners = [
      commits.nextDue, heldCallers.nextDue, pool.nextDue(now: turn),
      registry.nextDue(turn, doubtfulUntil: clocks.doubtfulUntil), probes.nextDue,
      backups.nextDue,
    ]
    var earliest = Instant.distantFuture
    for case let due? in owners { earliest = min(earliest, due) }
    return earliest == .distantFuture ? nil : earliest
  }

  /// Whether no write waits for a commit or a barrier.
  package var isIdle: Bool {
    commits.isIdle && registry.isIdle && !replies.hasDeferred && pool.fileWaiters.isEmpty
  }

  /// Whether a commit round waits for its barrier, whose report makes a turn.
  package var isAtBarrier: Bool { commits.isBarrierBusy }

  /// Checks that the directory and a few of the open files are still the ones at their paths. The
  /// server calls this once a second.
  package func watchFiles() {
    guard process.fatal == nil, commits.isDirectoryInPlace() else { return }
    services.upkeep.watchFiles(pool)
  }

  package func checkDisk(takesReserves: Bool = true) { disk.look(takesReserves: takesReserves) }

  // MARK: the end

  /// The final error of the process. When it is set, every waiting call is answered "unknown" and
  /// the process ends.
  package var fatal: StoreError? {
    get { process.fatal }
    set { process.fatal = newValue }
  }

  package var isShuttingDown: Bool { process.isShuttingDown }

  /// Ends polls and holds: each caller gets the reply that it would get when its hold is over.
  package func shutDown(now: Now) {
    process.shutDown()
    backups.stop("the relay was told to stop", now: now)
    pool.fileWaiters.refuseAll(now: now)
    for workspace in pool.allUsable {
      workspace.touch()
      workspace.queue.endPolls(now: now)
      workspace.carryOut(now: now)
    }
    for (call, place) in heldCallers.all {
      callers.holdEnded(HeldCallers.Hold(at: now.instant, place: place, call: call), now: now)
    }
  }

  /// Closes every file, after writing deferred writes and emptying the logs. Returns whether all of
  /// that succeeded. If not, acknowledged writes are still in the logs, but the process must exit
  /// with a status that reports the failure.
  @discardableResult
  package func close(now: Now) -> Bool {
    let isWhole = pool.closeAll(now: now)
    guard process.fatal == nil else { return false }
    do throws(StoreError) {
      try registry.writeRest(now: now)
      try data.registry.commit([.clock(clocks.record(boot: data.kernelBoot, now: now))])
      try data.registry.end()
    } catch {
      log.error("registry_close_failed", ["error": .text(error.description)])
      data.registry.abandon()
      return false
    }
    return isWhole
  }
}
