package import Relay
import Store
import System
import Wire

/// An operator's request to change many messages.
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

/// Begins, lists and stops operations over many messages of a workspace.
struct WorkspaceJobs: WorkspacePart {
  let workspace: Workspace

  /// Begins an operation over many messages. It counts the messages that match, one page in each
  /// turn, and then stores the job.
  ///
  /// - `seqs`: the messages that the request named, if any.
  func start(
    _ operation: Operation, _ request: JobRequest, seqs: [Seq]
  ) throws(RelayError) {
    var filter = request.filter
    filter.seqs += seqs
    // The message that opened a task can be deleted only after the ones that continue the task.
    if request.verb == .purge { filter.seqs.sort(by: >) }
    filter.last = queue.lastSeq
    // Jobs that still count their messages are included, and so are dry runs.
    let running = workspace.jobState.runs.count + workspace.jobState.scans.count
    guard running < limits.jobsRunningMax else { throw .jobsFull }
    workspace.openCalls[operation.call] = .outcomeUnknown
    var count = MatchCount(filter)
    let scan = Scan(call: operation.call) { now throws(RelayError) in
      guard try look(&count) else { return false }
      if request.isDryRun {
        answerDryRun(operation, count)
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

  private func answerDryRun(_ operation: Operation, _ count: MatchCount) {
    workspace.openCalls[operation.call] = nil
    workspace.read(
      Reply(
        call: operation.call, .dryRun(matched: count.matched, standings: count.standings)))
  }

  /// Writes the audit line with the number that the job will have.
  private func announce(
    _ operation: Operation, _ wish: JobRequest, _ count: MatchCount, now: Now
  ) {
    workspace.jobState.last += 1
    var row = JobRow(
      id: workspace.jobState.last, verb: wish.verb, filter: count.filter, actor: operation.actor,
      rate: wish.rate, startedAt: now.wall)
    row.counts.matched = count.matched
    // If the file is lost before the job starts, nothing was done.
    workspace.openCalls[operation.call] = .workspaceUnavailable
    registry.audit(
      AuditEntry(
        at: now.wall, actor: operation.actor, action: .jobStart, target: .workspace(workspace.id),
        detail: "\(row.verb.name) \(row.id): \(count.matched) matched, \(row.rate) per second"),
      before: { [row] now in begin(operation, row, now: now) },
      of: operation.call, otherwise: { workspace.openCalls[operation.call] = nil })
  }

  private func begin(_ operation: Operation, _ row: JobRow, now: Now) {
    // The file was lost meanwhile, and the call is answered.
    guard workspace.openCalls[operation.call] != nil else { return }
    do throws(RelayError) {
      // Other jobs may have begun since, and the workspace may have been removed.
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

  /// Continues the jobs that an earlier process has left. Throws the error that SQLite reports.
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
  /// - `stopper`: the operator who has stopped the job, if one has.
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

  // MARK: listing and stopping

  /// Answers with the running jobs and the last ones that have ended.
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

  /// Stops a job at its next step. A job that has ended is shown unchanged.
  func stop(_ operation: Operation, _ job: JobID) throws(RelayError) {
    guard let run = workspace.jobState.runs.first(where: { $0.row.id == job }) else {
      return try show(operation, job)
    }
    workspace.openCalls[operation.call] = .outcomeUnknown
    run.stops.append(operation)
    workspace.touch()
  }

  /// Ends the scans of a removed workspace.
  func refuseScans(_ error: RelayError) {
    for scan in workspace.jobState.scans {
      workspace.openCalls[scan.call] = nil
      replies.send(Reply(call: scan.call, error: error))
    }
    workspace.jobState.scans = []
  }
}
