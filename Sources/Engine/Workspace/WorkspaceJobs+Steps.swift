import Relay
import Store
import Wire

/// Carries out the steps of jobs. A step moves messages of one kind only, and its cursor is written
/// with the moved messages: either all of it is durable or nothing, so that a crash neither skips
/// nor repeats a message.
extension WorkspaceJobs {
  func makeSteps(now: Now) {
    workspace.touch()
    for run in workspace.jobState.runs where run.due.map({ $0 <= now.instant }) ?? false {
      do throws(RelayError) {
        try step(run, now: now)
      } catch {
        // The log has the reason. A damaged file is closed at the end of the turn.
        run.wait(limits.jobRetry, now: now)
      }
    }
    workspace.carryOut(now: now)
  }

  private func step(_ run: JobRun, now: Now) throws(RelayError) {
    if !run.stops.isEmpty { return stop(run, now: now) }
    // The job ends with the workspace's messages, unless the removal is refused.
    guard directory.isThere(workspace.id) else { return run.wait(limits.jobRetry, now: now) }
    let allowance = run.allowance(limits, now: now)
    guard allowance > 0 else { return }
    var step = JobStep(run.row, allowance: allowance)
    let (rows, isLast) = try candidates(run.row)
    for (place, row) in rows {
      guard try take(row, at: place, &step, now: now) else { break }
    }
    run.stepped(step.moved, limits, now: now)
    if step.isBlocked, step.moved == 0 { run.waitLonger(limits, now: now) }
    let isOver = isLast && step.passed == rows.count
    if isOver {
      step.row.state = .done
      step.row.endedAt = now.wall
    }
    guard step.moved > 0 || isOver else {
      // Nothing has changed; skipped messages need no write.
      run.row = step.row
      return
    }
    write(step.row, run)
  }

  /// Stops all jobs of a removed workspace. Their work stays done, and a restore does not continue
  /// them.
  func stopAll(now: Now) {
    for run in workspace.jobState.runs where run.next == nil { stop(run, now: now) }
  }

  private func stop(_ run: JobRun, now: Now) {
    var row = run.row
    row.state = .stopped
    row.endedAt = now.wall
    write(row, run)
  }

  private func write(_ row: JobRow, _ run: JobRun) {
    run.next = row
    queue.actions.append(.write(.job(row)))
    queue.actions.append(.report(.job(row.id, movesSends: row.movesSends)))
  }

  /// Returns the next messages, each with the cursor behind it.
  private func candidates(
    _ row: JobRow
  ) throws(RelayError) -> (rows: [(place: Int64, row: StoredMessage?)], isLast: Bool) {
    let filter = row.filter
    guard filter.seqs.isEmpty else {
      let rest = filter.seqs.indices.dropFirst(Int(row.cursor)).prefix(limits.jobStepMessagesMax)
      var rows: [(place: Int64, row: StoredMessage?)] = []
      for index in rest {
        rows.append((Int64(index + 1), try workspace.storedMessage(filter.seqs[index])))
      }
      return (rows, rest.endIndex == filter.seqs.count)
    }
    let listing = row.verb == .purge ? .newestFirst : WorkspaceOperators.listing(filter)
    // A listing by state returns only messages that the job means.
    var limit = limits.listRowsMax
    if case .failed = listing { limit = limits.jobStepMessagesMax }
    let rows = try workspace.reading { () throws(StoreError) in
      try workspace.file.page(listing, after: row.cursor, limit: limit)
    }
    return (rows.map { ($0.seq, $0) }, rows.count < limit)
  }

  /// Moves one message, or skips it. Returns false if the step ends before the message.
  private func take(
    _ stored: StoredMessage?, at place: Int64, _ step: inout JobStep, now: Now
  ) throws(RelayError) -> Bool {
    guard let stored else {
      step.skip(place)
      return true
    }
    let message = queue.message(stored.seq)
    // An earlier step has ended the message; until its barrier has passed, only the file shows
    // that.
    let isOurs = stored.reason == .purged && step.row.verb == .purge
    guard step.row.filter.matches(stored, isHeld: message?.handOut != nil) || isOurs else {
      if step.row.filter.seqs.isEmpty { step.passOver(place) } else { step.skip(place) }
      return true
    }
    guard step.hasRoom(for: stored, limits) else { return false }
    switch step.row.verb {
    case .redrive: return redrive(stored, at: place, &step, now: now)
    case .replay: return replay(stored, at: place, &step, now: now)
    case .purge: return try purge(stored, at: place, &step, now: now)
    }
  }

  private func redrive(
    _ stored: StoredMessage, at place: Int64, _ step: inout JobStep, now: Now
  ) -> Bool {
    let seq = stored.seq
    guard workspace.operators.takeUp(stored, now: now) else { return step.block() }
    if queue.canRedrive(seq) {
      guard step.enter(.own) else { return queue.letGo(seq) }
      queue.redrive(
        nil, seq, note: OperatorNote.bytes(step.row.actor, [("job", String(step.row.id))]), now: now
      )
      step.move(place, stored)
      return true
    }
    if let message = queue.message(seq) {
      if message.state != .dead {
        step.skip(place)
        return true
      }
      // The other messages of its task have not ended yet.
      guard message.isTold else { return step.block() }
    }
    return replay(stored, at: place, &step, now: now)
  }

