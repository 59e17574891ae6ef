import Relay

/// What a workspace writes, and who is answered when it is durable.
///
/// Writes and the replies that depend on them collect during a turn. A commit takes them; what it
/// made visible waits in a round until a barrier has covered it. Deferred writes wait for the next
/// commit, or for their own due time; they keep their order before the writes of the turn.
struct Transaction {
  /// What one barrier makes durable.
  struct Round {
    var number: UInt64
    /// The transactions that its barrier covers.
    var commits: UInt64
    /// Of the file, after them.
    var progress: Int64
    /// Of the bodies in them.
    var bytes: Int
    var reports: [Report]
    var replies: [Reply]
  }

  /// What a commit tries to write.
  struct Attempt {
    var writes: [Write]
    /// Those of the writes that nobody waits for: they are deferred again if the commit is refused.
    var deferred: [Write]
    /// Of the bodies.
    var bytes: Int
  }

  private(set) var batch: [Write] = []
  /// Bytes of the bodies in the batch.
  private(set) var batchBytes = 0
  private var reports: [Report] = []
  /// Leave once this turn's transaction is committed.
  private var afterCommit: [Reply] = []
  /// Leave when the barrier has passed.
  private var afterBarrier: [Reply] = []

  private(set) var deferred: [Write] = []
  private var deferredInBatch: [Write] = []
  private(set) var deferredDue: Instant?
  /// Some deferred writes have to reach the file when they are due, even if it has to be opened.
  private(set) var isDeferredUrgent = false

  /// Of transactions that were committed since the last round was closed.
  private var committedReports: [Report] = []
  private var committedReplies: [Reply] = []
  private var committedBytes = 0
  /// Rounds that no barrier has covered yet, oldest first.
  private(set) var rounds: [Round] = []
  /// Transactions committed.
  private(set) var commits: UInt64
  /// Transactions that a barrier has covered.
  private(set) var synced: UInt64 = 0

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

  /// Adds a write that nobody waits for. Behind others of this turn it goes with them, since all
  /// writes keep their order.
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

  /// The reply leaves with the next barrier, whatever becomes of this turn's transaction: it has
  /// seen nothing of it.
  mutating func replyAfterNextBarrier(_ reply: Reply) { committedReplies.append(reply) }

  // MARK: what there is

  /// Something is to be committed or sent that cannot be deferred.
  var hasWork: Bool {
    !batch.isEmpty || !reports.isEmpty || !afterCommit.isEmpty || !afterBarrier.isEmpty
  }

  /// Nothing is on its way to the file or back, but for what is deferred.
  var isQuiet: Bool {
    !hasWork && rounds.isEmpty && committedReports.isEmpty && committedReplies.isEmpty
  }

  /// Rows may be visible that no barrier has covered: what is read leaves with the next barrier.
  var isUnsynced: Bool { commits > synced }

  /// Messages whose first write is not committed.
  func unstored(in queue: Queue) -> Set<Seq> {
    Set(
      reports.compactMap { report in
        guard case .message(let seq) = report, queue.message(seq)?.state == .storing
        else { return nil }
        return seq
      })
  }

  // MARK: deferred writes

  /// The deferred writes are due at `instant`.
  mutating func deferUntil(_ instant: Instant) { deferredDue = instant }

  /// They wait for something else than a time.
  mutating func forgetDeferredDue() { deferredDue = nil }

  /// The deferred writes have to reach the file now.
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

  /// Takes what the commit is to write: the deferred writes, then those of the turn.
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

  /// The writes are in the file. Returns the replies that may leave now; the others wait for the
  /// barrier. `isWritten`: there were any.
  mutating func committed(isWritten: Bool) -> [Reply] {
    if isWritten { commits += 1 }
    committedReports += reports
    committedReplies += afterBarrier
    reports.removeAll(keepingCapacity: true)
    afterBarrier.removeAll(keepingCapacity: true)
    defer { afterCommit.removeAll(keepingCapacity: true) }
    return afterCommit
  }

  /// A transaction of its own was committed beside the turn's.
  mutating func committedBeside() { commits += 1 }

  /// The same of one that has carried the deferred writes with it.
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

  /// Takes everything that waited for a commit which was refused. `deferred` is tried again.
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

  /// Makes a round of what waits for the barrier. Returns whether there is any: `isWanted` makes
  /// one of what nobody waits for.
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

  /// Takes the round that a barrier has covered; nil if it is not the oldest.
  mutating func takeRound(_ number: UInt64) -> Round? {
    rounds.first?.number == number ? rounds.removeFirst() : nil
  }

  /// The transactions of the round are on the disk. Returns whether all are.
  mutating func passed(_ round: Round) -> Bool {
    synced = round.commits
    return synced == commits
  }

  /// The log was copied into the file, and SQLite has synced it before.
  mutating func passedAll() { synced = commits }

  // MARK: the end

  /// Replies that were to leave after the commit or after the barrier, and those of transactions
  /// that are committed. None of them may leave any more.
  var waitingReplies: (uncommitted: [Reply], committed: [Reply]) {
    (afterCommit + afterBarrier, committedReplies)
  }

  /// Nothing is written any more. What the rounds on their way have answered already stands.
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
    /// Takes what a planted fault answers before it is committed.
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
  /// It is of a send among these, or falls with them.
  fileprivate func isOf(_ seqs: Set<Seq>) -> Bool {
    switch self {
    case .message(let seq): seqs.contains(seq)
    case .job(_, let movesSends): movesSends && !seqs.isEmpty
    case .task: false
    }
  }
}
