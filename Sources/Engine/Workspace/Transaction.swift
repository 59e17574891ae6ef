import Relay

/// A workspace's writes, and the replies that leave when the writes are durable.
///
/// Writes and replies collect during a turn. A commit takes the writes; the replies wait in a
/// commit round until a barrier has covered it. Deferred writes wait for the next commit, or for
/// their own due time, and go before the writes of the turn.
struct Transaction {
  /// A commit round: the reports and replies that one barrier releases.
  struct Round {
    var number: UInt64
    /// The number of the workspace's transactions up to the end of the round.
    var commits: UInt64
    /// The progress of the file after the round.
    var progress: Int64
    /// The size of the bodies in the round.
    var bytes: Int
    var reports: [Report]
    var replies: [Reply]
  }

  /// The writes that a commit tries to store.
  struct Attempt {
    var writes: [Write]
    /// The deferred ones among the writes; they are deferred again if the commit is refused.
    var deferred: [Write]
    /// The size of the bodies among the writes.
    var bytes: Int
  }

  private(set) var batch: [Write] = []
  /// The size of the bodies in the batch.
  private(set) var batchBytes = 0
  private var reports: [Report] = []
  /// The replies that leave once this turn's transaction is committed.
  private var afterCommit: [Reply] = []
  /// The replies that leave when the barrier has passed.
  private var afterBarrier: [Reply] = []

  private(set) var deferred: [Write] = []
  private var deferredInBatch: [Write] = []
  private(set) var deferredDue: Instant?
  /// Whether some deferred writes have to be written when they are due, even if the file has to be
  /// opened.
  private(set) var isDeferredUrgent = false

  /// The reports of transactions that were committed since the last round was made.
  private var committedReports: [Report] = []
  private var committedReplies: [Reply] = []
  private var committedBytes = 0
  /// The rounds that no barrier has covered yet, oldest first.
  private(set) var rounds: [Round] = []
  /// The number of committed transactions.
  private(set) var commits: UInt64
  /// The number of transactions that a barrier has covered.
  private(set) var synced: UInt64 = 0

  /// Makes an empty transaction.
  ///
  /// - `commits`: 1 if recovery has written into the file.
  init(commits: UInt64) { self.commits = commits }

  // MARK: collecting

  mutating func add(_ write: Write) {
    batch.append(write)
    switch write {
    case .message(let new): batchBytes += new.body.count + new.head.count
    case .answer(let answer): batchBytes += answer.body.count
    case .handOut, .handOutChange, .requeue, .end, .task, .received, .note, .told, .redrive, .job,
      .expire, .delete, .retire, .trim:
      break
    }
  }

  /// Adds a write that nobody waits for. If the turn has other writes, it goes with them, because
  /// all writes keep their order.
  mutating func addDeferred(_ write: Write, isFileOpen: Bool, _ limits: Limits, now: Now) {
    guard batch.isEmpty else {
      batch.append(write)
      deferredInBatch.append(write)
      return
    }
    deferred.append(write)
    if !write.mayBeHeld { isDeferredUrgent = true }
    let isHeld = !isFileOpen && !isDeferredUrgent
    let due = now.instant + (isHeld ? limits.receiptHeldTime : limits.deferredWriteMax)
    deferredDue = deferredDue.map { min($0, due) } ?? due
  }

  mutating func add(_ report: Report) { reports.append(report) }

  mutating func replyAfterCommit(_ reply: Reply) { afterCommit.append(reply) }

  mutating func replyAfterBarrier(_ reply: Reply) { afterBarrier.append(reply) }

  /// Sends the reply with the next barrier, whatever happens to this turn's transaction, of which
  /// the reply shows nothing.
  mutating func replyAfterNextBarrier(_ reply: Reply) { committedReplies.append(reply) }

  // MARK: state

  /// Whether there are writes or replies that cannot be deferred.
  var hasWork: Bool {
    !batch.isEmpty || !reports.isEmpty || !afterCommit.isEmpty || !afterBarrier.isEmpty
  }

  /// Whether no write or reply is pending, except deferred writes.
  var isQuiet: Bool {
    !hasWork && rounds.isEmpty && committedReports.isEmpty && committedReplies.isEmpty
  }

  /// Whether rows may be visible that no barrier has covered. Replies with such rows leave with the
  /// next barrier.
  var isUnsynced: Bool { commits > synced }

  /// Returns the messages whose first write is not committed.
  func unstored(in queue: Queue) -> Set<Seq> {
    Set(
      reports.compactMap { report in
        guard case .message(let seq) = report, queue.message(seq)?.state == .storing
        else { return nil }
        return seq
      })
  }

  // MARK: deferred writes

  /// Sets the instant at which the deferred writes are due.
  mutating func deferUntil(_ instant: Instant) { deferredDue = instant }

  /// Removes the due time of deferred writes that wait for something else.
  mutating func forgetDeferredDue() { deferredDue = nil }