  private func replay(
    _ stored: StoredMessage, at place: Int64, _ step: inout JobStep, now: Now
  ) -> Bool {
    guard step.enter(.copies) else { return false }
    do throws(RelayError) {
      _ = try workspace.operators.replay(stored, actor: step.row.actor, now: now)
      step.row.counts.replayed += 1
      step.row.movesSends = true
      step.move(place, stored)
    } catch .notEnded {
      step.skip(place)
    } catch .workspaceUnavailable {
      // The message has no request that could be sent again.
      step.row.counts.failed += 1
      step.passOver(place)
    } catch {
      // The disk or the queue has no room: the message is tried again.
      return step.block()
    }
    return true
  }

  /// Deletes a message that has ended. Ends any other message first, and deletes it in a later
  /// step.
  private func purge(
    _ stored: StoredMessage, at place: Int64, _ step: inout JobStep, now: Now
  ) throws(RelayError) -> Bool {
    let seq = stored.seq
    if let message = queue.message(seq), !message.state.isEnd {
      if !message.state.isPending, step.moved == 0, step.enter(.ends) {
        queue.close(nil, seq, .purged, now: now)
        step.ended += 1
      }
      // The messages behind it may end in the same step; the cursor stays before the first one.
      step.isBlocked = true
      return step.moved == 0 && step.ended < limits.jobStepMessagesMax
    }
    guard !step.isBlocked else { return true }
    guard step.enter(.deletions) else { return false }
    let later = try workspace.reading { () throws(StoreError) in
      try workspace.file.laterMessages(ofTask: seq, limit: limits.jobStepMessagesMax + 1)
    }
    // Messages that continue its task, or may still do so, need it.
    guard later.allSatisfy(step.deleted.contains), queue.taskState(stored.task) == nil else {
      step.skip(place)
      return true
    }
    queue.actions.append(
      .write(
        .delete(
          seq: seq,
          tombstone: Tombstone(
            tag: stored.tag, caller: stored.caller, at: now.wall, cause: .purge,
            actor: step.row.actor, until: now.wall + limits.retention))))
    workspace.care.retention.willExpire(at: now.wall + limits.retention)
    queue.drop(seq, isDead: stored.state == .dead)
    step.deleted.insert(seq)
    step.move(place, stored)
    return true
  }

  func jobMoved(_ id: JobID, isDurable: Bool, now: Now) {
    guard let run = workspace.jobState.runs.first(where: { $0.row.id == id }), let next = run.next
    else { return }
    run.next = nil
    guard isDurable else {
      run.wait(limits.jobRetry, now: now)
      for stop in run.stops {
        workspace.openCalls[stop.call] = nil
        replies.send(Reply(call: stop.call, error: .notStored))
      }
      run.stops = []
      return
    }
    run.row = next
    run.row.movesSends = false
    guard next.state != .running else { return }
    workspace.jobState.runs.removeAll { $0 === run }
    let stopper = next.state == .stopped ? run.stops.first?.actor ?? "relay" : nil
    ended(next, stopper: stopper, now: now)
    for stop in run.stops {
      workspace.openCalls[stop.call] = nil
      replies.send(Reply(call: stop.call, .job(next)))
    }
  }
}

/// A step that is being collected.
private struct JobStep {
  /// The kind of a step's messages, which succeed or fail together.
  enum Kind { case own, copies, deletions, ends }

  var row: JobRow
  var moved = 0
  /// The number of messages that the step has examined.
  var passed = 0
  /// The number of messages that have to end before they can be deleted.
  var ended = 0
  var deleted: Set<Seq> = []
  /// Whether the step ends before a message that cannot be moved yet.
  var isBlocked = false
  private let allowance: Int
  private var bytes = 0
  private var kind: Kind?

  init(_ row: JobRow, allowance: Int) {
    self.row = row
    self.allowance = allowance
  }

  func hasRoom(for message: StoredMessage, _ limits: Limits) -> Bool {
    moved < allowance && (moved == 0 || bytes + message.bytes <= limits.jobStepBytesMax)
  }

  mutating func enter(_ kind: Kind) -> Bool {
    if self.kind == nil { self.kind = kind }
    return self.kind == kind
  }

  mutating func move(_ place: Int64, _ message: StoredMessage) {
    moved += 1
    bytes += message.bytes
    row.counts.done += 1
    passOver(place)
  }

  mutating func skip(_ place: Int64) {
    guard !isBlocked else { return }
    row.counts.skipped += 1
    passOver(place)
  }

  mutating func passOver(_ place: Int64) {
    guard !isBlocked else { return }
    row.cursor = place
    passed += 1
  }

  mutating func block() -> Bool {
    isBlocked = true
    return false
  }
}
