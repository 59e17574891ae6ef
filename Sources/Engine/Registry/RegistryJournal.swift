import Relay
import Store
import System

/// Owns the directory and keeps it in step with relay.db: a turn's changes are one transaction, and
/// the directory changes when a barrier has made the transaction durable.
final class RegistryJournal {
  /// A commit round of the registry: the changes that one barrier makes durable.
  private struct Round {
    var number: UInt64
    var changes: [Submitted]
    /// The progress of relay.db after the changes.
    var progress: Int64
  }

  /// The transaction that this turn collects.
  private struct Transaction {
    var writes: [RegistryWrite] = []
    var changes: [Submitted] = []
  }

  /// The state of removing deleted content from the log of relay.db.
  private struct Emptying {
    /// The instant since which deleted content has been in the log.
    var blankedSince: Instant?
    /// Whether the log waits for the current barrier to be emptied. No write is committed before
    /// that.
    var isWaiting = false
  }

  /// A change with the row that was pending before it.
  private struct Submitted {
    var change: RegistryChange
    var previous: RegisteredWorkspace?
  }

  private let limits: Limits
  private let log: Log
  private let repeatedLog: RepeatedLog
  private let metrics: Metrics
  private let data: DataDirectory
  private let diskGuard: DiskGuard
  private let replies: Replies
  /// The engine, which owns the registry and attaches itself before the first turn.
  unowned var host: (any RegistryHost)!
  /// The durable state, with two exceptions that take effect earlier: revoked tokens, and
  /// workspaces that are being removed.
  var directory: Directory

  private var turn = Transaction()
  private var rounds: [Round] = []
  private(set) var rows = PendingRows()
  private(set) var lines = AuditLines()
  private var pulses = Pulses()
  private var emptying = Emptying()

  init(
    _ directory: Directory, data: DataDirectory, limits: Limits, log: Log,
    repeatedLog: RepeatedLog, metrics: Metrics, diskGuard: DiskGuard, replies: Replies
  ) {
    self.directory = directory
    self.data = data
    self.limits = limits
    self.log = log
    self.repeatedLog = repeatedLog
    self.diskGuard = diskGuard
    self.metrics = metrics
    self.replies = replies
  }

  private var file: RegistryFile { data.registry }

  // MARK: what is pending

  /// Returns the workspace's row as the newest write will leave it; the next write starts from it.
  func newestRow(_ id: WorkspaceID) -> RegisteredWorkspace? {
    guard let row = rows[id] else { return directory.workspace(id)?.row }
    return row.state == .active ? row : nil
  }

  /// Returns whether a change of the workspace is not durable yet.
  func isPending(_ id: WorkspaceID) -> Bool {
    turn.changes.contains { $0.change.workspace == id }
      || rounds.contains { $0.changes.contains { $0.change.workspace == id } }
  }

  /// The number of commit rounds that wait for their barrier.
  var roundCount: Int { rounds.count }

  /// Returns the number of changes in this round, if it is the last committed one.
  func operations(in number: UInt64) -> Int {
    rounds.last.map { $0.number == number ? $0.changes.count : 0 } ?? 0
  }

  /// The instant at which a turn has something to write without a change.
  var nextDue: Instant? {
    guard !emptying.isWaiting else { return nil }
    let lines = host.hasFailed ? nil : lines.nextDue
    return pulses.nextDue?.orEarlier(lines) ?? lines
  }

  // MARK: writing

  /// Adds a change to the turn's transaction. All changes of the registry go through here.
  func submit(_ change: RegistryChange) {
    turn.writes += change.writes
    let previous = change.row.flatMap { rows.add($0) }
    turn.changes.append(Submitted(change: change, previous: previous))
  }

  /// Adds times of last use to the turn's transaction; nobody waits for them.
  func write(uses: [RegistryWrite.Use]) { turn.writes.append(.touchTokens(uses)) }

  /// Adds the probe's row, which shows whether the relay can write.
  func write(probeAt time: WallTime) { turn.writes.append(.probe(at: time)) }

  /// Sends a reply. If it shows a write that is pending, it leaves with the write's barrier.
  func answer(_ reply: Reply, about ids: [WorkspaceID]) {
    guard ids.contains(where: { rows[$0] != nil }) else { return replies.send(reply) }
    submit(RegistryChange(reply: reply))
  }