  /// Has the deferred writes stored as soon as `instant`, even if the file has to be opened.
  mutating func makeDeferredUrgent(_ instant: Instant) {
    guard !deferred.isEmpty else { return }
    deferredDue = instant
    isDeferredUrgent = true
  }

  private mutating func takeDeferred() -> [Write] {
    defer {
      deferred = []
      deferredDue = nil
      isDeferredUrgent = false
    }
    return deferred
  }

  // MARK: committing

  /// Takes the writes of the commit: the deferred ones, then those of the turn.
  mutating func begin() -> Attempt {
    let taken = takeDeferred()
    let attempt = Attempt(
      writes: taken + batch, deferred: taken + deferredInBatch, bytes: batchBytes)
    batch = []
    deferredInBatch = []
    committedBytes += batchBytes
    batchBytes = 0
    return attempt
  }

  /// Notes that the writes are in the file. Returns the replies that may leave now; the others wait
  /// for the barrier.
  ///
  /// - `isWritten`: the commit had writes.
  mutating func committed(isWritten: Bool) -> [Reply] {
    if isWritten { commits += 1 }
    committedReports += reports
    committedReplies += afterBarrier
    reports.removeAll(keepingCapacity: true)
    afterBarrier.removeAll(keepingCapacity: true)
    defer { afterCommit.removeAll(keepingCapacity: true) }
    return afterCommit
  }

  /// Notes a separate transaction, committed beside the turn's.
  mutating func committedBeside() { commits += 1 }

  /// Notes a separate transaction that also contained the deferred writes.
  mutating func committedWithDeferred() {
    _ = takeDeferred()
    commits += 1
  }

  /// Takes the reports of these sends, which the commit has left out.
  mutating func takeReports(of sends: Set<Seq>) -> [Report] {
    let refused = reports.filter { $0.isOf(sends) }
    reports.removeAll { $0.isOf(sends) }
    return refused
  }

  /// Takes everything that waited for a refused commit. `deferred` is tried again.
  mutating func refused(
    deferring deferred: [Write], until due: Instant
  ) -> (afterCommit: [Reply], afterBarrier: [Reply], reports: [Report]) {
    defer {
      afterCommit = []
      afterBarrier = []
      reports = []
      self.deferred = deferred
      isDeferredUrgent = !deferred.isEmpty
      if !deferred.isEmpty { deferredDue = due }
    }
    return (afterCommit, afterBarrier, reports)
  }

  // MARK: rounds

  /// Makes a commit round of the reports and replies that wait for the barrier. Returns whether
  /// there are any.
  ///
  /// - `isWanted`: makes a round even if nobody waits for it.
  mutating func closeRound(_ number: UInt64, progress: () -> Int64, isWanted: Bool) -> Bool {
    let isNeeded = isWanted && isUnsynced && rounds.isEmpty
    guard !committedReports.isEmpty || !committedReplies.isEmpty || isNeeded else { return false }
    rounds.append(
      Round(
        number: number, commits: commits, progress: progress(), bytes: committedBytes,
        reports: committedReports, replies: committedReplies))
    committedBytes = 0
    committedReports = []
    committedReplies = []
    return true
  }

  /// Takes the round that a barrier has covered; returns nil if it is not the oldest.
  mutating func takeRound(_ number: UInt64) -> Round? {
    rounds.first?.number == number ? rounds.removeFirst() : nil
  }

  /// Notes that the transactions of the round are on the disk. Returns whether all transactions
  /// are.
  mutating func passed(_ round: Round) -> Bool {
    synced = round.commits
    return synced == commits
  }

  /// Notes that all transactions are on the disk, because SQLite has synced the log and copied it
  /// into the file.
  mutating func passedAll() { synced = commits }

  // MARK: the end

  /// The replies that wait for the commit, and those that wait for the barrier. Only a final error
  /// uses them: none of them may leave unchanged.
  var waitingReplies: (uncommitted: [Reply], committed: [Reply]) {
    (afterCommit + afterBarrier, committedReplies)
  }

  /// Drops all writes, reports and replies. Reports of rounds that are not durable are dropped too.
  mutating func giveUp() {
    batch = []
    reports = []
    committedReports = []
    committedReplies = []
    _ = takeDeferred()
    deferredInBatch = []
    afterCommit = []
    afterBarrier = []
    for index in rounds.indices { rounds[index].reports = [] }
  }

  #if PLANTS
    /// Takes the reports and replies that an injected fault answers before the commit.
    mutating func takeUncommitted() -> (reports: [Report], replies: [Reply]) {
      defer {
        reports = []
        afterCommit = []
        afterBarrier = []
      }
      return (reports, afterCommit + afterBarrier)
    }

    mutating func takeAfterCommit() -> [Reply] {
      defer { afterCommit = [] }
      return afterCommit
    }
  #endif
}

extension Report {
  /// Returns whether the report is about one of these sends, or about a job that needs them.
  fileprivate func isOf(_ seqs: Set<Seq>) -> Bool {
    switch self {
    case .message(let seq): seqs.contains(seq)
    case .job(_, let movesSends): movesSends && !seqs.isEmpty
    case .task: false
    }
  }
}
