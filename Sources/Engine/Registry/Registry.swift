package import Relay
import Store
import System
import Wire

/// The registry: workspaces, orgs, tokens, secrets and the audit, in memory and in relay.db.
///
/// Operations add to the turn's transaction, and `commit` writes it. Once a barrier has made the
/// writes durable, `passed` applies them in memory and answers the operations. The engine, as
/// `RegistryHost`, is notified of the effects on queues and polls.
package final class Registry {
  package static let defaultOrg = "default"

  private let journal: RegistryJournal
  private let data: DataDirectory
  private let replies: Replies
  private let log: Log
  package let urls: PublicURLs
  package let tokens: RegisteredTokens
  package let orgs: RegisteredOrgs
  package let secrets: RegisteredSecrets
  package let workspaces: RegisteredWorkspaces
  package let removals: Removals

  init(
    data: DataDirectory, limits: Limits, publicURL: String, random: Random, log: Log,
    repeatedLog: RepeatedLog, metrics: Metrics, diskGuard: DiskGuard, replies: Replies
  ) throws(StoreError) {
    let snapshot = try data.registry.load()
    self.data = data
    self.replies = replies
    self.log = log
    urls = PublicURLs(publicURL)
    let journal = RegistryJournal(
      Directory(snapshot), data: data, limits: limits, log: log, repeatedLog: repeatedLog,
      metrics: metrics, diskGuard: diskGuard, replies: replies)
    let tokens = RegisteredTokens(
      journal, snapshot.tokens, replies, limits, random, log)
    let secrets = RegisteredSecrets(journal, diskGuard, replies, limits, log)
    let workspaces = RegisteredWorkspaces(
      journal, tokens, secrets, data: data, diskGuard, replies, limits, random, urls)
    self.journal = journal
    self.tokens = tokens
    self.secrets = secrets
    self.workspaces = workspaces
    orgs = RegisteredOrgs(journal, tokens, replies, limits)
    removals = Removals(
      journal, workspaces, tokens, data: data, replies, limits, log)
  }

  /// Attaches the engine, which owns the registry, before the first turn.
  func attach(to host: any RegistryHost) { journal.host = host }

  /// The registered workspaces and credentials.
  package var directory: Directory { _read { yield journal.directory } }

  // MARK: what changes in memory only

  package func setAdmin(secret: String) { journal.directory.setAdmin(secret: secret) }

  /// Stores the vitals that an agent reports, for people to look at.
  package func beat(_ id: WorkspaceID, _ vitals: Vitals) { journal.directory.beat(id, vitals) }

  /// Notes that an agent has polled the platform's activity feed, which the relay does not serve.
  /// Such an agent looks alive and gets nothing, so that the log has one line for each workspace.
  package func polledFeed(_ id: WorkspaceID, now: Now) {
    if directory.workspace(id)?.polledFeedAt == nil {
      log.warning(
        "feed_not_served",
        ["workspace": .text(id.text), "instead": .text(urls.inbox(of: id) + "?wait=25")])
    }
    journal.directory.polledFeed(id, at: now.wall)
  }

  /// Sets the time at which something in the workspace's file is due; `nil`: unknown. `pulse`
  /// writes it to relay.db.
  func setWake(_ id: WorkspaceID, _ time: WallTime?) { journal.directory.setWake(id, time) }

  /// Notes a sign of life of the workspace's agent.
  func seen(_ id: WorkspaceID, now: Now) { journal.seen(id, now: now) }

  /// Writes the known facts about the workspace to relay.db within `pulseInterval`.
  func pulse(_ id: WorkspaceID, now: Now) { journal.pulse(id, now: now) }

  /// Writes to relay.db in this turn that something may be due in the workspace's file.
  func noteBusy(_ id: WorkspaceID) { journal.noteBusy(id) }

  // MARK: turns

  /// Whether the row of any workspace is not durable yet.
  var hasPendingRows: Bool { !journal.rows.isEmpty }

  /// The number of commit rounds that wait for their barrier.
  var roundCount: Int { journal.roundCount }

  /// Whether nobody waits for a barrier or for a purge.
  var isIdle: Bool { journal.roundCount == 0 && removals.isIdle }

  /// Returns the next instant at which the registry has something to do. It is called in every
  /// turn, and so it allocates nothing.
  ///
  /// - `turn`: the time of the turn, which relates the two clocks.
  /// - `doubtfulUntil`: nothing expires by the wall clock before this instant.
  func nextDue(_ turn: Now, doubtfulUntil: Instant) -> Instant {
    if removals.isReady { return Instant(nanoseconds: 0) }
    var earliest = Instant.distantFuture.orEarlier(tokens.care.nextDue)
      .orEarlier(journal.nextDue)
    if let at = removals.nextDue {
      earliest = min(earliest, max(turn.instant(at: at), doubtfulUntil))
    }
    if let at = tokens.care.nextDeath {
      earliest = min(earliest, max(turn.instant(at: at), doubtfulUntil))
    }
    return earliest
  }

  /// Commits the turn's changes. Returns whether somebody waits for the barrier.
  func commit(_ number: UInt64, now: Now) -> Bool { journal.commit(number, now: now) }

  /// Returns the number of changes in this round, if it is the last committed one.
  func operations(in number: UInt64) -> Int { journal.operations(in: number) }

  /// Completes a commit round that is on the disk.
  func passed(_ number: UInt64, now: Now) { journal.passed(number, now: now) }

  /// Adds the probe's row, which shows whether the relay can write.
  func write(probeAt time: WallTime) { journal.write(probeAt: time) }

  /// Writes all that nobody waits for, at the end of the process. Throws the error that SQLite
  /// reports.
  func writeRest(now: Now) throws(StoreError) {
    while case let uses = tokens.takeUses(), !uses.isEmpty {
      try data.registry.commit([.touchTokens(uses)])
    }
    try journal.writeRest(now: now)
  }

  // MARK: audit

  /// Writes an audit line, and begins the operation when the line is durable, so that every effect
  /// has its line through every crash. A refused operation, or a crash in between, leaves a line
  /// without an effect. If the line is refused, the operation is not carried out and `call` gets
  /// the error.
  func audit(
    _ entry: AuditEntry, before operation: @escaping (Now) -> Void, of call: CallID,
    otherwise: @escaping () -> Void = {}
  ) {
    var change = RegistryChange([.audit(entry)])
    change.refused = { [replies] _ in
      otherwise()
      replies.send(Reply(call: call, error: .notStored))
    }
    change.then = operation
    journal.submit(change)
  }

  /// Writes an audit line after the event that it describes; nobody waits for it.
  func auditLater(_ entry: AuditEntry) { journal.add(entry) }

  /// The audit lines that nobody waits for and that are not written yet.
  var waitingLines: [AuditEntry] { journal.lines.waiting }

  /// Answers with the newest audit lines before the line `id`, newest first.
  package func showAudit(_ call: CallID, before id: Int64, limit: Int) {
    do {
      // One line more shows whether there is a further page.
      var entries = try data.registry.audit(before: id, limit: limit + 1)
      let hasMore = entries.count > limit
      if hasMore { entries.removeLast() }
      // The lines may not be durable yet, so that the response leaves with the next barrier.
      journal.submit(RegistryChange(reply: Reply(call: call, .audit(entries, hasMore: hasMore))))
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { journal.host.fail(error) }
      replies.send(Reply(call: call, error: .workspaceUnavailable))
    }
  }
}

extension Instant {
  /// Returns the earlier of the two instants; this one if `other` is nil.
  func orEarlier(_ other: Instant?) -> Instant { other.map { min(self, $0) } ?? self }
}
