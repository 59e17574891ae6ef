/// What a queue holds now, for operators.
package struct QueueDepth: Sendable, Equatable {
  package var unanswered = 0
  /// Of the unanswered, those that an agent has, or is about to be given.
  package var inFlight = 0
  package var unreceived = 0
  /// Dead messages that are kept, whether or not their caller has had a reply.
  package var dead = 0
  package var interrupted = 0
  package var bytes = 0
  /// When the oldest unanswered message was taken, and when the oldest end that nobody has received
  /// came to be.
  package var oldestUnanswered: WallTime?
  package var oldestUnreceived: WallTime?

  package init() {}

  package var counts: QueueCounts {
    QueueCounts(
      unanswered: unanswered, unreceived: unreceived, dead: dead, interrupted: interrupted)
  }

  package static func += (total: inout QueueDepth, more: QueueDepth) {
    total.unanswered += more.unanswered
    total.inFlight += more.inFlight
    total.unreceived += more.unreceived
    total.dead += more.dead
    total.interrupted += more.interrupted
    total.bytes += more.bytes
    total.oldestUnanswered = earlier(total.oldestUnanswered, more.oldestUnanswered)
    total.oldestUnreceived = earlier(total.oldestUnreceived, more.oldestUnreceived)
  }

  private static func earlier(_ left: WallTime?, _ right: WallTime?) -> WallTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
  }
}

/// The messages of a queue by age. What has left stays until it is the oldest, or in the majority:
/// an arrival costs a comparison, and asking for the oldest looks at no message that is young.
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

extension Queue {
  /// In a time that does not grow with the queue.
  package var depth: QueueDepth {
    var depth = QueueDepth()
    depth.unanswered = counts.unanswered
    depth.inFlight = heldCount
    depth.unreceived = counts.unreceived
    depth.dead = counts.dead + max(0, deadInFile)
    depth.interrupted = counts.interrupted
    depth.bytes = bytes
    depth.oldestUnanswered = unansweredAges.oldest { isUnanswered($0) }
    depth.oldestUnreceived = endAges.oldest { isEnded($0) }
    return depth
  }

  /// It is in the queue without an end: new, read back from the file, or set to work again.
  func noteUnanswered(_ message: Message) {
    unansweredAges.add(message.at, message.seq, of: messages.count) { isUnanswered($0) }
  }

  /// It has ended, and nobody has received how. Dead messages wait for an operator, not for their
  /// caller.
  func noteEnd(_ message: Message, at time: WallTime) {
    message.endedAt = time
    guard message.state != .dead else { return }
    endAges.add(time, message.seq, of: messages.count) { isEnded($0) }
  }

  private func isUnanswered(_ entry: Ages.Entry) -> Bool {
    messages[entry.seq].map { !$0.state.isEnd } ?? false
  }

  private func isEnded(_ entry: Ages.Entry) -> Bool {
    guard let message = messages[entry.seq] else { return false }
    return message.state.isEnd && message.state != .dead && message.endedAt == entry.at
  }
}
