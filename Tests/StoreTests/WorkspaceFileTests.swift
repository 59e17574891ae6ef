import CSQLite
import Foundation
import Relay
import Store
import Testing

@Suite struct WorkspaceFileTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func `a new file holds nothing`() throws {
    let found = try Reopened(scratch, []).found
    #expect(found.messages.isEmpty)
    #expect(found.tasks.isEmpty)
    #expect(found.lastSeq == 0)
    #expect(found.lastPosition == 0)
    #expect(!found.isAfterPowerCut)
  }

  @Test func `a message comes back with every column, its request and its task`() throws {
    let new = newMessage(1)
    let store = try Reopened(scratch, [[.message(new)]])
    let message = try #require(store.found.messages.first)
    #expect(store.found.messages.count == 1)
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
    #expect(store.found.lastSeq == 1)
    let task = StoredTask(
      seq: 1, state: .submitted, context: new.context, caller: new.caller, changed: start)
    #expect(store.found.tasks == [task])
    let request = try #require(try store.file.body(1))
    #expect(request.head == new.head)
    #expect(request.body == new.body)
    #expect(try store.file.answer(1) == nil)
    #expect(try store.file.body(2) == nil)
  }

  @Test func `the file is made as it must be`() throws {
    let file = try Reopened(scratch, [[.message(newMessage(1))]]).file
    try file.close()
    let path = file.path
    #expect(try number("PRAGMA page_size", path) == 4096)
    #expect(try number("PRAGMA auto_vacuum", path) == 0)
    #expect(try number("PRAGMA user_version", path) == 1)
    #expect(try number("PRAGMA application_id", path) == 0x4132_4151)
    #expect(try number("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%STRICT%'", path) == 11)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func `what is unanswered or unreceived is found again, and nothing else`() throws {
    let store = try Reopened(
      scratch, [(1...4).map { .message(newMessage($0, dedup: UInt64($0))) }])
    try store.file.commit([
      .received(seq: 1, .task, at: start),
      .end(seq: 2, state: .expired, reason: .expired, at: start),
      .end(seq: 3, state: .expired, reason: .expired, at: start),
      .received(seq: 3, .end, at: start),
    ])
    let found = try store.file.recover(now: start).messages
    #expect(found.map(\.seq) == [1, 2, 4])
    #expect(found.map(\.dedup.low) == [1, 2, 4])
  }

  @Test func `a number is never given again after its row is gone`() throws {
    let store = try Reopened(
      scratch,
      [
        [.message(newMessage(1)), .message(newMessage(2))], [.delete(seq: 2, tombstone: nil)],
      ])
    let found = try store.file.recover(now: start)
    #expect(found.messages.map(\.seq) == [1])
    #expect(found.lastSeq == 2)
    #expect(found.lastPosition == 2)
  }

  @Test func `the WAL grows with commits and starts again after a checkpoint`() throws {
    let store = try Reopened(scratch, [])
    #expect(store.file.walPages == 0)
    try store.file.commit([.message(newMessage(1))])
    let afterOne = store.file.walPages
    #expect(afterOne > 0)
    try store.file.commit([.message(newMessage(2))])
    #expect(store.file.walPages > afterOne)
    try store.file.checkpoint(.passive)
    #expect(store.file.walPages == 0)
    try store.file.commit([.message(newMessage(3))])
    #expect(store.file.walPages < afterOne * 3)
    try store.file.checkpoint(.truncate)
    #expect(size(store.file.path + "-wal") == 0)
    #expect(try store.file.message(3) != nil)
  }

  @Test func `a short WAL stays at a close and a long one is copied`() throws {
    let store = try Reopened(scratch, [])
    try store.file.commit([.message(newMessage(1))])
    store.file.markSynced()
    try store.file.close()
    #expect(size(store.file.path + "-wal") > 0)
    let before = size(store.file.path)
    let again = try store.directory.openWorkspaceFile(workspace)
    #expect(try again.recover(now: start).messages.count == 1)
    let large = [UInt8](repeating: 1, count: 8192)
    for seq in 2...40 { try again.commit([.message(newMessage(Seq(seq), body: large))]) }
    again.markSynced()
    try again.close()
    #expect(size(again.path) > before)
  }

  @Test func `commits make a file dirty until the barrier has passed`() throws {
    let store = try Reopened(scratch, [])
    #expect(!store.file.isDirty)
    try store.file.commit([])
    #expect(!store.file.isDirty)
    try store.file.commit([.message(newMessage(1))])
    #expect(store.file.isDirty)
    store.file.markSynced()
    #expect(!store.file.isDirty)
  }

  @Test func `closing with a round outstanding is a bug`() async {
    await #expect(processExitsWith: .failure) {
      let scratch = try Scratch()
      let store = try Reopened(scratch, [])
      try store.file.commit([.message(newMessage(1))])
      try store.file.close()
    }
  }

  @Test func `the WAL's descriptor is the file that the path names`() throws {
    let store = try Reopened(scratch, [])
    var opened = stat()
    var named = stat()
    #expect(fstat(store.file.walDescriptor, &opened) == 0)
    #expect(stat(store.file.path + "-wal", &named) == 0)
    #expect(opened.st_ino == named.st_ino)
    #expect(opened.st_nlink == 1)
  }
}

/// Through a connection of its own, on a file that no relay has open.
func number(_ text: String, _ path: String) throws -> Int64 {
  var database: OpaquePointer?
  defer { sqlite3_close_v2(database) }
  try #require(sqlite3_open(path, &database) == SQLITE_OK)
  var statement: OpaquePointer?
  defer { sqlite3_finalize(statement) }
  try #require(sqlite3_prepare_v2(database, text, -1, &statement, nil) == SQLITE_OK)
  try #require(sqlite3_step(statement) == SQLITE_ROW)
  return sqlite3_column_int64(statement, 0)
}

/// On a file that no relay has open.
func execute(_ text: String, _ path: String) throws {
  var database: OpaquePointer?
  defer { sqlite3_close_v2(database) }
  try #require(sqlite3_open(path, &database) == SQLITE_OK)
  try #require(sqlite3_exec(database, text, nil, nil, nil) == SQLITE_OK)
}

func size(_ path: String) -> Int {
  var status = stat()
  return stat(path, &status) == 0 ? Int(status.st_size) : -1
}
