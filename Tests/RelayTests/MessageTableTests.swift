import Testing

@testable import Relay

/// The queue does what the table says, cell by cell.
@Suite struct MessageTableTests {
  @Test(arguments: MessageState.allCases, MessageEvent.allCases)
  func `the queue does what the cell says`(state: MessageState, event: MessageEvent) {
    let cell = MessageTable.cell(state, event)
    if cell == .impossible { return expectNothing(state, event) }
    let stage = Stage.set(state, for: event)
    if event != .recovered, !(state == .queued && event == .lastAttemptEnd) {
      #expect(stage.message?.state == state, "the stage is not set")
    }
    stage.apply(event, in: state)
    switch cell {
    case .move(let next, let write, let tell):
      #expect(stage.message?.state == next)
      #expect(stage.hasWritten(write), "\(write) is not written")
      stage.expectTold(tell, event)
    case .stay(let tell):
      #expect(stage.message?.state == state)
      for write in [TableWrite.handOut, .requeue, .answer, .end, .redrive] {
        #expect(!stage.hasWritten(write), "\(write) is written")
      }
      stage.expectTold(tell, event)
    case .wait:
      #expect(stage.message?.state == state)
      #expect(stage.replies.isEmpty && stage.cancelReplies.isEmpty)
      // What is kept happens after the report.
      if state == .storing { stage.turnStored() }
      let isKept =
        stage.isDueNow || stage.message?.waiting.count == 1 || stage.message?.isDue == true
        || stage.hold == .wait || stage.redriveReplies == [.notDead]
      #expect(isKept, "the event is lost")
    case .settle(let tell):
      #expect(stage.message == nil || stage.message?.state.isEnd == true)
      stage.expectTold(tell, event)
    case .back(let tell):
      let before: MessageState =
        switch state {
        case .withdrawing: .queued
        case .redriving: .dead
        default: .leased
        }
      #expect(stage.message?.state == before)
      stage.expectTold(tell, event)
    case .vanish:
      #expect(stage.message == nil)
      #expect(stage.actions.contains { if case .refused(1) = $0 { true } else { false } })
    case .impossible: break
    }
  }

  /// No verb brings such an event about: whoever tries changes nothing.
  private func expectNothing(_ state: MessageState, _ event: MessageEvent) {
    switch event {
    // A report for what is not on its way: see the exit tests. The file holds no such state.
    case .durable, .refused, .recovered: return
    // A result's event follows from the answer that the message has.
    case .result, .lateResult, .repeatedResult, .otherResult: return
    default: break
    }
    // These are brought about by time, which also brings what may happen.
    if event == .offerEnd || event == .leaseEnd || event == .lastAttemptEnd { return }
    let stage = Stage.set(state, for: event)
    stage.apply(event, in: state)
    #expect(stage.message?.state == state)
  }

  @Test func `a report without a write under way is a bug of the driver`() async {
    await #expect(processExitsWith: .failure) {
      let stage = Stage.set(.queued, for: .durable)
      stage.queue.durable([.message(1)], now: stage.now)
    }
    await #expect(processExitsWith: .failure) {
      let stage = Stage.set(.answered, for: .refused)
      stage.queue.refused([.message(1)], now: stage.now)
    }
  }

  @Test(arguments: TaskState.allCases, TaskEvent.allCases)
  func `a terminal task is never left`(state: TaskState, event: TaskEvent) {
    let next = TaskTable.next(state, event)
    if state.isTerminal { #expect(next == nil) }
    if event == .lost, !state.isTerminal { #expect(next == .failed) }
    if event == .cancelled, !state.isTerminal { #expect(next == .canceled) }
    #expect(next != state, "a move to where it stands is none")
  }
}

extension Stage {
  /// Reports the message of the first turn as durable, after other verbs have been called.
  func turnStored() {
    queue.turnEnded()
    queue.durable([.message(1)], now: now)
    take()
  }

  /// What was kept has happened, or is the next thing that will.
  var isDueNow: Bool {
    message?.state == .closing || queue.nextDeadline.map { $0 <= now.instant } == true
      || isWithdrawn == true && message?.state == .withdrawing
  }

  func hasWritten(_ kind: TableWrite) -> Bool {
    kind == .none
      || writes.contains { write in
        switch (write, kind) {
        case (.handOut, .handOut), (.requeue, .requeue), (.answer, .answer), (.end, .end),
          (.redrive, .redrive):
          true
        case (.handOutChange(let change), .claim): change.kind == .claimed
        case (.handOutChange(let change), .extend): change.kind == .extended
        default: false
        }
      }
  }

  func expectTold(_ tell: Tell, _ event: MessageEvent) {
    switch tell {
    case .nothing: #expect(replies.isEmpty || event == .release)
    case .ok:
      let isOK = replies.contains { if case .ok = $0 { true } else { $0 == .released } }
      #expect(isOK)
    case .entry: #expect(entries.map(\.seq) == [1])
    case .stored: expect { if case .stored(1) = $0 { true } else { false } }
    // Who attaches to what has ended is answered by the driver.
    case .answer:
      if event == .durable { expect { if case .answered(1) = $0 { true } else { false } } }
    case .ended:
      if event == .durable { expect { if case .ended(1, _) = $0 { true } else { false } } }
    case .task:
      let isNotWithdrawn = actions.contains {
        if case .notWithdrawn(1) = $0 { true } else { false }
      }
      #expect(hold == .task || isWithdrawn == false || isNotWithdrawn)
    case .duplicate: #expect(replies == [.duplicate])
    case .alreadyAnswered: #expect(replies == [.alreadyAnswered])
    case .closed: #expect(replies.count == 1 && replies.first.map(Self.isClosed) == true)
    case .leaseLost: #expect(replies == [.leaseLost])
    case .unavailable:
      let isHandOut = message?.state == .queued
      let isTold =
        replies == [.unavailable] || cancelReplies == [.unavailable]
        || redriveReplies == [.unavailable]
      #expect(isHandOut || isTold)
    case .tooLate: #expect(cancelReplies == [.notCancelable])
    case .redriven: #expect(redriveReplies == [.redriven])
    case .notDead: #expect(redriveReplies == [.notDead])
    }
  }

  private static func isClosed(_ reply: AgentReply) -> Bool {
    if case .closed = reply { true } else { false }
  }

  private func expect(_ isWanted: (Action) -> Bool) {
    let isThere = actions.contains(where: isWanted)
    #expect(isThere)
  }
}
