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
