/// What retention has to know of one message in a file.
package struct KeptMessage: Sendable, Equatable {
  package var seq: Seq
  package var task: Seq
  package var at: WallTime
  /// `nil`: it has not ended.
  package var endedAt: WallTime?
  /// Its caller has read how it ended, or was told that it was never delivered.
  package var isEndReceived: Bool
  package var isDead = false
  /// Of its request and its answer.
  package var bytes: Int
  /// Of the task that it opened, if that has a row.
  package var taskState: TaskState?
  /// Rows of hand-outs, notes and events.
  package var sideRows = 0
  /// The message that opened its task is there, or it is that one.
  package var hasFirst: Bool
  /// Its end is in the file, and no barrier has covered it yet: it may never have been.
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

/// Some messages of a file, one behind the other, with what decides whether they can go.
package struct KeptSlice: Sendable {
  package var messages: [KeptMessage] = []
  /// The further messages of the tasks that these have opened, by task and in order.
  package var further: [Seq: [KeptMessage]] = [:]
  /// The first message has more further ones than a round may touch: only their last is known.
  package var isHuge = false
  /// There is no message behind these.
  package var isLast = false

  package init() {}

  /// Marks those whose end no barrier has covered.
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
