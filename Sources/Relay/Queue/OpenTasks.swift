/// The tasks of a queue that have unanswered messages or wait for input.
///
/// A task's state is the durable one. A write of another state is noted until its report comes, so
/// that the next write goes on from there.
struct OpenTasks {
  struct Entry {
    fileprivate(set) var state: TaskState
    let caller: String
    /// Unanswered messages in order. Only the first can be with an agent.
    fileprivate(set) var messages: [Seq] = []
    /// When the task ends if nobody goes on with it.
    fileprivate(set) var expires: Instant?
    /// An end of the task alone, by a cancel or by its expiry, is being written.
    fileprivate(set) var isEnding = false
    /// States that are being written, each with the message that brought it (0: none).
    fileprivate(set) var unreported: [(by: Seq, state: TaskState)] = []
    /// Calls that want to cancel the task while its end is being written.
    fileprivate(set) var cancels: [CallID] = []

    /// The state in the file once every write has passed the barrier.
    var written: TaskState { unreported.last?.state ?? state }
  }

  /// The next step of a task that a message has left.
  enum Next: Equatable {
    /// Nothing: the task has ended and is forgotten.
    case over
    /// The task has ended without these messages, which end with it.
    case end([Seq])
    /// The next message of the task can be delivered.
    case deliver(Seq)
    /// The task waits for its caller until then; nil: that is to be decided.
    case wait(until: Instant?)
  }

