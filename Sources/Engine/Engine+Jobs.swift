package import Relay
import Store
import System
import Wire

/// Verbs over many messages: asked for, listed and stopped. Their steps are in `Engine+Steps`.
extension Engine {
  /// What an operator asks to be done to many messages.
  package struct JobWish: Sendable {
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

  /// Counts what is meant, a page in each turn; then the job is written down, and begins.
  package func startJob(
    _ operation: Operation, _ wish: JobWish, at id: WorkspaceID, now: Now
  ) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      let desk = try desk(id, now: now)
      var filter = wish.filter
      if !wish.ids.isEmpty {
        var seen: Set<Seq> = []
        for id in wish.ids {
          let seq = try operand(id, at: desk.id, now: now).1.seq
          if seen.insert(seq).inserted { filter.seqs.append(seq) }
        }
        // What opened a task can go only after what continued it.
        if wish.verb == .purge { filter.seqs.sort(by: >) }
      }
      filter.last = desk.queue.lastSeq
      // What is still being counted is one too, and so is a dry run.
      guard desk.jobs.count + desk.scans.count < limits.jobsRunningMax else { throw .jobsFull }
      desk.open[operation.call] = .outcomeUnknown
      var count = MatchCount(filter)
      add(
        Scan(call: operation.call) { [unowned self] now throws(RelayError) in
          guard try look(&count, desk) else { return false }
          if wish.isDryRun {
            tellDryRun(operation, count, desk)
          } else {
            announce(operation, wish, count, desk, now: now)
          }
          return true
        },
        desk)
    }
  }

  private struct MatchCount {
    var filter: MessageFilter
    var cursor: Seq = 0
    var matched = 0
    var states: [String: Int] = [:]

    init(_ filter: MessageFilter) { self.filter = filter }
  }

  private func look(_ count: inout MatchCount, _ desk: Desk) throws(RelayError) -> Bool {
    let (filter, cursor) = (count.filter, count.cursor)
    let rows: [StoredMessage]
    if filter.seqs.isEmpty {
      rows = try reading(desk) { () throws(StoreError) in
        try desk.file.page(Self.listing(filter), after: cursor, limit: limits.listRowsMax)
      }
    } else {
      var found: [StoredMessage] = []
      for seq in filter.seqs {
        if let row = try storedMessage(seq, desk) { found.append(row) }
      }
      rows = found
    }
    for row in rows {
      let isHeld = desk.queue.message(row.seq)?.handOut != nil
      guard filter.matches(row, isHeld: isHeld) else { continue }
      count.matched += 1
      count.states[Self.name(row, isHeld: isHeld), default: 0] += 1
    }
    count.cursor = rows.last?.seq ?? cursor
    return !filter.seqs.isEmpty || rows.count < limits.listRowsMax
  }

  private func tellDryRun(_ operation: Operation, _ count: MatchCount, _ desk: Desk) {
    desk.open[operation.call] = nil
    let states = count.states.sorted { $0.key < $1.key }
      .map { JSON.Member($0.key, .number("\($0.value)")) }
    let json: JSON = [
      "dry_run": true, "matched": .number("\(count.matched)"), "states": .object(states),
    ]
    read(Reply(call: operation.call, body: json.bytes), desk)
  }

  /// The line in the audit, with the number that the job is going to have.
  private func announce(
    _ operation: Operation, _ wish: JobWish, _ count: MatchCount, _ desk: Desk, now: Now
  ) {
    desk.lastJob += 1
    var row = JobRow(
      id: desk.lastJob, verb: wish.verb, filter: count.filter, actor: operation.actor,
      rate: wish.rate, startedAt: now.wall)
    row.counts.matched = count.matched
    // Nothing was done if the file is lost before.
    desk.open[operation.call] = .workspaceUnavailable
    audit(
      AuditEntry(
        at: now.wall, actor: operation.actor, action: .jobStart, target: .workspace(desk.id),
        detail: "\(row.verb.name) \(row.id): \(count.matched) matched, \(row.rate) per second"),
      before: { [row] engine, now in engine.begin(operation, row, desk, now: now) },
      of: operation.call, otherwise: { _ in desk.open[operation.call] = nil })
  }

  private func begin(_ operation: Operation, _ row: JobRow, _ desk: Desk, now: Now) {
    // The file was lost meanwhile, and that was answered.
    guard desk.open[operation.call] != nil else { return }
    do throws(RelayError) {
      // Others may have begun since, and the workspace may have been removed.
      guard directory.isThere(desk.id) else { throw .workspaceRemoved }
      guard desk.jobs.count < limits.jobsRunningMax else { throw .jobsFull }
    } catch {
      desk.open[operation.call] = nil
      auditRefusal(operation.actor, .jobStart, .workspace(desk.id), error, now: now)
      return replies.send(Reply(call: operation.call, error: error))
    }
    desk.add(.job(row))
    desk.jobs.append(JobRun(row, limits, now: now))
    desk.open[operation.call] = nil
    let json: JSON = [
      "job": .string(String(row.id)), "verb": .string(row.verb.name),
      "matched": .number("\(row.counts.matched)"), "rate": .number("\(row.rate)"),
    ]
    desk.transaction.replyAfterBarrier(Reply(call: operation.call, status: 202, body: json.bytes))
    touch(desk)
    log.info("job_started", fields(row, desk))
  }

  /// Those that an earlier process has left go on.
  func takeUpJobs(_ desk: Desk, now: Now) throws(StoreError) {
    desk.lastJob = try desk.file.jobs(limit: 1).first?.id ?? 0
    desk.jobs = try desk.file.runningJobs().map { JobRun($0, limits, now: now) }
    for run in desk.jobs {
      log.info(
        "job_resumed", ["workspace": .text(desk.id.text), "job": .number(run.row.id)])
    }
  }

  /// - `stopper`: who has ended it before its end.
  func ended(_ row: JobRow, _ desk: Desk, stopper: String?, now: Now) {
    auditLater(
      AuditEntry(
        at: now.wall, actor: stopper ?? row.actor, action: .jobEnd, target: .workspace(desk.id),
        detail: "\(row.verb.name) \(row.id): \(row.state.name), \(row.counts.done) of "
          + "\(row.counts.matched)"))
    log.info("job_ended", fields(row, desk))
  }

  private func fields(_ row: JobRow, _ desk: Desk) -> Log.Fields {
    [
      "workspace": .text(desk.id.text), "job": .number(row.id), "verb": .text(row.verb.name),
      "actor": .text(row.actor), "state": .text(row.state.name),
      "matched": .number(Int64(row.counts.matched)), "done": .number(Int64(row.counts.done)),
    ]
  }

  // MARK: asked about, stopped

  package func jobs(_ operation: Operation, at id: WorkspaceID, now: Now) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      let desk = try desk(id, now: now)
      let rows = try reading(desk) { () throws(StoreError) in
        try desk.file.jobs(limit: limits.jobsKept + limits.jobsRunningMax)
      }
      let json: JSON = ["jobs": .array(rows.map(\.json))]
      read(Reply(call: operation.call, body: json.bytes), desk)
    }
  }

  package func job(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      let desk = try desk(id, now: now)
      let row = try reading(desk) { () throws(StoreError) in try desk.file.job(job) }
      guard let row else { throw .notFound }
      read(Reply(call: operation.call, body: row.json.bytes), desk)
    }
  }

  /// What it has done stays done. One that has ended is shown as it is.
  package func stopJob(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      guard try desk(id, now: now).jobs.contains(where: { $0.row.id == job }) else {
        return self.job(operation, job, at: id, now: now)
      }
      audit(
        AuditEntry(
          at: now.wall, actor: operation.actor, action: .jobStop, target: .workspace(id),
          detail: "\(job)"),
        before: { engine, now in engine.stopNow(operation, job, at: id, now: now) },
        of: operation.call)
    }
  }

  private func stopNow(_ operation: Operation, _ job: JobID, at id: WorkspaceID, now: Now) {
    withFile(
      operation.call, now: now,
      refused: { [unowned self] error, now in
        auditRefusal(operation.actor, .jobStop, .workspace(id), error, now: now)
        replies.send(Reply(call: operation.call, error: error))
      },
      { [unowned self] now throws(RelayError) in
        let desk = try desk(id, now: now)
        guard let run = desk.jobs.first(where: { $0.row.id == job }) else {
          return self.job(operation, job, at: id, now: now)
        }
        desk.open[operation.call] = .outcomeUnknown
        run.stops.append(operation)
        touch(desk)
      })
  }
}

