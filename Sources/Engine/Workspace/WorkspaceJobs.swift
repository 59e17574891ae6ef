package import Relay
import Store
import System
import Wire

/// What an operator asks to be done to many messages.
package struct JobRequest: Sendable {
  package var verb: JobRow.Verb
  package var filter: MessageFilter
  package var ids: [MessageID]
  package var rate: Int
  package var isDryRun: Bool

  package init(
    verb: JobRow.Verb, filter: MessageFilter, ids: [MessageID], rate: Int, isDryRun: Bool
  ) {
    self.verb = verb
    self.filter = filter
    self.ids = ids
    self.rate = rate
    self.isDryRun = isDryRun
  }
}

/// Operations over many messages of a workspace: begun, listed and stopped.
struct WorkspaceJobs: WorkspacePart {
  let workspace: Workspace

  /// Begins an operation over many messages: what is meant is counted, a page in each turn; then
  /// the job is written down.
  ///
  /// - `seqs`: the messages that were named, if any were.
  func start(
    _ operation: Operation, _ request: JobRequest, seqs: [Seq]
  ) throws(RelayError) {
    var filter = request.filter
    filter.seqs += seqs
    // What opened a task can go only after what continued it.
    if request.verb == .purge { filter.seqs.sort(by: >) }
    filter.last = queue.lastSeq
    // What is still being counted is one too, and so is a dry run.
    let running = workspace.jobState.runs.count + workspace.jobState.scans.count
    guard running < limits.jobsRunningMax else { throw .jobsFull }
    workspace.openCalls[operation.call] = .outcomeUnknown
    var count = MatchCount(filter)
    let scan = Scan(call: operation.call) { now throws(RelayError) in
      guard try look(&count) else { return false }
      if request.isDryRun {
        tellDryRun(operation, count)
      } else {
        announce(operation, request, count, now: now)
      }
      return true
    }
    pool.read(scan, in: workspace)
  }

  private struct MatchCount {
    var filter: MessageFilter
    var cursor: Seq = 0
    var matched = 0
    var standings: [MessageStanding: Int] = [:]

    init(_ filter: MessageFilter) { self.filter = filter }
  }

  private func look(_ count: inout MatchCount) throws(RelayError) -> Bool {
    let (filter, cursor) = (count.filter, count.cursor)
    let rows: [StoredMessage]
    if filter.seqs.isEmpty {
      rows = try workspace.reading { () throws(StoreError) in
        try workspace.file.page(
          WorkspaceOperators.listing(filter), after: cursor, limit: limits.listRowsMax)
      }
    } else {
      var found: [StoredMessage] = []
      for seq in filter.seqs {
        if let row = try workspace.storedMessage(seq) { found.append(row) }
      }
      rows = found
    }
    for row in rows {
      let isHeld = queue.message(row.seq)?.handOut != nil
      guard filter.matches(row, isHeld: isHeld) else { continue }
      count.matched += 1
      count.standings[MessageStanding(row, isHeld: isHeld), default: 0] += 1
    }
    count.cursor = rows.last?.seq ?? cursor
    return !filter.seqs.isEmpty || rows.count < limits.listRowsMax
  }

  private func tellDryRun(_ operation: Operation, _ count: MatchCount) {
    workspace.openCalls[operation.call] = nil
    workspace.read(
      Reply(
        call: operation.call, .dryRun(matched: count.matched, standings: count.standings)))
  }

  /// The line in the audit, with the number that the job is going to have.
  private func announce(
    _ operation: Operation, _ wish: JobRequest, _ count: MatchCount, now: Now
  ) {
    workspace.jobState.last += 1
    var row = JobRow(
      id: workspace.jobState.last, verb: wish.verb, filter: count.filter, actor: operation.actor,
      rate: wish.rate, startedAt: now.wall)
    row.counts.matched = count.matched
    // Nothing was done if the file is lost before.
    workspace.openCalls[operation.call] = .workspaceUnavailable
    registry.audit(
      AuditEntry(
        at: now.wall, actor: operation.actor, action: .jobStart, target: .workspace(workspace.id),
        detail: "\(row.verb.name) \(row.id): \(count.matched) matched, \(row.rate) per second"),
      before: { [row] now in begin(operation, row, now: now) },
      of: operation.call, otherwise: { workspace.openCalls[operation.call] = nil })
  }

