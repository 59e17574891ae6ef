import Relay
import Store
import System

/// The engine's shared owners; there is one of each.
final class Services {
  let limits: Limits
  let data: DataDirectory
  let random: Random
  let log: Log
  let repeatedLog: RepeatedLog
  let metrics = Metrics()
  let replies: Replies
  let registry: Registry
  let disk: DiskGuard
  var clocks: Clocks
  let heldCallers = HeldCallers()
  let process: ProcessState
  let commits: GroupCommit
  let upkeep: UpkeepTurns

  /// Loads the registry. Throws the error that SQLite reports for relay.db.
  init(
    data: DataDirectory, limits: Limits, publicURL: String, random: Random, log: Log
  ) throws(StoreError) {
    self.data = data
    self.limits = limits
    self.random = random
    self.log = log
    replies = Replies(limits, metrics)
    repeatedLog = RepeatedLog(log, every: limits.repeatedLineEvery)
    disk = DiskGuard(data, limits, metrics, log, repeatedLog)
    process = ProcessState(disk, repeatedLog, log)
    clocks = Clocks(limits, metrics, log)
    upkeep = UpkeepTurns(limits)
    registry = try Registry(
      data: data, limits: limits, publicURL: publicURL, random: random, log: log,
      repeatedLog: repeatedLog, metrics: metrics, diskGuard: disk, replies: replies)
    commits = GroupCommit(
      limits, data: data, registry: registry, replies: replies, metrics: metrics,
      process: process, repeatedLog: repeatedLog)
  }

  /// Makes an id for a request that came without one: a random UUID (RFC 9562 version 4).
  func newUUID() -> String { WorkspaceID(random: random.next(), random.next()).text }

  /// Returns the payer whose share of the memory replies to this identity take.
  func payer(of identity: Identity) -> BodyMemory.Payer {
    replies.payer(of: identity) {
      switch identity {
      case .org(let org, _): org
      case .workspace(let id): registry.directory.workspace(id)?.row.org
      case .admin, .anonymous: nil
      }
    }
  }
}

/// A part of the engine that uses the shared owners by their names.
protocol UsesServices {
  var services: Services { get }
}

extension UsesServices {
  var limits: Limits { _read { yield services.limits } }
  var directory: Directory { _read { yield services.registry.directory } }
  var data: DataDirectory { services.data }
  var random: Random { services.random }
  var log: Log { services.log }
  var repeatedLog: RepeatedLog { services.repeatedLog }
  var metrics: Metrics { services.metrics }
  var replies: Replies { services.replies }
  var registry: Registry { services.registry }
  var disk: DiskGuard { services.disk }
  var clocks: Clocks { services.clocks }
  var heldCallers: HeldCallers { services.heldCallers }
  var process: ProcessState { services.process }
  var commits: GroupCommit { services.commits }

  /// Adds the audit line of an operation that was refused after its first line.
  func auditRefusal(
    _ actor: String, _ action: AuditAction, _ target: AuditTarget, _ error: RelayError, now: Now
  ) {
    registry.auditLater(
      AuditEntry(
        at: now.wall, actor: actor, action: action, target: target,
        detail: "refused: \(error.code)"))
  }
}