extension JobRow {
  var json: JSON {
    var json: JSON = [
      "job": .string(String(id)), "verb": .string(verb.name), "state": .string(state.name),
      "actor": .string(actor), "rate": .number("\(rate)"),
      "matched": .number("\(counts.matched)"), "done": .number("\(counts.done)"),
      "replayed": .number("\(counts.replayed)"),
      "skipped": .object(
        counts.skipped == 0
          ? [] : [JSON.Member(verb.skipName, .number("\(counts.skipped)"))]),
      "failed": .number("\(counts.failed)"),
      "started_at": .string(Timestamp.rfc3339(nanoseconds: startedAt.nanoseconds)),
    ]
    if let endedAt {
      json["ended_at"] = .string(Timestamp.rfc3339(nanoseconds: endedAt.nanoseconds))
    }
    return json
  }
}

extension JobRow.Verb {
  package var name: String {
    switch self {
    case .redrive: "redrive"
    case .replay: "replay"
    case .purge: "purge"
    }
  }

  /// Why it passes a message over.
  var skipName: String {
    switch self {
    case .redrive: "not_dead"
    case .replay: "not_ended"
    case .purge: "not_meant"
    }
  }
}

extension JobRow.State {
  var name: String {
    switch self {
    case .running: "running"
    case .done: "done"
    case .stopped: "stopped"
    }
  }
}
