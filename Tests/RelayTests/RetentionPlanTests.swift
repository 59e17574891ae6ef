import Testing

@testable import Relay

/// What may go, decided without a file.
@Suite struct RetentionPlanTests {
  private let start = WallTime(nanoseconds: 1_000_000_000_000)

  private func message(
    _ seq: Seq, task: Seq? = nil, at: Int = 0, ended: Int? = 1, isRead: Bool = true,
    bytes: Int = 10, hasFirst: Bool = true
  ) -> KeptMessage {
    KeptMessage(
      seq: seq, task: task ?? seq, at: start + .seconds(at),
      endedAt: ended.map { start + .seconds($0) }, isEndReceived: isRead, bytes: bytes,
      hasFirst: hasFirst)
  }

  private func slice(_ messages: [KeptMessage]) -> KeptSlice {
    var slice = KeptSlice()
    slice.messages = messages
    for index in messages.indices where messages[index].task == messages[index].seq {
      slice.messages[index].taskState = .completed
    }
    slice.isLast = true
    return slice
  }

  private func plan(
    _ slice: KeptSlice, endedBy: Int? = 100, isOver: Bool = false, rowsMax: Int = 500,
    bytesMax: Int = 1000
  ) -> RetentionPlan {
    RetentionPlan(
      slice, after: 0,
      RetentionPlan.Rule(endedBy: endedBy.map { start + .seconds($0) }, isOver: isOver),
      rowsMax: rowsMax, bytesMax: bytesMax)
  }

  @Test func `neighbours go as one range, what stays parts them`() {
    let plan = plan(
      slice([
        message(2), message(3), message(5), message(6, ended: 101), message(7, ended: nil),
        message(9, isRead: false), message(10),
      ]))
    #expect(plan.ranges == [2...5, 9...10])
    #expect(plan.deleted == [2, 3, 5, 9, 10])
    #expect(plan.cursor == 10 && plan.isDone)
    #expect(plan.earliestEnd == start + .seconds(101))
  }

  @Test func `by age nothing behind the first message that is too young is looked at`() {
    let plan = plan(slice([message(1), message(2, at: 101, ended: 102), message(3)]))
    #expect(plan.deleted == [1])
    #expect(plan.isDone && plan.cursor == 1)
    #expect(plan.earliestEnd == start + .seconds(101), "it cannot have ended before it came")
  }

  @Test func `without a clock to trust nothing goes by age`() {
    let plan = plan(slice([message(1)]), endedBy: nil)
    #expect(plan.deleted.isEmpty && plan.isDone)
  }

  @Test func `by size only what was read to its end goes, however young`() {
    let kept = slice([
      message(1, ended: 200), message(2, ended: 200, isRead: false), message(3, ended: nil),
      message(4, at: 150, ended: 200),
    ])
    let plan = plan(kept, isOver: true)
    #expect(plan.deleted == [1, 4])
    #expect(self.plan(kept, endedBy: nil, isOver: true).deleted == [1, 4])
  }

  @Test func `an end that is not durable yet is none, but will be due`() {
    var kept = slice([message(1, ended: 5), message(2)])
    kept.mark { $0 == 1 }
    #expect(plan(kept, isOver: true).deleted == [2])
    #expect(plan(kept).earliestEnd == start + .seconds(5))
    kept.further = [2: [message(3, task: 2, ended: 7)]]
    kept.mark { $0 == 3 }
    #expect(plan(kept, isOver: true).deleted.isEmpty)
  }

  @Test(arguments: TaskState.allCases) func `a task that is open keeps its messages`(
    state: TaskState
  ) {
    var kept = slice([message(1), message(2, task: 1)])
    kept.further = [1: [message(2, task: 1)]]
    kept.messages[0].taskState = state
    #expect(plan(kept).deleted == (state.isTerminal ? [1, 2] : []))
    #expect(plan(kept, isOver: true).deleted == (state.isTerminal ? [1, 2] : []))
  }

  @Test func `a task without a row is open`() {
    var kept = slice([message(1)])
    kept.messages[0].taskState = nil
    #expect(plan(kept).deleted.isEmpty)
  }

  @Test func `a task goes as a whole, when its last message may`() {
    var kept = slice([message(1), message(2), message(3, task: 1, ended: 150, isRead: false)])
    kept.further = [1: [message(3, task: 1, ended: 150, isRead: false)]]
    #expect(plan(kept).deleted == [2])
    #expect(plan(kept).earliestEnd == start + .seconds(150))
    #expect(plan(kept, isOver: true).deleted == [2])
    #expect(plan(kept, endedBy: 150).deleted == [1, 2, 3])
    kept.further = [1: [message(3, task: 1, ended: nil)]]
    #expect(plan(kept, endedBy: 150).deleted == [2])
  }

  @Test func `of a task whose first message has gone the rest goes, too`() {
    let kept = slice([message(4, task: 1, hasFirst: false), message(5, task: 2)])
    #expect(plan(kept).deleted == [4])
    #expect(plan(kept, isOver: true).deleted == [4])
    let open = slice([message(4, task: 1, ended: nil, hasFirst: false)])
    #expect(plan(open).deleted.isEmpty)
  }

  @Test func `a task with too many messages to know them all goes by age only`() {
    var kept = slice([message(1)])
    kept.further = [1: [message(900, task: 1, ended: 90)]]
    kept.isHuge = true
    #expect(plan(kept, endedBy: 80, isOver: true).deleted.isEmpty)
    #expect(plan(kept, endedBy: 90, isOver: true).deleted == [1])
  }

  @Test func `a round ends at its rows, its bytes, or behind one that is larger`() {
    let kept = slice((1...9).map { message($0) })
    #expect(plan(kept, rowsMax: 3).deleted == [1, 2, 3])
    #expect(plan(kept, rowsMax: 3).cursor == 3)
    #expect(!plan(kept, rowsMax: 3).isDone)
    #expect(plan(kept, bytesMax: 45).deleted == [1, 2, 3, 4])
    #expect(plan(slice([message(1, bytes: 9999), message(2)])).deleted == [1])
    #expect(plan(slice([message(1), message(2, bytes: 9999)])).deleted == [1])
    var rows = slice([message(1), message(2), message(3)])
    rows.messages[0].sideRows = 4
    rows.messages[1].sideRows = 9
    #expect(plan(rows, rowsMax: 12).deleted == [1])
    #expect(plan(rows, rowsMax: 13).deleted == [1, 2, 3])
  }

  @Test func `a message with more rows than a round may delete is cut down first`() {
    var kept = slice([message(1), message(2)])
    kept.messages[1].sideRows = 501
    #expect(plan(kept).deleted == [1])
    #expect(plan(kept).trimmed == nil)
    kept.messages.removeFirst()
    let plan = plan(kept)
    #expect(plan.trimmed == 2 && plan.deleted.isEmpty)
    #expect(plan.cursor == 0 && !plan.isDone, "it is looked at again")
  }
}
