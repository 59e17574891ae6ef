import Relay
import Store
import Testing

/// Every `Write`, committed, closed, opened by another directory object and read back.
@Suite struct WriteTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func reopened(_ rounds: [Write]...) throws -> Reopened {
    try Reopened(scratch, rounds)
  }

  @Test func `a hand-out comes back as it was given`() throws {
    let row = handOut(1, fence: 10)
    let store = try reopened([.message(newMessage(1)), .handOut(row)])
    #expect(store.found.handOuts == [row])
    #expect(store.found.handOutChanges.isEmpty)
    #expect(store.found.messages.first?.state == .queued)
    let timeline = try store.file.timeline(1)
    #expect(timeline.handOuts == [StoredHandOut(row: row, last: nil)])
    #expect(timeline.notes.isEmpty)
  }

  @Test func `only the last lease of a message is at work`() throws {
    let store = try reopened(
      [.message(newMessage(1)), .handOut(handOut(1, fence: 10))],
      [.handOut(handOut(1, fence: 11, attempt: 2)), .handOut(handOut(1, fence: 12, kind: .shown))])
    #expect(store.found.handOuts.map(\.fence.number) == [11])
    #expect(try store.file.timeline(1).handOuts.map(\.row.fence.number) == [10, 11, 12])
  }

  @Test(arguments: [
    HandOutChange.Kind.claimed, .extended, .released, .lost, .unburnt, .ended, .revoked,
  ])
  func `a change of a hand-out moves its lease`(kind: HandOutChange.Kind) throws {
    let change = HandOutChange(
      seq: 1, fence: Fence(number: 10), kind: kind, at: start + .seconds(1),
      leaseEnd: start + .seconds(900),
      reason: "why")
    let store = try reopened(
      [.message(newMessage(1)), .handOut(handOut(1, fence: 10))], [.handOutChange(change)])
    #expect(store.found.handOutChanges == [change])
    #expect(store.found.handOuts.first?.leaseEnd == change.leaseEnd)
    #expect(try store.file.timeline(1).handOuts.first?.last == change)
  }

  @Test func `a requeued message keeps its position, burns attempts and waits`() throws {
    let store = try reopened(
      [.message(newMessage(1)), .message(newMessage(2))],
      [.requeue(seq: 1, attempt: 3, notBefore: start + .seconds(8))])
    let message = try #require(store.found.messages.first)
    #expect(message.state == .queued)
    #expect(message.position == 1)
    #expect(message.attempt == 3)
    #expect(message.notBefore == start + .seconds(8))
  }

  @Test func `an answer that nobody has received is still at work`() throws {
    let store = try reopened([.message(newMessage(1))], [.answer(answer(1, fence: 77))])
    let message = try #require(store.found.messages.first)
    #expect(message.state == .answered)
    #expect(message.answerFence == Fence(number: 77))
    #expect(message.answerHash == UUIDBytes(high: 1, low: 1))
    #expect(message.endedAt == start + .seconds(5))
    #expect(!message.isReceived)
    #expect(try store.file.answer(1) == bytes("answer 1"))
  }

  @Test func `an answer that somebody has received is not at work`() throws {
    let store = try reopened(
      [.message(newMessage(1))], [.answer(answer(1))], [.received(seq: 1, .end, at: start)])
    #expect(store.found.messages.isEmpty)
    #expect(store.found.lastSeq == 1)
    #expect(try store.file.message(1)?.isReceived == true)
    #expect(try store.file.answer(1) == bytes("answer 1"))
  }

  @Test func `an unanswered message is at work although its caller took the Task`() throws {
    let store = try reopened([.message(newMessage(1)), .received(seq: 1, .task, at: start)])
    #expect(store.found.messages.map(\.seq) == [1])
    #expect(store.found.messages.first?.isReceived == true)
  }

  @Test func `a second answer breaks its round and changes nothing`() throws {
    let store = try reopened([.message(newMessage(1))], [.answer(answer(1, fence: 5))])
    #expect(throws: StoreError.self) {
      try store.file.commit([.message(newMessage(2)), .answer(answer(1, fence: 6))])
    }
    #expect(try store.file.message(1)?.answerFence == Fence(number: 5))
    #expect(try store.file.message(2) == nil)
    try store.file.commit([.message(newMessage(2))])
    #expect(try store.file.message(2) != nil)
  }

  @Test(arguments: [MessageState.dead, .expired, .cancelled], EndReason.allCases)
  func `an end keeps its reason`(state: MessageState, reason: EndReason) throws {
    let store = try reopened(
      [.message(newMessage(1))],
      [.end(seq: 1, state: state, reason: reason, at: start + .seconds(9))])
    let message = try #require(store.found.messages.first)
    #expect(message.state == state)
    #expect(message.reason == reason)
    #expect(message.endedAt == start + .seconds(9))
    #expect(try store.file.page(.failed(state), after: 0, limit: 10).map(\.seq) == [1])
  }

  @Test(arguments: TaskState.allCases) func `a task keeps its state`(state: TaskState) throws {
    let store = try reopened(
      [.message(newMessage(1))], [.task(seq: 1, state: state, at: start + .seconds(2))],
      [.answer(answer(1)), .received(seq: 1, .end, at: start)])
    let task = StoredTask(
      seq: 1, state: state, context: "context 1", caller: newMessage(1).caller,
      changed: start + .seconds(2))
    #expect(try store.file.task(1) == task)
    // Nothing of it is at work but a task that waits for input.
    #expect(store.found.tasks == (state.isInterrupted ? [task] : []))
  }

  @Test func `the first hand-out sets the task of its message to work`() throws {
    let store = try reopened(
      [.message(newMessage(1)), .message(newMessage(2)), .message(newMessage(3, task: 2))],
      [.handOut(handOut(1, fence: 10)), .handOut(handOut(3, fence: 11))],
      [.handOut(handOut(1, fence: 12, attempt: 2))])
    let working = StoredTask(
      seq: 1, state: .working, context: "context 1", caller: newMessage(1).caller, changed: start)
    #expect(try store.file.task(1) == working)
    #expect(try store.file.task(2)?.state == .submitted)
    try store.file.commit([.task(seq: 1, state: .failed, at: start + .seconds(5))])
    #expect(try store.file.task(1)?.state == .failed)
    #expect(try store.file.task(1)?.changed == start + .seconds(5))
  }

  @Test(arguments: TaskState.allCases)
  func `a further message sets a task to work that was interrupted, in its own write`(
    _ state: TaskState
  ) throws {
    let store = try reopened(
      [.message(newMessage(1))], [.task(seq: 1, state: state, at: start)],
      [.message(newMessage(2, task: 1))])
    #expect(try store.file.task(1)?.state == (state.isInterrupted ? .working : state))
  }

  @Test func `a message that only continues a task has none of its own`() throws {
    let store = try reopened([.message(newMessage(1)), .message(newMessage(2, task: 1))])
    let error = #expect(throws: StoreError.self) {
      try store.file.commit([.task(seq: 2, state: .failed, at: start)])
    }
    #expect(error?.isFinalForWorkspace == true)
    #expect(try store.file.task(2) == nil)
  }

  @Test(arguments: NoteKind.allCases) func `a note is in the timeline`(kind: NoteKind) throws {
    let store = try reopened(
      [
        .message(newMessage(1)), .note(seq: 1, kind: kind, at: start, detail: bytes("first")),
        .note(seq: 1, kind: kind, at: start, detail: []),
      ])
    #expect(
      try store.file.timeline(1).notes == [
        StoredNote(kind: kind, at: start, detail: bytes("first")),
        StoredNote(kind: kind, at: start, detail: []),
      ])
  }

  @Test func `messages that continue a task come with it, in order`() throws {
    let store = try reopened(
      [.message(newMessage(1)), .message(newMessage(2))],
      [.message(newMessage(3, task: 1)), .message(newMessage(4, task: 2))],
      [.message(newMessage(5, task: 1))])
    #expect(try store.file.messages(ofTask: 1).map(\.seq) == [1, 3, 5])
    #expect(store.found.tasks.map(\.seq) == [1, 2])
    #expect(try store.file.task(3) == nil)
  }

  @Test func `a list goes on after a number and stops at its limit`() throws {
    let store = try reopened((1...9).map { .message(newMessage($0)) }, [.answer(answer(4))])
    #expect(try store.file.page(.all, after: 2, limit: 3).map(\.seq) == [3, 4, 5])
    try store.file.commit([.received(seq: 4, .end, at: start)])
    #expect(try store.file.page(.open, after: 2, limit: 3).map(\.seq) == [3, 5, 6])
    #expect(try store.file.page(.failed(.dead), after: 0, limit: 3).isEmpty)
  }

  @Test func `bodies of every size come back byte for byte`() throws {
    let sizes = [0, 1, 1024, 4096, 100_000, 3_000_000]
    let writes = sizes.enumerated().map { index, size in
      Write.message(
        newMessage(Seq(index + 1), body: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
    }
    let store = try reopened(writes)
    for (index, size) in sizes.enumerated() {
      let body = try #require(try store.file.body(Seq(index + 1))).body
      #expect(body == (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    }
  }

  @Test func `text that is not ASCII, long or holds a zero comes back`() throws {
    var message = newMessage(1)
    message.caller = "Zoë \u{0} 漢字"
    message.context = String(repeating: "ü", count: 5000)
    message.messageID = ""
    message.rpcID = []
    let store = try reopened([.message(message)])
    let found = try #require(store.found.messages.first)
    #expect(found.caller == message.caller)
    #expect(found.context == message.context)
    #expect(found.messageID.isEmpty)
    #expect(found.rpcID.isEmpty)
  }

  @Test func `a change of a row that is not there is final for the workspace`() throws {
    let store = try reopened([.message(newMessage(1))])
    for write in [
      Write.requeue(seq: 9, attempt: 1, notBefore: start), .received(seq: 9, .task, at: start),
      .answer(answer(9)), .task(seq: 9, state: .working, at: start),
      .end(seq: 9, state: .dead, reason: .purged, at: start),
      .handOutChange(
        HandOutChange(seq: 1, fence: Fence(number: 9), kind: .lost, at: start, leaseEnd: start)),
    ] {
      let error = #expect(throws: StoreError.self) { try store.file.commit([write]) }
      #expect(error?.isFinalForWorkspace == true)
    }
  }
}

/// A file after its rounds, closed and opened again.
struct Reopened {
  let directory: DataDirectory
  let file: WorkspaceFile
  let found: Recovered

  init(_ scratch: Scratch, _ rounds: [[Write]]) throws {
    do {
      let directory = try scratch.open()
      let file = try directory.createWorkspaceFile(workspace, now: start)
      _ = try file.recover(now: start)
      for writes in rounds { try file.commit(writes) }
      file.markSynced()
      try file.close()
      try directory.registry.close()
    }
    directory = try scratch.open()
    file = try directory.openWorkspaceFile(workspace)
    found = try file.recover(now: start)
  }
}
