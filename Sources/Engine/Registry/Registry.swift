package import Relay
import Store
import System
import Wire

/// The registry: workspaces, orgs, tokens, secrets and the audit, in memory and in relay.db.
///
/// Operations change the turn's transaction; `commit` writes it, and `passed` makes the changes in
/// memory and answers them, once a barrier has made them durable. What follows for queues and polls
/// is told to the engine, the `RegistryHost`.
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

  /// Before the first turn: the engine, which owns the registry, is there.
  func attach(to host: any RegistryHost) { journal.host = host }

  /// What is known of workspaces and credentials.
  package var directory: Directory { _read { yield journal.directory } }

  // MARK: what changes in memory only

  package func setAdmin(secret: String) { journal.directory.setAdmin(secret: secret) }

  /// Keeps what an agent says of itself, for people to look at.
  package func beat(_ id: WorkspaceID, _ vitals: Vitals) { journal.directory.beat(id, vitals) }

  /// Notes that an agent has polled the platform's activity feed, which is not served yet. Such an
  /// agent looks alive, and gets nothing: each workspace makes one line in the log.
  package func polledFeed(_ id: WorkspaceID, now: Now) {
    if directory.workspace(id)?.polledFeedAt == nil {
      log.warning(
        "feed_not_served",
        ["workspace": .text(id.text), "instead": .text(urls.inbox(of: id) + "?wait=25")])
    }
    journal.directory.polledFeed(id, at: now.wall)
  }

  /// Sets when something comes due in the workspace's file; `nil`: that is not known. `pulse` has
  /// relay.db told.
  func setWake(_ id: WorkspaceID, _ time: WallTime?) { journal.directory.setWake(id, time) }

  /// Notes a sign of life of the workspace's agent.
  func seen(_ id: WorkspaceID, now: Now) { journal.seen(id, now: now) }

  /// Has relay.db told within `pulseInterval` what is known of the workspace.
  func pulse(_ id: WorkspaceID, now: Now) { journal.pulse(id, now: now) }

  /// Has relay.db told in this turn that something may come due in the workspace's file.
  func noteBusy(_ id: WorkspaceID) { journal.noteBusy(id) }

  // MARK: turns

  /// Whether the row of any workspace is not durable yet.
  var hasPendingRows: Bool { !journal.rows.isEmpty }

  /// The number of rounds that wait for their barrier.
  var roundCount: Int { journal.roundCount }

  /// Nobody waits for a barrier or for a purge.
  var isIdle: Bool { journal.roundCount == 0 && removals.isIdle }

  /// The next instant at which a turn has something to do for the registry. It is asked in every
  /// turn: it allocates nothing.
  ///
  /// - `turn`: the time of a turn, by which the two clocks are compared.
  /// - `doubtfulUntil`: nothing ends by the wall clock before.
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

  /// Commits the turn's changes; says whether somebody waits for the barrier.
  func commit(_ number: UInt64, now: Now) -> Bool { journal.commit(number, now: now) }

  /// The number of changes in this round, if it is the one that was committed last.
  func operations(in number: UInt64) -> Int { journal.operations(in: number) }

  /// The round is on the disk.
  func passed(_ number: UInt64, now: Now) { journal.passed(number, now: now) }

  /// Adds the row that shows whether a row can be written; the probe hears of the transaction.
  func write(probeAt time: WallTime) { journal.write(probeAt: time) }

  /// Writes all that nobody waits for, at the end of the process.
  func writeRest(now: Now) throws(StoreError) {
    while case let uses = tokens.takeUses(), !uses.isEmpty {
      try data.registry.commit([.touchTokens(uses)])
    }
    try journal.writeRest(now: now)
  }

  // MARK: audit

  /// Writes a line of the audit, and begins the operation when it is durable: whatever was done has
  /// its line, through every crash. A line without an effect is what a refused operation leaves, or
  /// a crash in between. If the line is refused nothing is done, and `call` is answered so.
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

  /// Writes a line that follows what it tells of; nobody waits for it.
  func auditLater(_ entry: AuditEntry) { journal.add(entry) }

  /// The lines of the audit that nobody waits for, and that are not written yet.
  var waitingLines: [AuditEntry] { journal.lines.waiting }

  /// Answers with the newest lines below one, newest first.
  package func showAudit(_ call: CallID, before id: Int64, limit: Int) {
    do {
      // One more tells whether there are any left.
      var entries = try data.registry.audit(before: id, limit: limit + 1)
      let hasMore = entries.count > limit
      if hasMore { entries.removeLast() }
      // Lines may be shown that no barrier has covered: the answer leaves with the next one.
      journal.submit(RegistryChange(reply: Reply(call: call, .audit(entries, hasMore: hasMore))))
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { journal.host.fail(error) }
      replies.send(Reply(call: call, error: .workspaceUnavailable))
    }
  }
}

extension Instant {
  /// The earlier one of both, if there is another one.
  func orEarlier(_ other: Instant?) -> Instant { other.map { min(self, $0) } ?? self }
}
