/// What one round of retention deletes, decided from a slice of a file; pure.
///
/// A task goes as a whole: while it is open, all of its messages stay. Its first message is the
/// first to go, so that nobody is ever shown a part of a history as if it were all of it; what a
/// round cannot take with it is found without its first message later, and goes then.
package struct RetentionPlan: Sendable, Equatable {
  /// What may go.
  package struct Rule: Sendable {
    /// What ended by then has been kept for long enough; `nil` while the clock is not trusted.
    package var endedBy: WallTime?
    /// The workspace keeps too much: what was received goes too.
    package var isOver: Bool

    package init(endedBy: WallTime?, isOver: Bool) {
      self.endedBy = endedBy
      self.isOver = isOver
    }
  }

  /// Neighbours in the file, as ranges.
  package var ranges: [ClosedRange<Seq>] = []
  /// The same messages, one by one.
  package var deleted: [Seq] = []
  /// Of these, the dead ones.
  package var dead: Set<Seq> = []
  /// Has more rows than a round may delete: some of them go, and then it is looked at again.
  package var trimmed: Seq?
  /// Everything up to here was looked at.
  package var cursor: Seq
  /// Nothing behind the cursor can go by this rule.
  package var isDone = false
  /// The earliest end of what was kept, as far as it is known.
  package var earliestEnd: WallTime?

  private var sideRows = 0
  private var bytes = 0
  private var isBehindDeleted = false

  /// - `rowsMax`: messages that go, and rows of hand-outs, notes and events that go with them.
  package init(
    _ slice: KeptSlice, after cursor: Seq, _ rule: Rule, rowsMax: Int, bytesMax: Int
  ) {
    self.cursor = cursor
    var gone: Set<Seq> = []
    for message in slice.messages {
      if !rule.isOver {
        guard let endedBy = rule.endedBy, message.at <= endedBy else {
          // It cannot have ended before it came, and those behind it came later.
          keep(until: message.at)
          isDone = true
          return
        }
      }
      guard Self.canGo(message, slice, rule, gone, &earliestEnd) else {
        self.cursor = message.seq
        isBehindDeleted = false
        continue
      }
      guard take(message, rowsMax: rowsMax, bytesMax: bytesMax) else { return }
      if slice.further[message.seq] != nil { gone.insert(message.seq) }
      self.cursor = message.seq
    }
    isDone = slice.isLast
  }

  private mutating func keep(until end: WallTime) {
    earliestEnd = min(earliestEnd ?? end, end)
  }

  private static func canGo(
    _ message: KeptMessage, _ slice: KeptSlice, _ rule: Rule, _ gone: Set<Seq>,
    _ earliestEnd: inout WallTime?
  ) -> Bool {
    guard let ended = message.endedAt else { return false }
    if message.isEnding {
      earliestEnd = min(earliestEnd ?? ended, ended)
      return false
    }
    if message.task != message.seq { return !message.hasFirst || gone.contains(message.task) }
    guard message.taskState?.isTerminal == true else { return false }
    let further = slice.further[message.seq] ?? []
    var end = ended
    for message in further {
      guard let ended = message.endedAt else { return false }
      end = max(end, ended)
    }
    let isEnding = further.contains(where: \.isEnding)
    if !isEnding, let endedBy = rule.endedBy, end <= endedBy { return true }
    if !isEnding, rule.isOver, !slice.isHuge || further.isEmpty, message.isEndReceived,
      further.allSatisfy(\.isEndReceived)
    {
      return true
    }
    earliestEnd = min(earliestEnd ?? end, end)
    return false
  }

  /// `false`: it does not fit into this round.
  private mutating func take(
    _ message: KeptMessage, rowsMax: Int, bytesMax: Int
  ) -> Bool {
    if message.sideRows > rowsMax {
      if deleted.isEmpty { trimmed = message.seq }
      return false
    }
    sideRows += message.sideRows
    bytes += message.bytes
    let fits = deleted.count < rowsMax && sideRows <= rowsMax && bytes <= bytesMax
    guard deleted.isEmpty || fits else { return false }
    if isBehindDeleted, let last = ranges.popLast() {
      ranges.append(last.lowerBound...message.seq)
    } else {
      ranges.append(message.seq...message.seq)
    }
    isBehindDeleted = true
    deleted.append(message.seq)
    if message.isDead { dead.insert(message.seq) }
    return true
  }
}
