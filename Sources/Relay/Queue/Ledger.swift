/// The messages and tasks of one queue, with their counts and timers, and the actions that follow
/// from their changes.
///
/// `Queue` and `Deliveries` share the ledger: each changes the messages by its part of the table,
/// and leaves here what the driver has to do.
final class Ledger {
  let limits: Limits
  var actions: [Action] = []
  private(set) var messages = MessageIndex()
  var tasks = OpenTasks()
  var occupancy = Occupancy()
  private(set) var timers = Timers<Due>()
  /// No message or task expires before then: the wall clock is in doubt until then.
  var expiresFrom = Instant(nanoseconds: .min)
  #if PLANTS
    var plant: Plant?
  #endif

  init(limits: Limits) { self.limits = limits }

  // MARK: messages

  /// Takes over the messages and tasks that a file holds. `isAfterPowerCut`: an agent may have had
  /// any of the messages, whatever the file says.
  func recover(_ recovered: Recovered, isAfterPowerCut: Bool, now: Now) {
    precondition(messages.isEmpty, "recovery comes first")
    messages.startAfter(recovered.lastSeq, position: recovered.lastPosition)
    for task in recovered.tasks {
      tasks.open(task.seq, task.state, caller: task.caller, &occupancy)
    }
    let doubtful = isAfterPowerCut || recovered.isAfterPowerCut ? Seq.max : recovered.doubtfulUpTo
    for stored in recovered.messages.sorted(by: { $0.position < $1.position }) {
      // A withdrawn message is over: an equal call is a new one.
      if stored.state == .cancelled, stored.reason == .withdrawn { continue }
      let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
      message.expect(.recovered)
      message.wasHandedOut = stored.seq <= doubtful || stored.attempt > 0
      insert(message)
      guard !stored.state.isEnd else { continue }
      tasks.open(stored.task, .working, caller: stored.caller, &occupancy)
      tasks.append(stored.seq, to: stored.task)
    }
  }

  /// Gives a new message its number and its place in the order of delivery.
  func number(_ new: NewMessage, now: Now) -> Message {
    Message(
      new, position: messages.number(new.seq), bytes: new.body.count + new.head.count, now: now)
  }

  func insert(_ message: Message) {
    messages.insert(message)
    occupancy.add(message)
  }

  func remove(_ message: Message) {
    messages.remove(message)
    occupancy.remove(message)
    actions.append(.forget(message.seq))
  }

  /// Removes the message if it has ended and a caller has received a reply: nothing can happen to
  /// it that the file does not know.
  func forgetIfDone(_ message: Message) {
    let isDone = message.isReceived || message.state == .cancelled && message.reason == .withdrawn
    guard message.state.isEnd, isDone, message.waiting.isEmpty,
      messages[message.seq] === message
    else { return }
    if message.state == .dead { occupancy.deadInFile += 1 }
    remove(message)
  }

  /// A caller has received a reply, or nobody waits for one: equal calls are new calls from now on.
  func receive(_ message: Message, _ reply: ReplyTaken, now: Now) {
    guard reply == .end ? !message.isEndReceived : !message.isReceived else { return }
    message.isReceived = true
    message.isEndReceived = reply == .end
    actions.append(.lazy(.received(seq: message.seq, reply, at: now.wall)))
    messages.noteReceived(message)
    forgetIfDone(message)
  }

  /// Nobody waits for the end of a replay, so it takes no place in the queue. The file keeps it
  /// like any end that nobody has read.
  func receiveReplay(_ message: Message, now: Now) {
    if message.replayOf != nil { receive(message, .unawaited, now: now) }
  }

  /// The end of the message is durable.
  func end(_ message: Message, _ state: MessageState, now: Now) {
    occupancy.move(message, from: message.state, to: state)
    messages.noteEnd(message, at: now.wall)
  }

  /// A place in the order of delivery, behind all messages.
  func nextPosition() -> Int64 { messages.nextPosition() }

  /// The redrive of a dead message is being written: the message counts as unanswered.
  func revive(_ message: Message) {
    occupancy.move(message, from: message.before, to: message.state)
    messages.noteUnanswered(message)
  }

  /// A caller is about to be told that the message is dead. `true`: it is, and the reply leaves
  /// when this turn's transaction is durable.
  func tell(_ seq: Seq, now: Now) -> Bool {
    guard let message = messages[seq], message.isDead else { return false }
    if !message.isTold { noteTold(message, now: now) }
    return true
  }

