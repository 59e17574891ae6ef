import Relay

/// The numbers that states and kinds have on disk, by name, for the texts of SQL statements and of
/// schemas. A statement text is a constant: SQLite prepares it once.
///
/// The numbers are part of the file format. `RawTests` holds each of them.
enum Raw {
  // message.state
  static let queued = MessageState.queued.rawValue
  static let answered = MessageState.answered.rawValue
  /// States from here on are ends.
  static let firstEnd = MessageState.answered.rawValue
  /// States from here on are ends without an answer.
  static let firstFailed = MessageState.dead.rawValue
  static let dead = MessageState.dead.rawValue

  // task.state
  static let submitted = TaskState.submitted.rawValue
  static let working = TaskState.working.rawValue
  static let failed = TaskState.failed.rawValue
  /// A list of the states in which a task waits for its caller.
  static let interrupted = "\(TaskState.inputRequired.rawValue), \(TaskState.authRequired.rawValue)"

  // handout.kind, handout.change
  static let shown = HandOutRow.Kind.shown.rawValue
  static let claimed = HandOutChange.Kind.claimed.rawValue
  static let unburnt = HandOutChange.Kind.unburnt.rawValue
  static let withheld = HandOutChange.Kind.withheld.rawValue

  // job.state
  static let running = JobRow.State.running.rawValue

  // workspace.state, in relay.db
  static let purging = RegisteredWorkspace.State.purging.rawValue
}
