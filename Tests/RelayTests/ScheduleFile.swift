@testable import Relay

/// What a workspace's file says of one message.
struct FileMessage {
  let new: NewMessage
  var state = MessageState.queued
  var reason: EndReason?
  var attempt = 0
  var notBefore = WallTime(nanoseconds: 0)
  var isReceived = false
  var isEndReceived = false
  var isTold = false
  var position: Int64
  var expires: WallTime
  var answer: Answer?
  var rows: [HandOutRow] = []
  var change: HandOutChange?
  /// Hand-outs that came back untouched since the last one that counted.
  var untouchedInARow = 0
  /// Rows from before it was last redriven.
  var earlierRows = 0
}

/// A workspace's file as the writes leave it. A write that no file could take is a violation.
struct ScheduleFile {
  var messages: [Seq: FileMessage] = [:]
  var tasks: [Seq: StoredTask] = [:]
  var lastSeq: Seq = 0
  var position: Int64 = 0
  var jobs: [JobID: JobRow] = [:]
  var lastFence = Fence(number: 0)
  /// When each hand-out was to end, as its changes have said.
  var leaseEnds: [Fence: Set<WallTime>] = [:]
  /// What was written against the rules, if anything was.
  var violation: String?

  mutating func apply(_ write: Write, attempts: Int) {
    switch write {
    case .message(let new): insert(new)
    case .handOut(let row): insert(row, attempts: attempts)
    case .handOutChange(let change):
      guard let seq = seq(of: change) else { return fail("a change of no hand-out") }
      messages[seq]?.change = change
      note(change, of: seq)
      leaseEnds[change.fence, default: []].insert(change.leaseEnd)
    case .requeue(let seq, let attempt, let notBefore):
      guard isOpen(seq) else { return fail("message \(seq) is put back after its end") }
      if attempt < 0 || attempt > attempts { fail("message \(seq) has \(attempt) attempts") }
      messages[seq]?.attempt = attempt
      messages[seq]?.notBefore = notBefore
    case .answer(let answer):
      guard isOpen(answer.seq) else { return fail("message \(answer.seq) is answered again") }
      messages[answer.seq]?.state = .answered
      messages[answer.seq]?.answer = answer
    case .end(let seq, let state, let reason, _):
      guard isOpen(seq) else { return fail("message \(seq) ends again") }
      messages[seq]?.state = state
      messages[seq]?.reason = reason
    case .task(let seq, let state, let at): change(task: seq, to: state, at: at)
    case .told(let seq, _):
      if messages[seq]?.state != .dead { fail("message \(seq) is told dead and is not") }
      messages[seq]?.isTold = true
    case .redrive(let seq, let task, let at, let expires):
      redrive(seq, task: task, at: at, expires: expires)
    case .delete(let seq, _): delete(seq)
    case .job(let job): jobs[job.id] = job
    case .received(let seq, let reply, _):
      if messages[seq] == nil, reply != .end { fail("nobody can have received \(seq)") }
      messages[seq]?.isReceived = true
      if reply == .end { readEnd(seq) }
    case .note, .retire, .trim, .expire: break
    }
  }

  private mutating func readEnd(_ seq: Seq) {
    if messages[seq]?.state.isEnd == false { fail("nobody can have read how \(seq) ended") }
    messages[seq]?.isEndReceived = true
  }

  private mutating func insert(_ new: NewMessage) {
    if messages[new.seq] != nil { fail("message \(new.seq) is stored twice") }
    position = max(position + 1, new.seq)
    messages[new.seq] = FileMessage(new: new, position: position, expires: new.expires)
    lastSeq = max(lastSeq, new.seq)
    guard new.task == new.seq else {
      if tasks[new.task]?.state.isInterrupted == true {
        tasks[new.task]?.state = .working
        tasks[new.task]?.changed = new.at
      }
      return
    }
    tasks[new.seq] = StoredTask(
      seq: new.seq, state: .submitted, context: new.context, caller: new.caller, changed: new.at)
  }

  private mutating func redrive(_ seq: Seq, task: Seq, at: WallTime, expires: WallTime) {
    guard let message = messages[seq], message.state == .dead else {
      return fail("message \(seq) is redriven and was not dead")
    }
    if message.isTold { fail("message \(seq) is redriven after a caller was told of its end") }
    position = max(position + 1, seq)
    messages[seq]?.state = .queued
    messages[seq]?.reason = nil
    messages[seq]?.attempt = 0
    messages[seq]?.earlierRows = message.rows.count
    messages[seq]?.notBefore = at
    messages[seq]?.expires = expires
    messages[seq]?.position = position
    guard tasks[task]?.state == .failed else { return fail("task \(task) had not failed") }
    tasks[task]?.state = .working
    tasks[task]?.changed = at
  }

