/// The messages of one queue: found by number or by an equal call, and ordered by age.
struct MessageIndex {
  private var bySeq: [Seq: Message] = [:]
  /// An equal call attaches to this message, until a caller has received its reply.
  private var unreceived: [EqualCalls: Seq] = [:]
  private var unansweredAges = Ages()
  private var endAges = Ages()
  /// The number of the last message. Numbers are never given twice.
  private(set) var lastSeq: Seq = 0
  /// The last place in the order of delivery; the store counts alike.
  private var lastPosition: Int64 = 0

  var count: Int { bySeq.count }
  var isEmpty: Bool { bySeq.isEmpty }
  var all: Dictionary<Seq, Message>.Values { bySeq.values }
  /// An equal call could attach to some message.
  var hasUnreceived: Bool { !unreceived.isEmpty }

  subscript(_ seq: Seq) -> Message? { bySeq[seq] }

  subscript(equalTo call: EqualCalls) -> Message? { unreceived[call].flatMap { bySeq[$0] } }

  /// Goes on from the numbers that a file holds.
  mutating func startAfter(_ seq: Seq, position: Int64) {
    lastSeq = seq
    lastPosition = max(position, seq)
  }

  /// Gives the next message its number and its place in the order of delivery.
  mutating func number(_ seq: Seq) -> Int64 {
    precondition(seq == lastSeq + 1, "numbers are given in order")
    lastSeq = seq
    return nextPosition()
  }

  /// Returns a place behind all messages.
  mutating func nextPosition() -> Int64 {
    lastPosition = max(lastPosition + 1, lastSeq)
    return lastPosition
  }

  /// The oldest message of this caller that an agent holds now, and the fence to answer it by.
  /// `orLost`: if there is none, one whose lease has ended.
  func oldestHeld(of caller: String, orLost: Bool) -> (seq: Seq, fence: Fence)? {
    let own = all.filter { $0.caller == caller }
    let held = own.filter { $0.state == .offered || $0.state == .leased }
    if let first = held.min(by: { $0.seq < $1.seq }), let fence = first.handOut?.fence {
      return (first.seq, fence)
    }
    guard orLost else { return nil }
    let lost = own.filter { $0.state == .queued && $0.handOut == nil && !$0.fences.isEmpty }
    guard let first = lost.min(by: { $0.seq < $1.seq }), let fence = first.fences.last
    else { return nil }
    return (first.seq, fence)
  }

  mutating func insert(_ message: Message) {
    bySeq[message.seq] = message
    if message.state.isEnd {
      noteEnd(message, at: message.endedAt ?? message.at)
    } else {
      noteUnanswered(message)
    }
    if !message.isReceived { unreceived[message.equalCalls] = message.seq }
  }

  mutating func remove(_ message: Message) {
    bySeq[message.seq] = nil
    noteReceived(message)
  }

  /// Equal calls are new calls from now on.
  mutating func noteReceived(_ message: Message) {
    if unreceived[message.equalCalls] == message.seq { unreceived[message.equalCalls] = nil }
  }

  /// The message has no end: it is new, was read back from the file, or is redriven.
  mutating func noteUnanswered(_ message: Message) {
    unansweredAges.add(message.at, message.seq, of: count) { [bySeq] in
      Self.isUnanswered($0, bySeq)
    }
  }

  /// The message has ended, and nobody has received how. Dead messages wait for an operator, not
  /// for their caller.
  mutating func noteEnd(_ message: Message, at time: WallTime) {
    message.endedAt = time
    guard message.state != .dead else { return }
    endAges.add(time, message.seq, of: count) { [bySeq] in Self.isEnded($0, bySeq) }
  }

  /// When the oldest unanswered message was accepted.
  mutating func oldestUnanswered() -> WallTime? {
    unansweredAges.oldest { [bySeq] in Self.isUnanswered($0, bySeq) }
  }

  /// When the oldest end came to be that nobody has received.
  mutating func oldestUnreceived() -> WallTime? {
    endAges.oldest { [bySeq] in Self.isEnded($0, bySeq) }
  }

  private static func isUnanswered(_ entry: Ages.Entry, _ bySeq: [Seq: Message]) -> Bool {
    bySeq[entry.seq].map { !$0.state.isEnd } ?? false
  }

  private static func isEnded(_ entry: Ages.Entry, _ bySeq: [Seq: Message]) -> Bool {
    guard let message = bySeq[entry.seq] else { return false }
    return message.state.isEnd && message.state != .dead && message.endedAt == entry.at
  }
}

/// Messages by age. An entry whose message has left stays until it is the oldest, or until such
/// entries are in the majority: so an arrival costs one comparison, and the oldest is found without
/// a look at young messages.
struct Ages {
  struct Entry: Comparable {
    var at: WallTime
    var seq: Seq
    static func < (left: Entry, right: Entry) -> Bool {
      (left.at, left.seq) < (right.at, right.seq)
    }
  }

  private var entries = Heap<Entry>()

  mutating func add(_ at: WallTime, _ seq: Seq, of count: Int, isLive: (Entry) -> Bool) {
    entries.insert(Entry(at: at, seq: seq))
    if entries.count > 64 + 2 * count { entries.keep(isLive) }
  }

  mutating func oldest(isLive: (Entry) -> Bool) -> WallTime? {
    while let first = entries.first, !isLive(first) { _ = entries.popFirst() }
    return entries.first?.at
  }
}
