import CSQLite
import Foundation
import Relay
import Store
import Testing

@testable import Archive

/// What `check` says of a data directory that no relay uses, and that it leaves it as it was.
@Suite struct CheckTests {
  let bench: ArchiveBench
  private let ada = ArchiveBench.id(0)

  init() throws { bench = try ArchiveBench() }

  private func findings() throws -> [String] { try Check.run(bench.dataPath).findings.map(\.text) }

  private func contents() throws -> [String: Data] {
    var found: [String: Data] = [:]
    let names = FileManager.default.enumerator(atPath: bench.dataPath)
    for case let name as String in names ?? .init() {
      found[name] = (try? Data(contentsOf: URL(filePath: "\(bench.dataPath)/\(name)"))) ?? Data()
    }
    return found
  }

  /// Something that no relay would do, by another hand.
  private func change(_ file: String, _ sql: String) throws {
    var handle: OpaquePointer?
    let path = "\(bench.dataPath)/\(file)"
    #expect(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    #expect(sqlite3_close(handle) == SQLITE_OK)
    // SQLite's own end of a log deletes it.
    if !Files.exists(path + "-wal") { _ = try Files.create(path + "-wal") }
  }

  @Test func `a directory in use is not looked at`() throws {
    let failure = #expect(throws: ArchiveError.self) { try findings() }
    #expect(failure?.kind == .refused)
  }

  @Test func `what a killed relay has left is sound, its logs are read, and nothing changes`()
    throws
  {
    try bench.answer(1, at: ada)
    try bench.kill()
    let before = try contents()
    #expect(before.contains { $0.key.hasSuffix("-wal") && !$0.value.isEmpty })
    let check = try Check.run(bench.dataPath)
    #expect(check.findings == [] && check.messages == 6 && check.files == 3)
    #expect(check.kind == .data)
    #expect(try contents() == before)
    // The log counts: without it the file is older, and the other way round.
    try bench.kill()
    let directory = try DataDirectory(path: bench.dataPath, limits: Limits())
    #expect(try directory.openWorkspaceFile(ada).answer(1) != nil)
  }

  @Test func `logs that were cut at the end of a transaction are found by what was noted`() throws {
    let size = Files.size("\(bench.dataPath)/\(DataDirectory.place(of: ada))-wal")
    try bench.write(4, at: ada)
    let file = try #require(bench.open[ada])
    try bench.data.registry.commit([.progress([ada: file.progress])])
    try bench.backUp()
    try bench.data.note(registryProgress: bench.data.registry.progress)
    try bench.kill()
    #expect(try findings() == [])
    #expect(truncate(file.path + "-wal", off_t(size)) == 0)
    let found = try findings()
    #expect(found.count == 1 && found[0].contains("--accept-loss \(ada.text)"))
    #expect(truncate(bench.dataPath + "/relay.db-wal", 0) == 0)
    #expect(try findings().contains { $0.contains("relay.db: what was written last is missing") })
    // A backup, and what is restored from it, is of several moments.
    #expect(try Check.run(bench.folder).findings == [])
    let new = bench.path + "/new"
    _ = try Restore.restore(bench.folder, to: new, random: 1, at: ArchiveBench.start)
    #expect(try Check.run(new).findings == [])
  }

  static let damages: [(sql: String, found: String)] = [
    ("DELETE FROM request WHERE seq = 2", "1 messages without their request"),
    ("UPDATE message SET state = 6, ended_at = 1 WHERE seq = 2", "answered messages without"),
    ("INSERT INTO answer VALUES(2, x'00')", "answers of messages that are not answered"),
    ("INSERT INTO request VALUES(9, x'00', x'00')", "requests without their message"),
    ("UPDATE message SET state = 7 WHERE seq = 2", "without the time of their end"),
    ("UPDATE message SET task = 77 WHERE seq = 2", "a task whose first message is gone"),
    ("INSERT INTO task VALUES(9, 2, 1)", "tasks without the message"),
    (
      "INSERT INTO handout(seq, fence, attempt, kind, consumer, at, lease_end) "
        + "VALUES(9, 1, 1, 1, '', 1, 1)", "hand-outs of messages that are not there"
    ),
    ("UPDATE message SET at = -1 WHERE seq = 2", "1 messages with a time out of range"),
    ("UPDATE message SET attempt = -1 WHERE seq = 2", "1 messages with a number out of range"),
    ("INSERT OR REPLACE INTO meta VALUES('last_seq', 1 << 62)", "values of meta out of range"),
    ("PRAGMA user_version = 99", "version 99"),
    ("PRAGMA application_id = 1", "no queue"),
    ("UPDATE meta SET value = 'x' WHERE key = 'workspace'", "it is the queue of \"x\""),
  ]

