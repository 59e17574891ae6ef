import Engine
import Glibc
import HTTPServer
import Relay
import Store
import System

/// The end of each turn of the loop: it commits what the turn has changed, has it synced, sends the
/// answers, and does the upkeep. After a final error it ends the process.
final class TurnDriver {
  private let engine: Engine
  private let calls: OpenCalls
  private let agents: AgentCounts
  private let data: DataDirectory
  private let log: Log
  /// Set before the loop runs: the barrier's thread wakes the loop by its eventfd.
  var barrier: Barrier?
  private var syncPace = SyncPace()
  private var upkeepPace = UpkeepPace()
  private let archiveSyncs: ArchiveSyncs
  /// The service manager, if one has started the process.
  var supervision: Supervision?
  private var nextDiskCheck = Instant(nanoseconds: 0)
  /// After a final error: when the process ends, even if some peer has not taken its answer.
  private var fatalDeadline: Instant?
  private(set) var exitStatus = ExitStatus.done

  init(_ engine: Engine, _ calls: OpenCalls, _ agents: AgentCounts, data: DataDirectory, log: Log) {
    self.engine = engine
    self.calls = calls
    self.agents = agents
    self.data = data
    self.log = log
    archiveSyncs = ArchiveSyncs(engine, directory: data.descriptor)
  }

  /// When a turn has to be made even if nothing arrives.
  var nextDeadline: Instant? {
    // While a round is at the barrier, its report is the next turn.
    if upkeepPace.isOwed, engine.fatal == nil, !engine.isAtBarrier {
      return Instant(nanoseconds: 0)
    }
    let candidates = [
      engine.nextDeadline(), nextDiskCheck, fatalDeadline, supervision?.nextSign,
    ]
    return candidates.compactMap { $0 }.min()
  }

  // MARK: turns

  func turnEnded(now: Now, loop: Loop) {
    if let deadline = fatalDeadline, deadline <= now.instant { endProcess() }
    if engine.fatal == nil {
      checkDisk(now: now)
      engine.watchClock(now)
      engine.tick(now: now)
      commitTurn(now: now, loop: loop)
      for reply in engine.replies.take() { calls.send(reply, loop) }
      let spent = Clock.instant() - now.instant
      if upkeepPace.mayRun(after: spent, isAtBarrier: engine.isAtBarrier, now: now.instant) {
        engine.maintain(now: now)
      }
      archiveSyncs.turn(wake: loop.wakeDescriptor, now: now)
    }
    if let fatal = engine.fatal, fatalDeadline == nil { die(fatal, now: now, loop: loop) }
    supervision?.turned(now: now.instant)
  }

  private func checkDisk(now: Now) {
    guard nextDiskCheck <= now.instant else { return }
    nextDiskCheck = now.instant + Limits.diskCheckEvery
    engine.watchFiles()
    engine.checkDisk()
    agents.advance(now: now)
  }

  /// Commits the turn and has its round synced: by the barrier's thread, or, when one operation is
  /// all that waits and the disk is fast, here, as two changes of thread cost as much as the sync.
  private func commitTurn(now: Now, loop: Loop) {
    guard let barrier, let work = engine.endTurn(now: now) else { return }
    guard work.isLone, syncPace.expected <= engine.limits.loopSyncMax else {
      return barrier.submit(round: work.number, files: work.files)
    }
    let report = barrier.syncHere(round: work.number, files: work.files)
    apply(report, .loop, now: now, loop: loop)
    // What the barrier has let pass may be delivered, which needs a commit and no barrier.
    if engine.fatal == nil, let next = engine.endTurn(now: now) {
      barrier.submit(round: next.number, files: next.files)
    }
  }

  // MARK: the barrier

  /// Takes what the barrier's thread, and the thread that syncs backups, have done.
  func takeReports(now: Now, loop: Loop) {
    while let report = barrier?.takeReport() {
      apply(report, report.form == .syncfs ? .syncfs : .fdatasync, now: now, loop: loop)
    }
    archiveSyncs.takeReports(now: now)
  }

  private func apply(
    _ report: BarrierReport, _ form: Metrics.BarrierForm, now: Now, loop: Loop
  ) {
    syncPace.took(.nanoseconds(report.nanoseconds))
    engine.metrics.barrier(
      form, nanoseconds: report.nanoseconds, isOK: report.failure == nil, now: now.instant)
    if let failure = report.failure {
      die(
        StoreError(
          kind: .ioFatal, code: failure.code, call: failure.call, path: data.path,
          message: "the barrier failed", systemErrno: failure.code), now: now, loop: loop)
    } else if engine.fatal == nil {
      engine.barrierPassed(report.round, now: now)
    }
  }

  // MARK: ends

  func shutDown(now: Now) {
    log.info("shutting_down")
    supervision?.stopping()
    if engine.fatal == nil { engine.shutDown(now: now) }
  }

  /// The loop has ended: no other thread uses anything of it any more.
  func loopEnded() { archiveSyncs.stop() }

  /// A failed barrier or write is final: everybody who waits is told "unknown", nothing more is
  /// committed, and the process ends with 74 (EX_IOERR) within five seconds.
  private func die(_ error: StoreError, now: Now, loop: Loop) {
    guard fatalDeadline == nil else { return }
    engine.fatal = error
    exitStatus = .ioError
    fatalDeadline = now.instant + Limits.fatalTime
    log.error(
      "fatal",
      [
        "call": .text(error.call), "errno": .number(Int64(error.systemErrno)),
        "path": .text(error.path), "error": .text(error.description),
      ])
    // What was decided before is true: rounds that had passed are answered as such.
    for reply in engine.replies.take() { calls.send(reply, loop) }
    calls.failAll(loop)
    loop.stop()
  }

  /// Ends the process at once: a peer that takes no bytes must not keep a failed relay alive.
  private func endProcess() -> Never {
    log.flush()
    exit(ExitStatus.ioError.rawValue)
  }
}
