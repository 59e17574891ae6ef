import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Archive
@testable import Engine

/// Exports that somebody has changed on their way, manifest and all.
@Suite struct HostileImportTests {
  let bench: Bench
  let other: Bench
  let id: WorkspaceID
  private var folder: String { bench.path + "-backup" }

  init() throws {
    bench = try Bench()
    other = try Bench()
    id = try bench.create()
    try bench.stored(id, "m-1")
    try bench.stored(id, "m-2")
    let minted = bench.engine.nextCall()
    bench.engine.registry.tokens.mint(
      minted, for: id, TokenWish(life: .seconds(3600)), actor: "admin", now: bench.now)
    bench.sync()
    try? FileManager.default.removeItem(atPath: folder)
    #expect(try bench.backUp(folder, id).status == 202)
    run(bench)
  }

  private func run(_ bench: Bench) {
    while let due = bench.engine.backups.runs.nextDue {
      bench.advance(max(.zero, due - bench.now.instant))
      if bench.engine.backups.turn(now: bench.now) != nil {
        bench.engine.backups.synced(code: 0, now: bench.now)
      }
      bench.turn()
    }
    bench.sync()
  }

  private func importing() -> CallID {
    let call = other.engine.nextCall()
    other.engine.backups.startImport(call, folder, actor: "admin", now: other.now)
    run(other)
    return call
  }

  private func expectNothingTaken(_ call: CallID, _ location: SourceLocation = #_sourceLocation) {
    #expect(other.replies[call]?.code == "not_importable", sourceLocation: location)
    #expect(other.replies[call]?.status == 409, sourceLocation: location)
    let directory = other.engine.directory
    #expect(directory.workspaces.isEmpty && directory.secrets.bytes == 0, sourceLocation: location)
    #expect(!Files.exists(other.data.path(of: id)), sourceLocation: location)
    #expect(other.engine.fatal == nil, sourceLocation: location)
  }

  private func change(_ file: String, _ sql: String) throws {
    var handle: OpaquePointer?
    #expect(sqlite3_open_v2("\(folder)/\(file)", &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
    let code = sqlite3_exec(handle, "PRAGMA journal_mode = DELETE; " + sql, nil, nil, nil)
    #expect(code == SQLITE_OK, "\(sql)")
    sqlite3_close(handle)
    try vouch()
  }

  /// A manifest that fits the files as they are now.
  private func vouch(path: String? = nil) throws {
    let name = "\(folder)/\(Manifest.name)"
    var text = String(decoding: try Files.whole(name, most: 1 << 20), as: UTF8.self)
    for file in try Manifest(of: folder).files {
      let now = "\(folder)/\(file.path)"
      text = text.replacingOccurrences(of: file.hash, with: try FileCopying.hash(now))
      text = text.replacingOccurrences(of: "\(file.bytes)", with: "\(Files.size(now))")
      if let path, file.workspace == nil {
        text = text.replacingOccurrences(of: "\"\(file.path)\"", with: "\"\(path)\"")
      }
    }
    try Data(text.utf8).write(to: URL(filePath: name))
    let sum = URL(filePath: "\(folder)/\(Manifest.sumName)")
    try Data(Manifest.sum(of: Array(text.utf8))).write(to: sum)
  }

  @Test func `one that is changed by nothing is taken`() throws {
    try vouch()
    let call = importing()
    #expect(other.replies[call]?.status == 201)
    #expect(other.engine.directory.tokens.entries(of: .workspace(id)).count == 1)
  }

  private static let copied = """
    scopes, created_at, expires_at, last_used_at, fingerprint, revoked_at, name, made_by, \
    made_from, made_via FROM token LIMIT 1
    """

  static let rows = [
    "UPDATE token SET kind = 2", "UPDATE token SET kind = 3",
    "INSERT INTO token SELECT zeroblob(32), NULL, org, 2, \(copied)",
    "INSERT INTO token SELECT zeroblob(32), NULL, '', 3, \(copied)",
    "INSERT INTO token SELECT zeroblob(32), workspace, org, 3, \(copied)",
    "INSERT INTO token SELECT zeroblob(32), workspace, 'others', 1, \(copied)",
    "INSERT INTO secret VALUES(zeroblob(16), 'KEY', 'x', 1, 1)",
    "INSERT INTO org VALUES('others', 'Others')",
    "CREATE TABLE extra(workspace BLOB); INSERT INTO extra SELECT id FROM workspace",
  ]