  private func noteTold(_ message: Message, now: Now) {
    message.isTold = true
    write(.told(seq: message.seq, at: now.wall))
  }

  /// Keeps a message that died in a task which something else has ended from being redriven: a
  /// caller may have heard of that end.
  func keepDead(_ message: Message, now: Now) {
    let unreported = tasks[message.task]?.unreported ?? []
    if unreported.contains(where: { $0.by == message.seq && $0.state == .failed }) { return }
    noteTold(message, now: now)
  }

  /// Takes a dead message into memory to redrive it. Only the file holds a dead message whose
  /// caller has some reply, even if that reply did not tell its end.
  func takeUp(dead stored: StoredMessage, now: Now) {
    guard messages[stored.seq] == nil else { return }
    precondition(stored.state == .dead, "only a dead message comes back")
    let message = Message(stored, delayMax: limits.releaseDelayMax, now: now)
    // The receipt may still be on its way to the file.
    message.isReceived = true
    message.wasHandedOut = true
    occupancy.deadInFile -= 1
    insert(message)
  }

  /// When the oldest unanswered message was accepted, and the oldest end came to be that nobody has
  /// received.
  func oldest() -> (unanswered: WallTime?, unreceived: WallTime?) {
    (messages.oldestUnanswered(), messages.oldestUnreceived())
  }

  // MARK: tasks

  /// Writes the task's next state, unless a terminal state is written already.
  func writeTask(_ task: Seq, _ event: TaskEvent, by seq: Seq, now: Now) {
    guard let next = tasks.write(task, event, by: seq) else { return }
    write(.task(seq: task, state: next, at: now.wall))
  }

  /// A delivery moves the task to `working`. For the message that opened the task, the delivery's
  /// own row says so; otherwise the task's row follows with the next transaction.
  func startTask(of message: Message, now: Now) {
    guard let state = tasks[message.task]?.written, let next = TaskTable.next(state, .handedOut)
    else { return }
    tasks.enter(next, message.task, &occupancy)
    if state == .submitted, message.task == message.seq { return }
    actions.append(.lazy(.task(seq: message.task, state: next, at: now.wall)))
  }

  /// An open task without messages ends when nobody has gone on with it for as long as a message
  /// lives.
  func watchInput(_ task: Seq, changed: WallTime, now: Now) {
    guard let entry = tasks[task], !entry.state.isTerminal, entry.messages.isEmpty else { return }
    expire(task, at: now.instant(at: changed) + limits.timeToLive)
  }

  func expire(_ task: Seq, at time: Instant) {
    tasks.expire(task, at: time)
    setTimer(.task(task), at: time)
  }

  // MARK: timers

  /// The owner of a timer.
  enum Due: Comparable {
    case message(Seq)
    case task(Seq)
  }

  /// The earliest time at which something may have to happen to a message or a task.
  var nextDeadline: Instant? { timers.next }

  /// Returns a message or a task whose time has come, or seems to have.
  func popDue(at now: Instant) -> Due? {
    while let timer = timers.popDue(at: now) {
      guard case .message(let seq) = timer.key else { return timer.key }
      guard let message = messages[seq], message.timerAt == timer.at else { continue }
      message.timerAt = nil
      return timer.key
    }
    return nil
  }

  /// Sets the message's timer for the next thing that can happen to it by itself. A timer that is
  /// set for an earlier time stays: it finds nothing to do and sets the next one.
  func schedule(_ message: Message, now: Now) {
    guard let next = message.nextDue(now: now, expiresFrom: expiresFrom) else { return }
    message.timerAt = next
    setTimer(.message(message.seq), at: next)
  }

  private func setTimer(_ due: Due, at time: Instant) {
    timers.set(due, at: time, liveMax: messages.count + tasks.count) { timer in
      switch timer.key {
      case .message(let seq): messages[seq]?.timerAt == timer.at
      case .task(let task): tasks[task]?.expires == timer.at
      }
    }
  }

  // MARK: actions

  func write(_ write: Write) { actions.append(.write(write)) }

  func report(_ message: Message) { actions.append(.report(.message(message.seq))) }

  func reply(_ call: CallID, _ reply: AgentReply) {
    actions.append(.reply(call, reply, afterBarrier: false))
  }

  func answerCancel(_ call: CallID?, _ reply: CancelReply) {
    if let call { actions.append(.cancelReply(call, reply)) }
  }

  func answerRedrive(_ call: CallID?, _ reply: RedriveReply) {
    if let call { actions.append(.redriveReply(call, reply)) }
  }
}
