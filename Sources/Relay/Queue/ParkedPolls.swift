/// The polls that wait for messages. The poll that has waited longest is served first.
///
/// A poll can be reserved for messages whose write is not durable yet: they will be its answer, and
/// until then it gets no other messages.
struct ParkedPolls {
  private struct Entry {
    let poll: Poll
    var reserved: [Seq] = []
    var reservedBytes = 0
    /// The turn in which messages have reserved the poll; later turns reserve another one.
    var reservedTurn: UInt64 = 0
  }

  private var entries: [PollID: Entry] = [:]
  /// The longest waiting poll first. Polls that have gone stay here until they are skipped.
  private(set) var order: [PollID] = []
  private var start = 0
  /// The poll that messages of this turn share.
  private var lastReserved: PollID?
  private var timers = Timers<PollID>()
  /// When a poll was last answered, ended or lost.
  private(set) var lastEnd: Instant?

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }
  /// All polls, in the order of their numbers.
  var ids: [PollID] { entries.keys.sorted() }
  /// The same without the polls that are reserved.
  var idle: [PollID] { ids.filter { isIdle($0) } }

  func contains(_ id: PollID) -> Bool { entries[id] != nil }

  /// The poll waits, and no message has reserved it.
  func isIdle(_ id: PollID) -> Bool { entries[id]?.reserved.isEmpty == true }

  /// Whether an agent counts as present: a poll waits, or the last one ended less than `duration`
  /// ago.
  func isPresent(at now: Instant, for duration: Duration) -> Bool {
    if !isEmpty { return true }
    return lastEnd.map { $0 + duration > now } ?? false
  }

  mutating func park(_ poll: Poll) {
    precondition(entries[poll.id] == nil, "a poll arrives once")
    entries[poll.id] = Entry(poll: poll)
    queueUp(poll.id)
  }

  /// When the wait of some poll is over.
  var nextDeadline: Instant? { timers.next }

  /// The poll waits until its deadline.
  mutating func setTimer(_ poll: Poll) {
    timers.set(poll.id, at: poll.deadline, liveMax: entries.count) { [entries] timer in
      entries[timer.key] != nil
    }
  }

  /// Returns a poll whose wait is over, and that no message has reserved.
  mutating func popDue(at now: Instant) -> PollID? {
    while let timer = timers.popDue(at: now) { if isIdle(timer.key) { return timer.key } }
    return nil
  }

  private mutating func queueUp(_ id: PollID) {
    order.append(id)
    // Polls that have gone stay until they are in the majority.
    guard order.count > 16 + 2 * entries.count else { return }
    order = order[start...].filter { isIdle($0) }
    start = 0
  }

  /// Returns the poll that has waited longest, and takes it out of the order. It stays parked until
  /// it is answered.
  mutating func next() -> Poll? {
    while start < order.count {
      let id = order[start]
      start += 1
      if start == order.count {
        order.removeAll(keepingCapacity: true)
        start = 0
      }
      if let entry = entries[id], entry.reserved.isEmpty { return entry.poll }
    }
    return nil
  }

  /// Removes a poll that gets its answer. Returns the poll and the messages that have reserved it;
  /// nil if it has gone.
  @discardableResult
  mutating func answer(_ id: PollID, at now: Instant) -> (poll: Poll, reserved: [Seq])? {
    lastEnd = now
    return entries.removeValue(forKey: id).map { ($0.poll, $0.reserved) }
  }

  /// Removes a poll that gets no messages. `false`: it has gone already.
  mutating func end(_ id: PollID, at now: Instant) -> Bool {
    guard entries.removeValue(forKey: id) != nil else { return false }
    lastEnd = now
    return true
  }

  /// Reserves a poll for a message of this turn: the one that other messages of the turn have
  /// reserved, as long as it has room, or else the one that has waited longest.
  mutating func reserve(_ seq: Seq, bytes: Int, turn: UInt64) -> Poll? {
    guard let id = shared(bytes: bytes, turn: turn) ?? next()?.id else { return nil }
    lastReserved = id
    entries[id]?.reservedTurn = turn
    entries[id]?.reserved.append(seq)
    entries[id]?.reservedBytes += bytes
    return entries[id]?.poll
  }

  private func shared(bytes: Int, turn: UInt64) -> PollID? {
    guard let id = lastReserved, let entry = entries[id], entry.reservedTurn == turn,
      entry.reserved.count < entry.poll.max, entry.reservedBytes + bytes <= entry.poll.bytesMax
    else { return nil }
    return id
  }

  /// Takes back the reservation of a message that was not stored. Without one the poll waits again,
  /// behind all others.
  mutating func unreserve(_ seq: Seq, bytes: Int, from id: PollID, now: Instant) {
    guard let entry = entries[id] else { return }
    entries[id]?.reserved.removeAll { $0 == seq }
    entries[id]?.reservedBytes -= bytes
    guard isIdle(id) else { return }
    queueUp(id)
    // The timer may have found the poll reserved, and is gone then.
    if entry.poll.deadline <= now { setTimer(entry.poll) }
  }
}