  @Test(arguments: rows) func `a registry with a row that is not its agent's is refused`(
    sql: String
  ) throws {
    try change("relay.db", sql)
    expectNothingTaken(importing())
    try other.restart()
    #expect(other.engine.directory.workspaces.isEmpty)
  }

  static let values = [
    "UPDATE message SET at = -9223372036854775808",
    "UPDATE message SET expires = -9223372036854775808",
    "UPDATE message SET position = 9223372036854775807",
    "UPDATE message SET attempt = 9223372036854775807",
    "UPDATE message SET state = 3",
    "INSERT OR REPLACE INTO meta VALUES('last_seq', 9223372036854775807)",
    "INSERT OR REPLACE INTO meta VALUES('last_seq', 4398046511103)",
    """
    INSERT INTO handout(seq, fence, attempt, kind, consumer, at, lease_end)
    VALUES(1, 1, 1, 1, 'c', 1, -9223372036854775808)
    """,
  ]

  @Test(arguments: values) func `a queue with a number out of range is refused`(sql: String) throws
  {
    try change(DataDirectory.place(of: id), sql)
    let call = importing()
    expectNothingTaken(call)
    #expect(other.replies[call]?.text.contains("range") == true || sql.contains("state"))
    #expect(try !Check.run(folder).findings.isEmpty)
  }

  /// `check` compares in the same way; its tests have all that another hand can put there.
  @Test func `a queue with what no relay makes is refused before it is read`() throws {
    try change(
      DataDirectory.place(of: id),
      "CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM answer; END")
    let call = importing()
    expectNothingTaken(call)
    #expect(other.replies[call]?.text.contains("it has a trigger") == true)
  }

  @Test func `a registry with what no relay makes is refused`() throws {
    try change("relay.db", "CREATE VIEW v AS SELECT 1")
    let call = importing()
    expectNothingTaken(call)
    #expect(other.replies[call]?.text.contains("it has a view") == true)
  }

  @Test func `a queue that breaks a rule is refused`() throws {
    try change(DataDirectory.place(of: id), "DELETE FROM request WHERE seq = 2")
    expectNothingTaken(importing())
  }

  @Test(arguments: ["../relay.db", "/etc/passwd", "workspaces/../relay.db"])
  func `a manifest that leads out of its directory is refused`(path: String) throws {
    try vouch(path: path)
    expectNothingTaken(importing())
  }

  @Test(arguments: ["padding", "members"])
  func `a manifest that is larger than an export's is refused before it is read`(
    kind: String
  ) throws {
    let name = "\(folder)/\(Manifest.name)"
    let text = String(decoding: try Files.whole(name, most: 1 << 20), as: UTF8.self)
    let most = Limits().importManifestBytesMax
    let more =
      kind == "padding"
      ? String(repeating: " ", count: most)
      : "\"x\":[" + String(repeating: "0,", count: most / 32) + "0],"
    let bytes = Array(("{" + more + text.dropFirst()).utf8)
    try Data(bytes).write(to: URL(filePath: name))
    try Data("\(SHA256.hash(bytes).hex)  manifest.json\n".utf8).write(
      to: URL(filePath: "\(folder)/\(Manifest.sumName)"))
    let call = importing()
    expectNothingTaken(call)
    #expect(
      other.replies[call]?.text.contains(kind == "padding" ? "\(most)" : "no manifest") == true)
  }

  @Test func `a registry that is larger than an export's is refused before it is read`() throws {
    #expect(truncate("\(folder)/relay.db", off_t(Limits().importRegistryBytesMax) + 1) == 0)
    try vouch()
    let call = importing()
    expectNothingTaken(call)
    #expect(other.replies[call]?.text.contains("larger than") == true)
  }

  @Test(arguments: [false, true]) func `a link in place of a file is refused`(isQueue: Bool) throws
  {
    let path = "\(folder)/\(isQueue ? DataDirectory.place(of: id) : "relay.db")"
    try FileManager.default.moveItem(atPath: path, toPath: folder + "-elsewhere")
    defer { try? FileManager.default.removeItem(atPath: folder + "-elsewhere") }
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: folder + "-elsewhere")
    expectNothingTaken(importing())
    #expect(try Check.run(folder).findings.contains { $0.what.contains("symbolic link") })
  }
}