  /// What another hand can put into a schema, and the name by which it is found.
  static let schemas: [(sql: String, found: String)] = [
    (
      "CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM answer; END",
      "it has a trigger \"t\""
    ),
    ("CREATE VIEW v AS SELECT 1", "it has a view \"v\""),
    ("CREATE TABLE x(y)", "it has a table \"x\""),
    ("CREATE INDEX i ON message(at)", "it has an index \"i\""),
    ("DROP INDEX message_failed", "its index \"message_failed\" is missing"),
    (
      """
      PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, 'tag INTEGER', 'tag INTEGER CHECK(tag > 0)')
      WHERE name = 'message'
      """, "its table \"message\" is not as a relay makes it"
    ),
  ]

  @Test(arguments: schemas) func `what no relay has made of a schema is found`(
    change: (sql: String, found: String)
  ) throws {
    try bench.kill()
    let place = DataDirectory.place(of: ada)
    try self.change(place, change.sql)
    let found = try findings()
    #expect(found.count == 1 && found[0].hasPrefix(place + ": " + change.found), "\(found)")
    try self.change("relay.db", "CREATE VIEW v AS SELECT 1")
    #expect(try findings().contains { $0.hasPrefix("relay.db: it has a view") })
  }

  @Test(arguments: damages) func `each broken rule is found`(damage: (sql: String, found: String))
    throws
  {
    try bench.kill()
    let place = DataDirectory.place(of: ada)
    try change(place, damage.sql)
    let found = try findings()
    #expect(found.count >= 1 && found.allSatisfy { $0.hasPrefix(place) })
    #expect(found.contains { $0.contains(damage.found) }, "\(found)")
  }

  @Test func `rows without files, files without rows and tokens of nobody are found`() throws {
    try bench.kill()
    try change("relay.db", "DELETE FROM workspace WHERE id = x'01000000000040008000000000000001'")
    try FileManager.default.removeItem(atPath: "\(bench.dataPath)/\(DataDirectory.place(of: ada))")
    let found = try findings()
    #expect(found.contains { $0.contains("tokens of a workspace that is not there") })
    try change("relay.db", "DELETE FROM token")
    let rest = try findings()
    #expect(rest.count == 2)
    #expect(rest.contains { $0.contains("is registered and has no file") })
    #expect(rest.contains { $0.contains("no workspace is registered for this file") })
  }

  @Test func `a log that is missing or damaged is found, and nothing changes`() throws {
    let place = DataDirectory.place(of: ada)
    let log = "\(bench.dataPath)/\(place)-wal"
    try bench.kill()
    var bytes = try Data(contentsOf: URL(filePath: log))
    bytes[5000] ^= 1
    try bytes.write(to: URL(filePath: log))
    let before = try contents()
    #expect(try findings().first?.hasPrefix("\(place): frame 2 is damaged") == true)
    #expect(try contents() == before)
    try FileManager.default.removeItem(atPath: log)
    #expect(try findings().first?.hasPrefix("\(place): its write-ahead log is missing") == true)
    #expect(!Files.exists(log))
    _ = try Files.create(log)
    try FileManager.default.removeItem(atPath: bench.dataPath + "/relay.db-wal")
    #expect(try findings().contains { $0.hasPrefix("relay.db: its write-ahead log is missing") })
  }

  @Test func `what a crash leaves of a workspace that was being made or purged is only a note`()
    throws
  {
    let new = ArchiveBench.id(7)
    try bench.data.createWorkspaceFile(new, now: ArchiveBench.start).close()
    try bench.kill()
    let check = try Check.run(bench.dataPath)
    #expect(check.findings == [] && check.notes.map(\.path) == [DataDirectory.place(of: new)])
    try change("relay.db", "UPDATE workspace SET state = 3")
    let log = "\(bench.dataPath)/\(DataDirectory.place(of: ada))-wal"
    try FileManager.default.removeItem(atPath: log)
    #expect(try findings() == [])
  }

  @Test func `a page of nonsense is found`() throws {
    try bench.close(ada)
    let directory = DataDirectory.place(of: ada)
    try bench.kill()
    let url = URL(filePath: "\(bench.dataPath)/\(directory)")
    try FileManager.default.removeItem(atPath: url.path + "-wal")
    var bytes = try Data(contentsOf: url)
    for place in 4096..<8192 { bytes[place] = 0x5A }
    try bytes.write(to: url)
    #expect(try !findings().isEmpty)
  }
}
