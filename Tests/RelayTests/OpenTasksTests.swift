import Testing

@testable import Relay

@Suite struct OpenTasksTests {
  /// Task 1 with these messages.
  static func tasks(_ messages: Seq..., state: TaskState = .working) -> (OpenTasks, Occupancy) {
    var (tasks, occupancy) = (OpenTasks(), Occupancy())
    tasks.open(1, state, caller: "ann", &occupancy)
    for seq in messages { tasks.append(seq, to: 1) }
    return (tasks, occupancy)
  }

  static func message(_ seq: Seq) -> Message { Part.message(seq, task: 1) }

  @Test func `only the first message of a task can be delivered, and the next one follows`() {
    var (tasks, occupancy) = Self.tasks(1, 2)
    #expect(tasks.isFirst(Self.message(1)) && !tasks.isFirst(Self.message(2)))
    #expect(tasks.leave(Self.message(1), &occupancy) == .deliver(2))
    #expect(tasks.isFirst(Self.message(2)))
  }

  @Test func `the state that a message brought is in force once the message leaves`() {
    var (tasks, occupancy) = Self.tasks(1)
    #expect(tasks.write(1, .needsInput, by: 1) == .inputRequired)
    #expect(tasks[1]?.state == .working && tasks[1]?.written == .inputRequired)
    #expect(!tasks.isSettled)
    #expect(tasks.leave(Self.message(1), &occupancy) == .wait(until: nil))
    #expect(tasks[1]?.state == .inputRequired && occupancy.counts.interrupted == 1)
  }

  @Test func `a state whose write was refused is not in force`() {
    var (tasks, _) = Self.tasks(1)
    _ = tasks.write(1, .completed, by: 1)
    #expect(tasks.write(1, .failed, by: 2) == nil, "a terminal state is never left")
    tasks.unwrite(Self.message(1))
    #expect(tasks[1]?.written == .working && tasks.isSettled)
  }

  @Test func `a task that has ended takes its other messages along, and is then forgotten`() {
    var (tasks, occupancy) = Self.tasks(1, 2)
    _ = tasks.write(1, .completed, by: 1)
    #expect(tasks.leave(Self.message(1), &occupancy) == .end([2]))
    #expect(!tasks.isOpen(1))
    #expect(tasks.leave(Self.message(2), &occupancy) == .over)
    #expect(tasks.isEmpty)
  }

  @Test func `a first message that was not stored leaves no task`() {
    var (tasks, _) = Self.tasks(1)
    #expect(tasks.leaveUnstored(Self.message(1)) == .over)
    #expect(tasks.isEmpty)
  }

  @Test func `a task waits on as before if its next message was not stored`() {
    var (tasks, _) = Self.tasks(state: .inputRequired)
    let end = Instant(nanoseconds: 9)
    tasks.expire(1, at: end)
    tasks.append(2, to: 1)
    #expect(!tasks.hasExpired(1, at: end), "a message is on its way")
    #expect(tasks.leaveUnstored(Self.message(2)) == .wait(until: end))
    #expect(tasks.hasExpired(1, at: end))
  }

  @Test func `a stored message sets an interrupted task to work, which no longer expires`() {
    var (tasks, occupancy) = Self.tasks(state: .inputRequired)
    tasks.expire(1, at: Instant(nanoseconds: 9))
    tasks.append(2, to: 1)
    tasks.go(on: 1, &occupancy)
    #expect(tasks[1]?.state == .working && tasks[1]?.expires == nil)
    #expect(occupancy.counts.interrupted == 0)
  }

  @Test func `while a task is being ended no message continues it and further cancels wait`() {
    var (tasks, occupancy) = Self.tasks(1)
    #expect(tasks.write(1, .cancelled, by: 0) == .canceled)
    tasks.beginEnd(1)
    tasks.addCancel(77, 1)
    #expect(!tasks.isOpen(1) && tasks.idle(most: 9).isEmpty)
    let refused = tasks.unend(1)
    #expect(refused.cancels == [77] && refused.expires == nil)
    #expect(tasks.isOpen(1) && tasks[1]?.written == .working && tasks.isSettled)
    tasks.beginEnd(1)
    tasks.addCancel(78, 1)
    let (messages, cancels) = tasks.end(1, .canceled, &occupancy)
    #expect(messages == [1] && cancels == [78])
    #expect(tasks[1]?.state == .canceled, "until its message has ended too")
  }

  @Test func `idle tasks have neither a message nor a write`() {
    var (tasks, occupancy) = Self.tasks(1)
    tasks.open(5, .inputRequired, caller: "ann", &occupancy)
    #expect(tasks.idle(most: 9) == [5] && tasks.idle(most: 0) == [])
    #expect(tasks.hasOpen && occupancy.counts.interrupted == 1)
  }

  @Test func `a redrive that is refused leaves the task failed, or forgotten`() {
    var (tasks, _) = Self.tasks(1, 2)
    tasks.unredrive(Self.message(1))
    #expect(tasks[1]?.state == .failed && tasks[1]?.messages == [2])
    tasks.unredrive(Self.message(2))
    #expect(tasks.isEmpty)
  }
}