  private mutating func delete(_ seq: Seq) {
    if messages[seq]?.state.isEnd != true { fail("message \(seq) is deleted before its end") }
    let isNeeded = messages.values.contains { $0.new.task == seq && !$0.state.isEnd }
    if isNeeded { fail("message \(seq) is deleted, and what continues its task has not ended") }
    messages[seq] = nil
    tasks[seq] = nil
  }

  private mutating func insert(_ row: HandOutRow, attempts: Int) {
    guard isOpen(row.seq) else { return fail("message \(row.seq) is handed out after its end") }
    if row.fence <= lastFence { fail("fence \(row.fence) is not new") }
    if row.attempt < 1 || row.attempt > attempts { fail("attempt \(row.attempt) of \(row.seq)") }
    lastFence = row.fence
    messages[row.seq]?.rows.append(row)
    messages[row.seq]?.change = nil
    guard tasks[row.seq]?.state == .submitted else { return }
    tasks[row.seq]?.state = .working
    tasks[row.seq]?.changed = row.at
  }

  private mutating func note(_ change: HandOutChange, of seq: Seq) {
    switch change.kind {
    case .unburnt: messages[seq]?.untouchedInARow += 1
    case .withheld: break
    case .claimed, .extended, .released, .lost, .ended, .revoked:
      messages[seq]?.untouchedInARow = 0
    }
  }

  private mutating func change(task: Seq, to state: TaskState, at: WallTime) {
    guard let old = tasks[task] else { return fail("task \(task) is nowhere") }
    if old.state.isTerminal { fail("task \(task) leaves \(old.state) for \(state)") }
    tasks[task]?.state = state
    tasks[task]?.changed = at
  }

  private func isOpen(_ seq: Seq) -> Bool { messages[seq]?.state == .queued }

  private func seq(of change: HandOutChange) -> Seq? {
    for (seq, message) in messages where message.rows.last?.fence == change.fence { return seq }
    return nil
  }

  private mutating func fail(_ what: String) {
    if violation == nil { violation = what }
  }

  /// What the store reads after a start.
  func recovered(isAfterPowerCut: Bool, doubtfulUpTo: Seq) -> Recovered {
    var recovered = Recovered()
    recovered.lastSeq = lastSeq
    recovered.lastPosition = position
    recovered.isAfterPowerCut = isAfterPowerCut
    recovered.doubtfulUpTo = doubtfulUpTo
    var wanted: Set<Seq> = []
    for message in messages.values where !message.state.isEnd || !message.isReceived {
      recovered.messages.append(Self.stored(message))
      if let row = message.rows.last { recovered.handOuts.append(row.after(message.change)) }
      if let change = message.change { recovered.handOutChanges.append(change) }
      recovered.untouchedInARow[message.new.seq] = message.untouchedInARow
      wanted.insert(message.new.task)
    }
    for (seq, task) in tasks where wanted.contains(seq) || task.state.isInterrupted {
      recovered.tasks.append(task)
    }
    return recovered
  }

  static func stored(_ message: FileMessage) -> StoredMessage {
    let new = message.new
    var stored = StoredMessage(
      seq: new.seq, tag: new.tag, state: message.state, reason: message.reason,
      position: message.position, at: new.at, expires: message.expires,
      notBefore: message.notBefore, attempt: message.attempt, caller: new.caller,
      method: new.method, dialect: new.dialect, task: new.task,
      context: new.context, messageID: new.messageID, dedup: new.dedup, rpcID: new.rpcID,
      isImmediate: new.isImmediate, isReceived: message.isReceived,
      bytes: new.body.count + new.head.count,
      answerFence: message.answer?.fence ?? Fence(number: 0),
      answerHash: message.answer?.bodyHash ?? UUIDBytes(high: 0, low: 0), endedAt: nil,
      isTold: message.isTold, replayOf: new.replay?.id)
    if message.isEndReceived { (stored.endedAt, stored.receivedAt) = (new.at, .never) }
    return stored
  }
}

extension HandOutRow {
  /// The row with the lease end that its last change gave it.
  func after(_ change: HandOutChange?) -> HandOutRow {
    var row = self
    if let change { row.leaseEnd = change.leaseEnd }
    return row
  }
}
