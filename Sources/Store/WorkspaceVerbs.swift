package import Relay

/// The writes and reads of operators' commands: redrives, deletions, jobs.
extension WorkspaceFile {
  func told(_ seq: Seq, at: WallTime) throws(StoreError) {
    var row = try statement(.told)
    row.add(at)
    row.add(seq)
    try row.runOnOneRow("told")
  }

  func redrive(
    _ seq: Seq, task: Seq, at: WallTime, expires: WallTime
  ) throws(StoreError) {
    lastPosition = max(lastPosition + 1, seq)
    var row = try statement(.redrive)
    row.add(lastPosition)
    row.add(expires)
    row.add(seq)
    try row.runOnOneRow("redrive")
    // Without a row it is at work by its hand-outs.
    var reopen = try statement(.reopenTask)
    reopen.add(at)
    reopen.add(task)
    try reopen.run()
  }

  func put(_ job: JobRow) throws(StoreError) {
    var row = try statement(.writeJob)
    row.add(job.id)
    row.add(job.verb.rawValue)
    row.add(job.state.rawValue)
    row.add(job.actor)
    row.add(job.rate)
    row.add(Int64(job.filter.states.rawValue))
    row.add(job.filter.since)
    row.add(job.filter.until)
    row.add(job.filter.last)
    row.add(Self.bytes(of: job.filter.seqs))
    row.add(job.cursor)
    for count in [
      job.counts.matched, job.counts.done, job.counts.replayed, job.counts.skipped,
      job.counts.failed,
    ] { row.add(count) }
    row.add(job.startedAt)
    row.add(job.endedAt)
    try row.run()
    guard job.cursor == job.filter.first(job.verb) else { return }
    var forget = try statement(.forgetJobs)
    forget.add(job.id - Int64(Limits().jobsKept))
    try forget.run()
  }

  private static func bytes(of seqs: [Seq]) -> [UInt8] {
    seqs.flatMap { seq in (0..<8).map { UInt8(truncatingIfNeeded: seq >> (56 - 8 * $0)) } }
  }

  static func seqs(of bytes: [UInt8]) -> [Seq] {
    stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
      bytes[start..<start + 8].reduce(Seq(0)) { $0 << 8 | Seq($1) }
    }
  }
}

extension WorkspaceFile {
  /// The messages that a page of a list looks at; each case has an index of its own.
  package enum Listing: Sendable {
    /// All messages in the order of their numbers.
    case all
    /// Messages that are unanswered, or whose end nobody has received.
    case open
    /// Messages that are dead, expired or cancelled.
    case failed(MessageState)
    /// All messages, the newest first.
    case newestFirst
  }

  /// Returns at most `limit` messages after `cursor`, in the listing's order.
  package func page(
    _ listing: Listing, after cursor: Seq, limit: Int
  ) throws(StoreError) -> [StoredMessage] {
    var row =
      switch listing {
      case .all: try statement(.list)
      case .open: try statement(.listOpen)
      case .failed: try statement(.listFailed)
      case .newestFirst: try statement(.listBack)
      }
    if case .failed(let state) = listing { row.add(state.rawValue) }
    row.add(cursor)
    row.add(limit)
    return try messages(&row)
  }

  /// The first message from `seq` on, and when it was stored.
  package func first(from seq: Seq) throws(StoreError) -> (seq: Seq, at: WallTime)? {
    var row = try statement(.firstSince)
    defer { row.reset() }
    row.add(seq)
    guard try row.step() else { return nil }
    guard Ranges.isSeq(row.int(0)), Ranges.isTime(row.time(1)) else {
      throw row.damaged("number or time of a message")
    }
    return (row.int(0), row.time(1))
  }

  /// Messages that continue the task of this one.
  package func laterMessages(ofTask seq: Seq, limit: Int) throws(StoreError) -> [Seq] {
    var row = try statement(.laterOfTask)
    defer { row.reset() }
    row.add(seq)
    row.add(limit)
    var seqs = [Seq]()
    while try row.step() { seqs.append(row.int(0)) }
    return seqs
  }

  /// The newest jobs, the newest first.
  package func jobs(limit: Int) throws(StoreError) -> [JobRow] {
    var row = try statement(.jobs)
    row.add(limit)
    return try jobs(&row)
  }

  package func job(_ id: JobID) throws(StoreError) -> JobRow? {
    var row = try statement(.job)
    row.add(id)
    return try jobs(&row).first
  }

  /// Returns the jobs that a start goes on with, in their order.
  package func runningJobs() throws(StoreError) -> [JobRow] {
    var row = try statement(.runningJobs)
    return try jobs(&row).sorted { $0.id < $1.id }
  }

  private func jobs(_ row: inout Statement) throws(StoreError) -> [JobRow] {
    defer { row.reset() }
    var jobs = [JobRow]()
    while try row.step() { jobs.append(try row.job()) }
    return jobs
  }
}

extension Statement {
  fileprivate func job() throws(StoreError) -> JobRow {
    guard let verb = JobRow.Verb(rawValue: byte(1)), let state = JobRow.State(rawValue: byte(2))
    else { throw damaged("job") }
    var filter = MessageFilter()
    filter.states = MessageFilter.States(rawValue: UInt16(clamping: int(5)))
    filter.since = timeOrNil(6)
    filter.until = timeOrNil(7)
    filter.last = int(8)
    filter.seqs = WorkspaceFile.seqs(of: bytes(9))
    var job = JobRow(
      id: int(0), verb: verb, filter: filter, actor: text(3), rate: Int(int(4)),
      startedAt: time(16))
    job.state = state
    job.cursor = int(10)
    job.counts.matched = Int(int(11))
    job.counts.done = Int(int(12))
    job.counts.replayed = Int(int(13))
    job.counts.skipped = Int(int(14))
    job.counts.failed = Int(int(15))
    job.endedAt = timeOrNil(17)
    guard job.isInRange else { throw damaged("number or time of a job") }
    return job
  }
}
