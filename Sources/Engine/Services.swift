import Relay
import Store
import System

/// The owners that the whole engine works with: there is one of each.
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

  /// Loads the registry. Throws what SQLite reports of relay.db.
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

  /// Makes a name for what came without one: RFC 9562 version 4.
  func newUUID() -> String { WorkspaceID(random: random.next(), random.next()).text }

  /// Returns whose share of the memory the answers for this caller are.
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

/// Part of the engine: it calls the owners by their names.
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

  /// Adds the line of an operation that has one already and was then refused.
  func auditRefusal(
    _ actor: String, _ action: AuditAction, _ target: AuditTarget, _ error: RelayError, now: Now
  ) {
    registry.auditLater(
      AuditEntry(
        at: now.wall, actor: actor, action: action, target: target,
        detail: "refused: \(error.code)"))
  }
}