  /// Adds an audit line that nobody waits for.
  func add(_ line: AuditEntry) {
    guard let lost = lines.add(line, atMost: limits.auditLinesWaitingMax) else { return }
    log.error(
      "audit_line_lost",
      [
        "action": .text(lost.action), "target": .text(lost.target), "actor": .text(lost.actor),
        "detail": .text(lost.detail),
      ])
  }

  /// Notes a sign of life, which is written to relay.db within `pulseInterval`.
  func seen(_ id: WorkspaceID, now: Now) {
    directory.seen(id, at: now.wall)
    pulse(id, now: now)
  }

  /// Writes to relay.db in this turn that something may be due in a file that relay.db calls idle.
  func noteBusy(_ id: WorkspaceID) {
    directory.setWake(id, nil)
    pulses.addUrgent(id)
  }

  /// Writes the known facts about the workspace to relay.db within `pulseInterval`.
  func pulse(_ id: WorkspaceID, now: Now) {
    pulses.add(id, at: now.instant + limits.pulseInterval)
  }

  // MARK: the transaction

  /// Commits the turn's changes. Returns whether somebody waits for the barrier.
  func commit(_ number: UInt64, now: Now) -> Bool {
    guard !host.hasFailed, !waitsForEmptyLog(now: now), !host.hasFailed else { return false }
    let signs = pulses.take(now.instant).compactMap(pulse(of:))
    if !signs.isEmpty { turn.writes.append(.pulses(signs)) }
    let noted = host.takeProgress(now: now)
    if !noted.isEmpty { turn.writes.append(.progress(noted)) }
    let lines = lines.taken(now.instant)
    let clock = host.clockToStore(
      besides: turn.writes.count + turn.changes.count + lines.count, now: now)
    // A read of rows that may not be durable is a change without a write.
    guard !turn.writes.isEmpty || !turn.changes.isEmpty || !lines.isEmpty || clock != nil
    else { return false }
    var writes = turn.writes + lines.map { .audit($0) }
    if let clock { writes.append(.clock(clock)) }
    if let trim = trim(with: writes, now: now) { writes.append(trim) }
    let changes = turn.changes
    turn = Transaction()
    do throws(StoreError) {
      try diskGuard.withRoom(for: .deletion) { () throws(StoreError) in try file.commit(writes) }
      metrics.registryWrites += writes.count - (clock == nil ? 0 : 1)
      if emptying.blankedSince == nil, writes.contains(where: \.isBlanking) {
        emptying.blankedSince = now.instant
      }
      self.lines.stored(lines.count)
      host.clockStored(clock, true, now: now)
    } catch {
      self.lines.refused(retry: now.instant + limits.revocationRetry)
      host.clockStored(clock, false, now: now)
      host.progressRefused(noted)
      putBack(signs, now: now)
      refuse(changes, error, now: now)
      host.probeRefused(now: now)
      return false
    }
    // If relay.db calls a file idle, it must be corrected by the same barrier as the write into the
    // file.
    let isWaitedFor =
      host.probeCommitted(number) || !changes.isEmpty || signs.contains { $0.nextWakeAt == nil }
    if isWaitedFor {
      rounds.append(Round(number: number, changes: changes, progress: file.progress))
    }
    if file.walPages >= Limits.registryPagesMax { checkpoint(.passive) }
    return isWaitedFor
  }

  /// Applies the changes of a round that is on the disk in memory, and answers them.
  func passed(_ number: UInt64, now: Now) {
    guard let first = rounds.first, first.number == number else { return }
    rounds.removeFirst()
    host.registryPassed(progress: first.progress, now: now)
    for submitted in first.changes {
      let change = submitted.change
      finish(change)
      change.apply(&directory)
      if let reply = change.reply { replies.send(reply) }
      if let record = change.record { logChange(record) }
      change.then(now)
      if let id = change.workspace { host.workspaceChanged(id, now: now) }
    }
    host.probePassed(number, now: now)
    if rounds.isEmpty { file.markSynced() }
  }

  private func finish(_ change: RegistryChange) {
    if let row = change.row { rows.removeWrite(row.id) }
    change.finished()
  }