  private var entries: [Seq: Entry] = [:]

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }
  var all: [Seq: Entry] { entries }
  /// Some task has not ended.
  var hasOpen: Bool { entries.values.contains { !$0.state.isTerminal } }
  /// Nothing is being written, and no call waits.
  var isSettled: Bool {
    entries.values.allSatisfy { !$0.isEnding && $0.unreported.isEmpty && $0.cancels.isEmpty }
  }

  subscript(_ task: Seq) -> Entry? { entries[task] }

  /// The state of a task of which nothing is being written.
  func settledState(_ task: Seq) -> TaskState? {
    guard let entry = entries[task], entry.unreported.isEmpty, !entry.isEnding else { return nil }
    return entry.state
  }

  /// Returns up to `most` tasks that no message and no write moves.
  func idle(most: Int) -> [Seq] {
    let idle = entries.lazy.filter { $0.value.messages.isEmpty && !$0.value.isEnding }
    return idle.prefix(most).map(\.key)
  }

  /// Whether a message can continue the task: it is known, has not ended, and no end of it alone is
  /// being written.
  func isOpen(_ task: Seq) -> Bool {
    guard let entry = entries[task] else { return false }
    return !entry.state.isTerminal && !entry.isEnding
  }

  /// Whether no unanswered message of the same task comes before this one.
  func isFirst(_ message: Message) -> Bool {
    entries[message.task]?.messages.first == message.seq
  }

  /// Knows the task from now on, unless it knows it already.
  mutating func open(
    _ task: Seq, _ state: TaskState, caller: String, _ occupancy: inout Occupancy
  ) {
    guard entries[task] == nil else { return }
    entries[task] = Entry(state: state, caller: caller)
    occupancy.countInterrupted(of: caller, nil, state)
  }

  mutating func append(_ seq: Seq, to task: Seq) { entries[task]?.messages.append(seq) }

  mutating func remove(_ task: Seq) { entries[task] = nil }

  /// Returns the state to write for the event; nil if the event changes nothing. `seq`: the message
  /// whose report decides, or 0.
  mutating func write(_ task: Seq, _ event: TaskEvent, by seq: Seq) -> TaskState? {
    guard let written = entries[task]?.written, let next = TaskTable.next(written, event)
    else { return nil }
    entries[task]?.unreported.append((seq, next))
    return next
  }

  /// The write of a message was rolled back, and with it the state that it brought.
  mutating func unwrite(_ message: Message) {
    entries[message.task]?.unreported.removeAll { $0.by == message.seq }
  }

  /// The task is in this state from now on.
  mutating func enter(_ state: TaskState, _ task: Seq, _ occupancy: inout Occupancy) {
    guard let entry = entries[task] else { return }
    occupancy.countInterrupted(of: entry.caller, entry.state, state)
    entries[task]?.state = state
  }

  /// A message that continues the task is stored: the task no longer expires.
  mutating func go(on task: Seq, _ occupancy: inout Occupancy) {
    entries[task]?.expires = nil
    guard let state = entries[task]?.state, let next = TaskTable.next(state, .continued)
    else { return }
    enter(next, task, &occupancy)
  }

  mutating func expire(_ task: Seq, at time: Instant) { entries[task]?.expires = time }

  /// Whether the task's time is over and nothing moves it.
  func hasExpired(_ task: Seq, at now: Instant) -> Bool {
    guard let entry = entries[task], entry.messages.isEmpty, !entry.isEnding else { return false }
    return entry.expires.map { $0 <= now } ?? false
  }

  /// The message has ended, and is no longer one that its task waits for.
  mutating func leave(_ message: Message, _ occupancy: inout Occupancy) -> Next {
    guard var entry = entries.removeValue(forKey: message.task) else { return .over }
    entry.messages.removeAll { $0 == message.seq }
    if let index = entry.unreported.firstIndex(where: { $0.by == message.seq }) {
      let state = entry.unreported.remove(at: index).state
      occupancy.countInterrupted(of: entry.caller, entry.state, state)
      entry.state = state
    }
    guard !entry.messages.isEmpty || !entry.state.isTerminal || entry.isEnding
    else { return .over }
    entries[message.task] = entry
    if entry.state.isTerminal { return .end(entry.messages) }
    return entry.messages.first.map { .deliver($0) } ?? .wait(until: nil)
  }

  /// The message was not stored: its task is as it was before.
  mutating func leaveUnstored(_ message: Message) -> Next {
    guard var entry = entries[message.task], message.task != message.seq else {
      entries[message.task] = nil
      return .over
    }
    entry.messages.removeAll { $0 == message.seq }
    let isOver = entry.messages.isEmpty && entry.state.isTerminal && !entry.isEnding
    entries[message.task] = isOver ? nil : entry
    if isOver { return .over }
    return entry.messages.first.map { .deliver($0) } ?? .wait(until: entry.expires)
  }

  /// The end of the task alone is being written.
  mutating func beginEnd(_ task: Seq) { entries[task]?.isEnding = true }

  mutating func addCancel(_ call: CallID, _ task: Seq) { entries[task]?.cancels.append(call) }

  /// The end of the task alone is durable. Returns the messages that end with it, and the calls
  /// that wanted to cancel it.
  mutating func end(_ task: Seq, _ state: TaskState, _ occupancy: inout Occupancy)
    -> (messages: [Seq], cancels: [CallID])
  {
    guard var entry = entries.removeValue(forKey: task) else { return ([], []) }
    let cancels = entry.stopEnding()
    occupancy.countInterrupted(of: entry.caller, entry.state, state)
    entry.state = state
    if !entry.messages.isEmpty { entries[task] = entry }
    return (entry.messages, cancels)
  }

  /// The end of the task alone was rolled back. Returns when the task expires, and the calls that
  /// wanted to cancel it.
  mutating func unend(_ task: Seq) -> (expires: Instant?, cancels: [CallID]) {
    guard let cancels = entries[task]?.stopEnding() else { return (nil, []) }
    return (entries[task]?.expires, cancels)
  }

  /// The redrive of a message was rolled back: its task has failed as before.
  mutating func unredrive(_ message: Message) {
    guard var entry = entries[message.task] else { return }
    entry.messages.removeAll { $0 == message.seq }
    entry.state = .failed
    entries[message.task] = entry.messages.isEmpty ? nil : entry
  }
}

extension OpenTasks.Entry {
  fileprivate mutating func stopEnding() -> [CallID] {
    defer { cancels = [] }
    isEnding = false
    unreported.removeAll { $0.by == 0 }
    return cancels
  }
}
