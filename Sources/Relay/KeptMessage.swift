/// The facts about one message in a file by which retention decides.
package struct KeptMessage: Sendable, Equatable {
  package var seq: Seq
  package var task: Seq
  package var at: WallTime
  /// When the message ended; `nil` if it has not.
  package var endedAt: WallTime?
  /// The caller has read how the message ended, or was told that it was never delivered.
  package var isEndReceived: Bool
  package var isDead = false
  /// Bytes of the request and the answer.
  package var bytes: Int
  /// The state of the task that the message opened, if the task has a row.
  package var taskState: TaskState?
  /// Rows of deliveries, notes and events.
  package var sideRows = 0
  /// The message that opened the task is still there, or is this one.
  package var hasFirst: Bool
  /// The end of the message is committed, but no barrier has covered it yet: a power cut could undo
  /// it.
  package var isEnding = false

  package init(
    seq: Seq, task: Seq, at: WallTime, endedAt: WallTime?, isEndReceived: Bool, bytes: Int,
    hasFirst: Bool = true
  ) {
    self.seq = seq
    self.task = task
    self.at = at
    self.endedAt = endedAt
    self.isEndReceived = isEndReceived
    self.bytes = bytes
    self.hasFirst = hasFirst
  }
}

/// Consecutive messages of a file, with the facts that decide which of them can be deleted.
package struct KeptSlice: Sendable {
  package var messages: [KeptMessage] = []
  /// The later messages of the tasks that these messages have opened, by task and in order.
  package var further: [Seq: [KeptMessage]] = [:]
  /// The first message's task has more later messages than a round may touch: only the last of them
  /// is known.
  package var isHuge = false
  /// The file has no later message.
  package var isLast = false

  package init() {}

  /// Marks the messages whose end no barrier has covered.
  package mutating func mark(isEnding: (Seq) -> Bool) {
    for index in messages.indices where isEnding(messages[index].seq) {
      messages[index].isEnding = true
    }
    for (task, others) in further {
      for index in others.indices where isEnding(others[index].seq) {
        further[task]?[index].isEnding = true
      }
    }
  }
}
