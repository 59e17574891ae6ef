import Foundation
import Testing

@testable import Store

/// A made-up schema with two versions; the real ones go the same way.
@Suite struct MigrationTests {
  let scratch: Scratch
  private var path: String { scratch.path + "/made-up.db" }

  static let first = Schema(
    applicationID: 77, version: 1, tables: "CREATE TABLE a(x INTEGER) STRICT;", steps: [:])
  static let third = Schema(
    applicationID: 77, version: 3, tables: "CREATE TABLE a(x INTEGER, y INTEGER, z TEXT) STRICT;",
    steps: [
      1: "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x * 2;",
      2: "ALTER TABLE a ADD COLUMN z TEXT;",
    ])

  init() throws { scratch = try Scratch() }

  private func makeFirst() throws {
    try Database.create(at: path, schema: Self.first)
    let database = try Database.open(path, schema: Self.first)
    try database.transaction { () throws(StoreError) in
      try database.execute("INSERT INTO a VALUES(21)")
    }
    database.markSynced()
    try database.close()
  }

  @Test(arguments: [0, -1, Int32.min]) func `a version before the first is damage`(
    version: Int32
  ) throws {
    try makeFirst()
    try execute("PRAGMA user_version = \(version)", path)
    for schema in [Self.first, Self.third] {
      let error = #expect(throws: StoreError.self) { try Database.open(path, schema: schema) }
      #expect(error?.kind == .corrupt && error?.message.contains("\(version)") == true)
    }
  }

  @Test func `a file goes through every step, and a copy of it stays`() throws {
    try makeFirst()
    let database = try Database.open(path, schema: Self.third)
    #expect(try database.number("SELECT y FROM a") == 42)
    #expect(try database.number("PRAGMA user_version") == 3)
    try database.close()
    let copy = path + ".v1"
    #expect(try number("PRAGMA user_version", copy) == 1)
    #expect(try number("PRAGMA application_id", copy) == 77)
    #expect(try number("SELECT x FROM a", copy) == 21)
  }

  @Test func `a step that fails leaves the file as it was`() throws {
    try makeFirst()
    var broken = Self.third
    broken.steps[2] = "ALTER TABLE missing ADD COLUMN z TEXT;"
    #expect(throws: StoreError.self) { try Database.open(path, schema: broken) }
    #expect(try number("PRAGMA user_version", path) == 1)
    #expect(try number("SELECT count(*) FROM pragma_table_info('a')", path) == 1)
    // What the broken try left behind is no obstacle to the next.
    let database = try Database.open(path, schema: Self.third)
    #expect(try database.number("SELECT y FROM a") == 42)
  }

  @Test func `a file of this version is opened without a copy`() throws {
    try makeFirst()
    _ = try Database.open(path, schema: Self.first)
    #expect(!FileManager.default.fileExists(atPath: path + ".v1"))
  }

  @Test func `the copy is as private as the file`() throws {
    try makeFirst()
    _ = try Database.open(path, schema: Self.third)
    let attributes = try FileManager.default.attributesOfItem(atPath: path + ".v1")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }
}
