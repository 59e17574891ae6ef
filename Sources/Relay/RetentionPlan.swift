/// The messages that one round of retention deletes, decided from a slice of a file.
///
/// A task is deleted as a whole: while it is open, all of its messages stay. Its first message is
/// deleted first, so that nobody is ever shown a part of a history as if it were complete. Messages
/// that do not fit into the round are found later without their first message, and are deleted
/// then.
package struct RetentionPlan: Sendable, Equatable {
  /// The messages that may be deleted.
  package struct Rule: Sendable {
    /// Messages that ended by this time have been kept for long enough; `nil` while the clock is in
    /// doubt.
    package var endedBy: WallTime?
    /// The workspace keeps too much: messages whose end was received may be deleted too.
    package var isOver: Bool

    package init(endedBy: WallTime?, isOver: Bool) {
      self.endedBy = endedBy
      self.isOver = isOver
    }
  }

  /// The deleted messages as ranges of neighbours in the file.
  package var ranges: [ClosedRange<Seq>] = []
  /// The deleted messages, one by one.
  package var deleted: [Seq] = []
  /// The dead ones among the deleted messages.
  package var dead: Set<Seq> = []
  /// A message with more rows than a round may delete: some of the rows are deleted, and the
  /// message is looked at again.
  package var trimmed: Seq?
  /// The last message that was looked at.
  package var cursor: Seq
  /// No message behind the cursor can be deleted by this rule.
  package var isDone = false
  /// The earliest end of a message that stays, as far as it is known.
  package var earliestEnd: WallTime?

  private var sideRows = 0
  private var bytes = 0
  private var isBehindDeleted = false

  /// - `rowsMax`: the most messages, and rows of deliveries, notes and events, that are deleted.
  package init(
    _ slice: KeptSlice, after cursor: Seq, _ rule: Rule, rowsMax: Int, bytesMax: Int
  ) {
    self.cursor = cursor
    var gone: Set<Seq> = []
    for message in slice.messages {
      if !rule.isOver {
        guard let endedBy = rule.endedBy, message.at <= endedBy else {
          // A message cannot have ended before it arrived, and later messages arrived later.
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

  /// Adds the message to the round. `false`: it does not fit.
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