  private func refuse(_ changes: [Submitted], _ error: StoreError, now: Now) {
    if error.isFinalForProcess {
      log.error("registry_failed", ["error": .text(error.description)])
      // The server answers everybody who waits.
      return host.fail(error)
    }
    repeatedLog.error("registry_failed", error.description)
    // The whole turn was rolled back: the rows are again as the turns before have left them.
    for submitted in changes.reversed() {
      if let previous = submitted.previous { rows.putBack(previous) }
    }
    // They are undone in reverse order, because each change started from the one before.
    for submitted in changes.reversed() { submitted.change.undo(&directory) }
    for submitted in changes {
      let change = submitted.change
      finish(change)
      // A file without a row would block its id.
      if change.isCreation, let id = change.workspace { removeFile(of: id) }
      change.refused(now)
      if let reply = change.reply { replies.send(reply.failing(change.refusal)) }
    }
  }

  private func removeFile(of id: WorkspaceID) {
    do throws(StoreError) { try data.removeWorkspaceFile(id) } catch {
      host.failed(error, workspace: id)
    }
  }

  /// Logs a change that has become durable; the audit keeps it for good.
  private func logChange(_ record: AuditEntry) {
    let place: (StaticString, String) =
      record.workspace.map { ("workspace", $0.text) } ?? ("target", record.target)
    log.info(
      "registry_changed",
      [
        "actor": .text(record.actor), "action": .text(record.action),
        place.0: .text(place.1), "detail": .text(record.detail),
      ])
  }

  // MARK: pulses

  private func pulse(of id: WorkspaceID) -> WorkspacePulse? {
    // The rows of a workspace that is being purged may be gone.
    guard let record = directory.workspace(id) ?? directory.removed[id],
      record.row.state != .purging
    else { return nil }
    var row = record.row
    row.lastSeenAt = record.lastSeen
    guard row.nextWakeAt != nil else { return WorkspacePulse(row) }
    return WorkspacePulse(row, depth: host.depth(of: id))
  }

  /// Puts back the facts that the disk has refused, to be written again.
  private func putBack(_ signs: [WorkspacePulse], now: Now) {
    for pulse in signs { self.pulse(pulse.id, now: now) }
    // A file that is written while relay.db calls it idle would be missed after a crash.
    if signs.contains(where: { $0.nextWakeAt == nil }) {
      pulses.retry(at: now.instant + limits.markRetry)
    }
  }

  /// Writes all that nobody waits for, at the end of the process. Throws the error that SQLite
  /// reports.
  func writeRest(now: Now) throws(StoreError) {
    while !pulses.isEmpty {
      pulses.retry(at: now.instant)
      try file.commit([.pulses(pulses.take(now.instant).compactMap(pulse(of:)))])
    }
    try file.commit(lines.waiting.map { .audit($0) })
    lines = AuditLines()
  }

  // MARK: the log of relay.db

  /// Returns the write that removes the oldest audit lines, if this transaction adds lines.
  private func trim(with writes: [RegistryWrite], now: Now) -> RegistryWrite? {
    let lines = writes.reduce(0) { if case .audit = $1 { $0 + 1 } else { $0 } }
    guard lines > 0 else { return nil }
    let oldest = host.isTimeDoubtful(now) ? nil : now.wall + (.zero - limits.auditKept)
    return .trimAudit(before: oldest, keep: limits.auditEntriesMax, rows: 2 * lines)
  }

  /// Empties the log `walIdle` after secrets in it were deleted or replaced, idle or not: the log
  /// is short, and signs of life are always being written. Returns whether the commit must wait for
  /// a pending round first. It does not wait if a file that was idle is written in this turn,
  /// because relay.db needs the same barrier.
  private func waitsForEmptyLog(now: Now) -> Bool {
    emptying.isWaiting = false
    guard let since = emptying.blankedSince, since + limits.walIdle <= now.instant else {
      return false
    }
    guard rounds.isEmpty else {
      emptying.isWaiting = !pulses.hasUrgent
      return emptying.isWaiting
    }
    // A log that could not be emptied is tried again as if the content had been deleted now.
    emptying.blankedSince = checkpoint(.truncate) ? nil : now.instant
    return false
  }

  /// Copies the log into the file. Returns whether all of it was copied.
  @discardableResult
  private func checkpoint(_ mode: CheckpointMode) -> Bool {
    do throws(StoreError) {
      return try diskGuard.withRoom(for: .deletion) { () throws(StoreError) in
        try file.checkpoint(mode)
      }
    } catch {
      repeatedLog.error("registry_checkpoint_failed", error.description)
      metrics.checkpointErrors += 1
      if error.isFinalForProcess { host.fail(error) }
      return false
    }
  }
}
