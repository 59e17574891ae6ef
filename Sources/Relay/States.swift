/// Where a message stands. The raw values are on disk: never change one.
package enum MessageState: UInt8, Sendable, CaseIterable {
  /// Its write is on the way to the disk; nobody sees it yet.
  case storing = 1
  /// On disk, waiting for an agent.
  case queued = 2
  /// Given to a poll that asked to confirm.
  case offered = 3
  /// An agent works on it.
  case leased = 4
  /// Its result is on the way to the disk.
  case answering = 5
  /// It has its one answer.
  case answered = 6
  /// Attempts used up; kept for people to look at and redrive.
  case dead = 7
  /// Not answered within its time to live.
  case expired = 8
  /// Ended on somebody's word.
  case cancelled = 9
  /// Its withdrawal (never handed out, `when_offline: error`) is on the way to the disk.
  case withdrawing = 10
  /// Another end without an answer is on the way to the disk.
  case closing = 11
  /// Its return from `dead` into the queue is on the way to the disk.
  case redriving = 12

  /// The states that can be on disk for good.
  package var isEnd: Bool {
    switch self {
    case .answered, .dead, .expired, .cancelled: true
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      false
    }
  }

  /// A write is on its way: no timer acts and no other transition starts until its report.
  package var isPending: Bool {
    switch self {
    case .storing, .answering, .withdrawing, .closing, .redriving: true
    case .queued, .offered, .leased, .answered, .dead, .expired, .cancelled: false
    }
  }
}

/// Where a task stands (A2A 1.0 `TaskState`). The raw values are on disk: never change one.
package enum TaskState: UInt8, Sendable, CaseIterable {
  case submitted = 1
  case working = 2
  case inputRequired = 3
  case authRequired = 4
  case completed = 5
  case canceled = 6
  case failed = 7
  case rejected = 8

  /// A2A 1.0 §4.1.3: never left.
  package var isTerminal: Bool {
    switch self {
    case .completed, .canceled, .failed, .rejected: true
    case .submitted, .working, .inputRequired, .authRequired: false
    }
  }

  package var isInterrupted: Bool { self == .inputRequired || self == .authRequired }
}