  private func begin(_ operation: Operation, _ row: JobRow, now: Now) {
    // The file was lost meanwhile, and that was answered.
    guard workspace.openCalls[operation.call] != nil else { return }
    do throws(RelayError) {
      // Others may have begun since, and the workspace may have been removed.
      guard directory.isThere(workspace.id) else { throw .workspaceRemoved }
      guard workspace.jobState.runs.count < limits.jobsRunningMax else { throw .jobsFull }
    } catch {
      workspace.openCalls[operation.call] = nil
      auditRefusal(operation.actor, .jobStart, .workspace(workspace.id), error, now: now)
      return replies.send(Reply(call: operation.call, error: error))
    }
    workspace.add(.job(row))
    workspace.jobState.runs.append(JobRun(row, limits, now: now))
    workspace.openCalls[operation.call] = nil
    workspace.transaction.replyAfterBarrier(
      Reply(call: operation.call, .jobStarted(row)))
    workspace.touch()
    log.info("job_started", fields(row))
  }

  /// Goes on with the jobs that an earlier process has left. Throws what SQLite reports.
  func resume(now: Now) throws(StoreError) {
    workspace.jobState.last = try workspace.file.jobs(limit: 1).first?.id ?? 0
    workspace.jobState.runs = try workspace.file.runningJobs().map { JobRun($0, limits, now: now) }
    for run in workspace.jobState.runs {
      log.info(
        "job_resumed", ["workspace": .text(workspace.id.text), "job": .number(run.row.id)])
    }
  }

  /// Notes that a job has ended.
  ///
  /// - `stopper`: who has ended it before its end.
  func ended(_ row: JobRow, stopper: String?, now: Now) {
    registry.auditLater(
      AuditEntry(
        at: now.wall, actor: stopper ?? row.actor, action: .jobEnd,
        target: .workspace(workspace.id),
        detail: "\(row.verb.name) \(row.id): \(row.state.name), \(row.counts.done) of "
          + "\(row.counts.matched)"))
    log.info("job_ended", fields(row))
  }

  private func fields(_ row: JobRow) -> Log.Fields {
    [
      "workspace": .text(workspace.id.text), "job": .number(row.id), "verb": .text(row.verb.name),
      "actor": .text(row.actor), "state": .text(row.state.name),
      "matched": .number(Int64(row.counts.matched)), "done": .number(Int64(row.counts.done)),
    ]
  }

  // MARK: asked about, stopped

  /// Answers with the jobs at work and the last ones that have ended.
  func list(_ operation: Operation) throws(RelayError) {
    let rows = try workspace.reading { () throws(StoreError) in
      try workspace.file.jobs(limit: limits.jobsKept + limits.jobsRunningMax)
    }
    workspace.read(Reply(call: operation.call, .jobs(rows)))
  }

  /// Answers with one job. Throws `notFound` if there is none.
  func show(_ operation: Operation, _ job: JobID) throws(RelayError) {
    let row = try workspace.reading { () throws(StoreError) in try workspace.file.job(job) }
    guard let row else { throw .notFound }
    workspace.read(Reply(call: operation.call, .job(row)))
  }

  func isRunning(_ job: JobID) -> Bool {
    workspace.jobState.runs.contains { $0.row.id == job }
  }

  /// Has a job stop with its next step; one that has ended is shown as it is.
  func stop(_ operation: Operation, _ job: JobID) throws(RelayError) {
    guard let run = workspace.jobState.runs.first(where: { $0.row.id == job }) else {
      return try show(operation, job)
    }
    workspace.openCalls[operation.call] = .outcomeUnknown
    run.stops.append(operation)
    workspace.touch()
  }

  /// Ends reading that takes many turns: the workspace is removed.
  func refuseScans(_ error: RelayError) {
    for scan in workspace.jobState.scans {
      workspace.openCalls[scan.call] = nil
      replies.send(Reply(call: scan.call, error: error))
    }
    workspace.jobState.scans = []
  }
}
