/// Names a job of one workspace: 1, 2, 3 …
package typealias JobID = Int64

/// An operation on many messages that is carried out in steps, as the workspace's file stores it.
package struct JobRow: Sendable, Equatable {
  /// The raw values are on disk: never change one.
  package enum Verb: UInt8, Sendable, CaseIterable {
    case redrive = 1
    case replay = 2
    case purge = 3
  }

  /// The raw values are on disk: never change one.
  package enum State: UInt8, Sendable, CaseIterable {
    case running = 1
    case done = 2
    case stopped = 3
  }

  package var id: JobID
  package var verb: Verb
  package var state = State.running
  package var filter: MessageFilter
  /// The operator who asked for the job.
  package var actor: String
  /// Messages per second.
  package var rate: Int
  /// The place where the next step begins: a message's number, or an index into the list of named
  /// messages.
  package var cursor: Int64
  package var counts = Counts()
  package var startedAt: WallTime
  package var endedAt: WallTime?
  /// The step that writes this row also makes messages. Not on disk.
  package var movesSends = false

  package struct Counts: Sendable, Equatable {
    /// Messages that matched when the job began.
    package var matched = 0
    package var done = 0
    /// The part of `done` that became replays instead of redrives, because a caller had been told
    /// of their end.
    package var replayed = 0
    /// Messages that no longer matched when their turn came.
    package var skipped = 0
    package var failed = 0

    package init() {}
  }

  package init(
    id: JobID, verb: Verb, filter: MessageFilter, actor: String, rate: Int, startedAt: WallTime
  ) {
    self.id = id
    self.verb = verb
    self.filter = filter
    self.actor = actor
    self.rate = rate
    self.startedAt = startedAt
    cursor = filter.first(verb)
  }
}

/// Selects messages: by their numbers, or by their states and the time at which they were stored.
package struct MessageFilter: Sendable, Equatable {
  /// The states that operators name. The raw values are on disk: never change one.
  package struct States: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let queued = States(rawValue: 1)
    package static let inFlight = States(rawValue: 2)
    package static let answered = States(rawValue: 4)
    package static let unreceived = States(rawValue: 8)
    package static let dead = States(rawValue: 16)
    package static let expired = States(rawValue: 32)
    package static let cancelled = States(rawValue: 64)

    package static let named: [(name: String, state: States)] = [
      ("queued", .queued), ("in_flight", .inFlight), ("answered", .answered),
      ("unreceived", .unreceived), ("dead", .dead), ("expired", .expired),
      ("cancelled", .cancelled),
    ]
  }

  /// The numbers of the messages; empty to select by state.
  package var seqs: [Seq] = []
  package var states: States = []
  package var since: WallTime?
  package var until: WallTime?
  /// The last message that existed when the filter was made.
  package var last: Seq = 0

  package init() {}

  /// Returns the place where a job begins. A purge goes from the newest message to the oldest, so
  /// that messages that continue a task go before the one that opened it.
  package func first(_ verb: JobRow.Verb) -> Int64 {
    seqs.isEmpty && verb == .purge ? last + 1 : 0
  }

  /// Whether the filter selects the message. `isHeld`: an agent has it.
  package func matches(_ message: StoredMessage, isHeld: Bool) -> Bool {
    guard message.seq <= last || !seqs.isEmpty else { return false }
    if let since, message.at < since { return false }
    if let until, message.at >= until { return false }
    return !states.isDisjoint(with: Self.states(message, isHeld: isHeld))
  }

  private static func states(_ message: StoredMessage, isHeld: Bool) -> States {
    var states: States
    switch message.state {
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      return isHeld ? .inFlight : .queued
    case .answered: states = .answered
    case .dead: states = .dead
    case .expired: states = .expired
    case .cancelled: states = .cancelled
    }
    if !message.isReceived { states.insert(.unreceived) }
    return states
  }
}
