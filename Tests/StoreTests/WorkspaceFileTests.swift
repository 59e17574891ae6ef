import Relay
import Store
import Testing

@Suite struct WorkspaceFileTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Commits, closes, opens again in a new directory object and reads what is at work.
  private func recovered(
    _ rounds: [[Write]]
  ) throws -> (directory: DataDirectory, file: WorkspaceFile, found: Recovered) {
    do {
      let directory = try scratch.open()
      let file = try directory.createWorkspaceFile(workspace, now: start)
      _ = try file.recover(now: start)
      for writes in rounds { try file.commit(writes) }
      file.markSynced()
      try file.close()
      try directory.registry.close()
    }
    let directory = try scratch.open()
    let file = try directory.openWorkspaceFile(workspace)
    return (directory, file, try file.recover(now: start))
  }

  @Test func `a new file holds nothing`() throws {
    let found = try recovered([]).found
    #expect(found.messages.isEmpty)
    #expect(found.tasks.isEmpty)
    #expect(found.lastSeq == 0)
    #expect(found.lastPosition == 0)
    #expect(!found.isAfterPowerCut)
  }

  @Test func `a message comes back with every column, its request and its task`() throws {
    let new = newMessage(1)
    let (_, file, found) = try recovered([[.message(new)]])
    let message = try #require(found.messages.first)
    #expect(found.messages.count == 1)
    #expect(message.seq == 1)
    #expect(message.tag == new.tag)
    #expect(message.state == .queued)
    #expect(message.reason == nil)
    #expect(message.position == 1)
    #expect(message.at == new.at)
    #expect(message.expires == new.expires)
    #expect(message.notBefore.nanoseconds == 0)
    #expect(message.attempt == 0)
    #expect(message.caller == new.caller)
    #expect(message.method == new.method)
    #expect(message.dialect == new.dialect)
    #expect(message.task == 1)
    #expect(message.context == new.context)
    #expect(message.messageID == new.messageID)
    #expect(message.dedup == new.dedup)
    #expect(message.rpcID == new.rpcID)
    #expect(!message.isImmediate)
    #expect(!message.isReceived)
    #expect(message.bytes == new.head.count + new.body.count)
    #expect(message.endedAt == nil)
    #expect(found.lastSeq == 1)
    #expect(
      found.tasks == [StoredTask(seq: 1, state: .submitted, context: new.context, changed: start)])
    let request = try #require(try file.body(1))
    #expect(request.head == new.head)
    #expect(request.body == new.body)
    #expect(try file.answer(1) == nil)
    #expect(try file.body(2) == nil)
  }
}
