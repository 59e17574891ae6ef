import CSQLite
import Relay
import Testing

@testable import Store

@Suite struct StatementTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The steps of SQLite's plan for a statement.
  private func plan(_ text: String, _ database: Database) throws -> [String] {
    var prepared: OpaquePointer?
    try #require(
      sqlite3_prepare_v2(database.handle, "EXPLAIN QUERY PLAN " + text, -1, &prepared, nil)
        == SQLITE_OK)
    defer { sqlite3_finalize(prepared) }
    var steps = [String]()
    var statement = Statement(try #require(prepared), of: database)
    while try statement.step() { steps.append(statement.text(3)) }
    return steps
  }

  @Test(arguments: WorkspaceSQL.allCases)
  func `no statement of a workspace reads a whole table`(sql: WorkspaceSQL) throws {
    let database = try Reopened(scratch, []).file.database
    for step in try plan(sql.text, database) {
      #expect(!step.hasPrefix("SCAN") || step.contains("USING"), "\(sql): \(step)")
    }
  }

  @Test(arguments: RegistrySQL.allCases)
  func `every statement of the registry fits its schema`(sql: RegistrySQL) throws {
    let database = try scratch.open().registry.database
    _ = try database.statement(slot: 10, sql.text)
  }

  @Test func `an error names the call and the file, never a value`() throws {
    let file = try Reopened(scratch, [[.message(newMessage(1))]]).file
    let error = #expect(throws: StoreError.self) { try file.commit([.message(newMessage(1))]) }
    #expect(error?.path == file.path)
    #expect(error?.description.contains("caller 1") == false)
    #expect(error?.description.contains("m-1") == false)
  }

  @Test func `short and long values of one statement come back as they were given`() throws {
    let file = try Reopened(scratch, []).file
    let lengths = [0, 1, 500, 11, 12, 513, 3, 5000, 0]
    for (index, length) in lengths.enumerated() {
      var message = newMessage(Seq(index + 1))
      message.caller = String(repeating: "c", count: length)
      message.context = String(repeating: "x", count: lengths[lengths.count - 1 - index])
      message.rpcID = [UInt8](repeating: 7, count: length)
      message.head = [UInt8](repeating: UInt8(index), count: length)
      try file.commit([.message(message)])
    }
    for (index, length) in lengths.enumerated() {
      let message = try #require(try file.message(Seq(index + 1)))
      #expect(message.caller == String(repeating: "c", count: length))
      #expect(
        message.context == String(repeating: "x", count: lengths[lengths.count - 1 - index]))
      #expect(message.rpcID == [UInt8](repeating: 7, count: length))
      let head = try file.body(Seq(index + 1))?.head
      #expect(head == [UInt8](repeating: UInt8(index), count: length))
    }
  }

  @Test func `every code has a meaning`() {
    #expect(StoreError.kind(of: SQLITE_FULL) == .full)
    #expect(StoreError.kind(of: SQLITE_BUSY) == .busy)
    #expect(StoreError.kind(of: SQLITE_CORRUPT) == .corrupt)
    #expect(StoreError.kind(of: SQLITE_NOTADB) == .corrupt)
    // WRITE, FSYNC, DIR_FSYNC, TRUNCATE
    for detail in [3, 4, 5, 6] as [Int32] {
      #expect(StoreError.kind(of: SQLITE_IOERR | detail << 8) == .ioFatal)
    }
    for detail in [1, 2, 7, 8, 22] as [Int32] {
      #expect(StoreError.kind(of: SQLITE_IOERR | detail << 8) == .workspaceFatal)
    }
    #expect(StoreError.kind(of: SQLITE_CANTOPEN) == .workspaceFatal)
    #expect(StoreError.kind(of: SQLITE_CONSTRAINT) == .other)
  }
}
