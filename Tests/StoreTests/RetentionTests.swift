import CSQLite
import Relay
import Testing

@testable import Store

/// What goes when a message is deleted, and what stays.
@Suite struct RetentionTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func file(_ rounds: [Write]...) throws -> WorkspaceFile {
    let file = try scratch.open().createWorkspaceFile(workspace, now: start)
    _ = try file.recover(now: start)
    for writes in rounds { try file.commit(writes) }
    return file
  }

  private func rows(_ file: WorkspaceFile, _ table: String) throws -> Int64 {
    try file.database.number("SELECT count(*) FROM \(table)")
  }

  /// A message that has been through everything.
  private func whole(_ seq: Seq, key: StoredKey? = nil) -> [Write] {
    var new = newMessage(seq)
    new.key = key
    return [
      .message(new), .handOut(handOut(seq, fence: seq)),
      .note(seq: seq, kind: .callerAttached, at: start, detail: []),
      .answer(answer(seq, fence: seq)),
      .task(seq: seq, state: .completed, at: start),
      .received(seq: seq, .end, at: start + .seconds(6)),
    ]
  }

  private func key(_ number: UInt64, until: Duration = .seconds(60)) -> StoredKey {
    StoredKey(
      key: UUIDBytes(high: 5, low: number), call: UUIDBytes(high: 6, low: number),
      until: start + until)
  }

  private static let tables = ["message", "request", "answer", "handout", "log", "task", "event"]

  @Test func `a range goes with all of its rows, and nothing else does`() throws {
    let file = try file((1...9).flatMap { whole($0) })
    try file.database.execute("INSERT INTO event SELECT seq, 1, 0, x'00' FROM message")
    try file.commit([.retire(first: 3, last: 5, cause: .age, at: start)])
    for table in Self.tables { #expect(try rows(file, table) == 6, "\(table)") }
    #expect(try rows(file, "tombstone") == 0)
    #expect(try file.deletedCount() == 3)
    #expect(try file.database.number("SELECT count(*) FROM message WHERE seq BETWEEN 3 AND 5") == 0)
    #expect(
      try file.database.number(
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
    #expect(try file.message(6) != nil)
  }

  @Test(arguments: [[9], [3, 9], [9, 8, 7], [1, 2, 3, 4, 5, 6, 7, 8, 9]] as [[Seq]])
  func `a number is never given again, in whatever order messages go`(order: [Seq]) throws {
    let file = try file((1...9).flatMap { whole($0) })
    for seq in order { try file.commit([.delete(seq: seq, tombstone: nil)]) }
    try file.commit([.retire(first: 1, last: 9, cause: .age, at: start)])
    file.abandon()
    let again = try scratch.open().openWorkspaceFile(workspace)
    #expect(try again.recover(now: start).lastSeq == 9)
    #expect(try again.deletedCount() == 9)
  }

  @Test func `messages with a key leave a tombstone, the others none`() throws {
    let file = try file(
      whole(1) + whole(2, key: key(2, until: .seconds(1))) + whole(3, key: key(3)))
    let now = start + .seconds(30)
    try file.commit([.retire(first: 1, last: 3, cause: .size, at: now)])
    #expect(
      try file.tombstone(3)
        == Tombstone(
          tag: newMessage(3).tag, caller: "caller 3", at: now, cause: .size,
          until: start + .seconds(60)))
    #expect(try file.tombstone(1) == nil)
    #expect(try file.tombstone(2)?.until == start + .seconds(1), "the clock may be ahead")
    // The key still says which message it meant.
    #expect(try file.key(key(3).key)?.seq == 3)
    #expect(try file.nextExpiry() == start + .seconds(1))
    try file.commit([.expire(at: start + .seconds(30), rows: 500)])
    #expect(try file.key(key(2).key) == nil)
    #expect(try file.nextExpiry() == start + .seconds(60))
    try file.commit([.expire(at: start + .seconds(60), rows: 500)])
    #expect(try rows(file, "tombstone") == 0)
    #expect(try rows(file, "idempotency") == 0)
    #expect(try file.nextExpiry() == nil)
  }

  @Test func `a purged message says who, when and why, at least as long as its key`() throws {
    let file = try file(whole(1, key: key(1)) + whole(2))
    var tombstone = Tombstone(
      tag: 7, caller: "caller 1", at: start, cause: .purge, actor: "admin", reason: "a mistake",
      until: start + .seconds(10))
    try file.commit([
      .delete(seq: 1, tombstone: tombstone), .delete(seq: 2, tombstone: tombstone),
    ])
    #expect(try file.tombstone(2) == tombstone)
    tombstone.until = start + .seconds(60)
    #expect(try file.tombstone(1) == tombstone)
    #expect(try file.message(1) == nil)
    for table in Self.tables { #expect(try rows(file, table) == 0, "\(table)") }
  }

  @Test func `the newest message of a key counts`() throws {
    var second = newMessage(2)
    second.key = StoredKey(
      key: key(1).key, call: UUIDBytes(high: 8, low: 8), until: start + .seconds(99))
    let file = try file(whole(1, key: key(1)) + [.message(second)])
    let found = try #require(try file.key(key(1).key))
    #expect(found.seq == 2)
    #expect(found.stored == second.key)
    #expect(try file.key(UUIDBytes(high: 5, low: 9)) == nil)
  }

  @Test func `a message that comes with its key is refused with it`() throws {
    let file = try file(whole(1, key: key(1)))
    var new = newMessage(1)
    new.key = key(2)
    #expect(throws: StoreError.self) { try file.commit([.message(new)]) }
    #expect(try file.key(key(2).key) == nil)
  }

  private func isEndRead(_ file: WorkspaceFile) throws -> Bool? {
    let isRead = try file.message(1)?.isEndReceived
    #expect(try file.retention.slice(after: 0, limit: 1).messages.map(\.isEndReceived) == [isRead])
    return isRead
  }

  /// Before the end, with it, and after it: the clock may have been set back in between.
  @Test(arguments: [4, 5, 6])
  func `what was sent says what was read, not when`(seconds: Int) throws {
    let at = start + .seconds(seconds)
    let file = try file([.message(newMessage(1)), .answer(answer(1))])
    #expect(try file.message(1)?.isReceived == false && isEndRead(file) == false)
    try file.commit([.received(seq: 1, .task, at: at)])
    #expect(try file.message(1)?.isReceived == true && isEndRead(file) == false)
    #expect(try file.message(1)?.taskReceivedAt == at)
    try file.commit([.received(seq: 1, .end, at: at), .received(seq: 77, .end, at: at)])
    #expect(try isEndRead(file) == true)
    let read = try file.message(1)?.receivedAt
    try file.commit([
      .received(seq: 1, .end, at: at + .seconds(9)), .received(seq: 1, .task, at: at + .seconds(9)),
    ])
    #expect(try isEndRead(file) == true)
    #expect(try file.message(1)?.receivedAt == read && file.message(1)?.taskReceivedAt == at)
  }

  @Test func `no end is read before there is one`() throws {
    let file = try file([.message(newMessage(1)), .received(seq: 1, .end, at: start)])
    try file.commit([.answer(answer(1))])
    #expect(try isEndRead(file) == false)
  }

  @Test func `the end of a replay is kept like one that nobody has read`() throws {
    var new = newMessage(1)
    new.replay = NewMessage.Replay(of: 9, id: UUIDBytes(high: 1, low: 9), notes: ([], []))
    let file = try file([.message(new), .answer(answer(1))])
    try file.commit([.received(seq: 1, .unawaited, at: start + .seconds(9))])
    #expect(try file.message(1)?.isReceived == true && isEndRead(file) == false)
    try file.commit([.received(seq: 1, .end, at: start + .seconds(9))])
    #expect(try isEndRead(file) == true)
  }

  /// Earlier versions wrote the time of any reply, of a replay the time of its end.
  @Test func `a file of before that leaves it open counts as not read`() throws {
    let file = try file([.message(newMessage(1)), .answer(answer(1))])
    let end = (start + .seconds(5)).nanoseconds
    for (at, replayOf, isRead) in [
      (end - 1, "NULL", false), (end, "NULL", false), (end + 1, "NULL", true),
      (end + 1, "x'00112233445566778899aabbccddeeff'", false),
    ] {
      try file.database.execute(
        "UPDATE message SET received_at = \(at), task_received_at = NULL, replay_of = \(replayOf)")
      #expect(try isEndRead(file) == isRead)
      try file.commit([.received(seq: 1, .end, at: start + .seconds(8))])
      #expect(try isEndRead(file) == true)
    }
  }

  // MARK: slices

  @Test func `a slice tells what decides over its messages`() throws {
    let file = try file(
      whole(1) + [.message(newMessage(2)), .message(newMessage(3, task: 1))]
        + [.message(newMessage(4)), .end(seq: 4, state: .cancelled, reason: .withdrawn, at: start)])
    let slice = try file.retention.slice(after: 0, limit: 100)
    #expect(slice.messages.map(\.seq) == [1, 2, 3, 4])
    #expect(slice.messages.map(\.endedAt) == [start + .seconds(5), nil, nil, start])
    #expect(slice.messages.map(\.isEndReceived) == [true, false, false, true])
    #expect(slice.messages[0].bytes == 15 + 6 + 8)
    #expect(slice.messages.map(\.taskState) == [.completed, nil, nil, nil])
    #expect(slice.further.mapValues { $0.map(\.seq) } == [1: [3]])
    #expect(slice.messages.map(\.sideRows) == [2, 0, 0, 0])
    #expect(slice.isLast)
    #expect(try file.retention.slice(after: 1, limit: 2).messages.map(\.seq) == [2, 3])
    let cut = try file.retention.slice(
      after: 0, limit: 9, cameBy: start + (.zero - .nanoseconds(1)))
    #expect(cut.messages.map(\.seq) == [1] && !cut.isLast, "the first that came later")
    #expect(try file.retention.slice(after: 0, limit: 9, cameBy: start).isLast)
    try file.commit([.retire(first: 1, last: 1, cause: .age, at: start)])
    #expect(
      try file.retention.slice(after: 0, limit: 9).messages.map(\.hasFirst) == [true, false, true])
  }

  @Test func `a slice ends before what has too many rows, or is that alone`() throws {
    let notes = (0..<30).map { _ in
      Write.note(seq: 2, kind: .callerAttached, at: start, detail: [])
    }
    let further = (20...40).map { Write.message(newMessage($0, task: 5)) }
    let file = try file(
      (1...8).flatMap { whole($0) } + notes, (9...19).map { .message(newMessage($0)) }, further)
    #expect(try file.retention.slice(after: 0, limit: 10).messages.map(\.seq) == [1])
    let alone = try file.retention.slice(after: 1, limit: 10)
    #expect(alone.messages.map(\.seq) == [2])
    #expect(alone.messages.map(\.sideRows) == [12])
    #expect(!alone.isLast && !alone.isHuge)
    #expect(try file.retention.slice(after: 2, limit: 10).messages.map(\.seq) == [3, 4])
    let huge = try file.retention.slice(after: 4, limit: 10)
    #expect(huge.messages.map(\.seq) == [5])
    #expect(huge.isHuge)
    #expect(huge.further[5]?.map(\.seq) == [40])
    try file.commit([.trim(seq: 2, rows: 10)])
    #expect(try file.timeline(2).notes.count == 21)
    #expect(try file.timeline(2).handOuts.isEmpty)
    #expect(try file.timeline(3).handOuts.count == 1)
  }

  @Test func `free pages are counted, used again and given back`() throws {
    let file = try file(
      (1...40).map { .message(newMessage($0, body: [UInt8](repeating: 1, count: 20_000))) })
    let used = try file.usedBytes()
    #expect(used > 40 * 20_000)
    try file.commit([.retire(first: 1, last: 40, cause: .age, at: start)])
    #expect(try file.usedBytes() < 200_000)
    let free = try file.freePages()
    #expect(free > 150)
    try file.commit([.message(newMessage(41, body: [UInt8](repeating: 1, count: 20_000)))])
    #expect(try file.freePages() < free)
    #expect(try file.freePages() > 100)
    try file.shrink()
    #expect(try file.freePages() == 0 && file.isDirty)
    #expect(try file.body(41)?.body.count == 20_000)
    #expect(try file.checkpoint(.truncate))
    #expect(Files.size(file.path) < 200_000)
    #expect(try file.database.number("SELECT count(*) FROM pragma_integrity_check") == 1)
  }

  @Test(arguments: RetentionSQL.allCases)
  func `no statement of retention reads a whole table`(sql: RetentionSQL) throws {
    let database = try file([]).database
    var prepared: OpaquePointer?
    try #require(
      sqlite3_prepare_v2(database.handle, "EXPLAIN QUERY PLAN " + sql.text, -1, &prepared, nil)
        == SQLITE_OK)
    defer { sqlite3_finalize(prepared) }
    var statement = Statement(try #require(prepared), of: database)
    while try statement.step() {
      let step = statement.text(3)
      let isBounded = !step.hasPrefix("SCAN") || step.contains("USING") || step.contains("CONSTANT")
      // What the bounded query inside has found.
      let isInner = step.contains("SUBQUERY") || step.contains("(subquery")
      #expect(isBounded || isInner, "\(sql): \(step)")
    }
  }
}
