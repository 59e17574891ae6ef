import Archive
import Engine
import Glibc
import HTTPClient
import Relay
import Store
import System
import Wire

/// `backup`, `export`, `import`, `restore` and `check`: each answers its exit status.
package enum ArchiveCommand: String, CaseIterable, Sendable {
  case backup, export, `import`, restore, check

  /// sysexits.h, and 1 for what was refused or found.
  enum Exit {
    static let refused: Int32 = 1
    static let usage: Int32 = 64
    static let unavailable: Int32 = 69
    static let ioError: Int32 = 74
    static let noPermission: Int32 = 77
  }

  package func run(
    _ arguments: [String], environment: @escaping (String) -> String?
  ) -> Int32 {
    do {
      let options = try CommandLineOptions(
        arguments, flags: ["data", "relay", "token-file"], switches: ["json"],
        environment: environment)
      switch self {
      case .backup:
        try options.expect(1, "backup DIR [--data D | --relay URL]")
        return try Self.backUp(options, nil, to: options.words[0])
      case .export:
        try options.expect(2, "export ID DIR [--data D | --relay URL]")
        guard let id = WorkspaceID(options.words[0]) else {
          throw CommandLineOptions.Usage(
            text: "\"\(options.words[0])\" is not the id of a workspace, which is a UUID")
        }
        return try Self.backUp(options, id, to: options.words[1])
      case .import:
        try options.expect(1, "import DIR [--data D | --relay URL]")
        return try Self.importing(options, options.words[0])
      case .restore:
        try options.expect(1, "restore BACKUP --data D")
        return try Self.restore(options, options.words[0])
      case .check:
        try options.expect(1, "check DIR [--json]")
        return try Self.check(options, options.words[0])
      }
    } catch {
      return Self.failed(error)
    }
  }

  private static func failed(_ error: any Error) -> Int32 {
    let (text, status): (String, Int32) =
      switch error {
      case let error as CommandLineOptions.Usage: (error.text, Exit.usage)
      case let error as StandardStream.Unprinted: (error.text, Exit.ioError)
      case let error as BlockingClient.BadURL: (error.text, Exit.usage)
      case let error as BlockingClient.Unreachable: (error.text, Exit.unavailable)
      case let error as OperatorCredential.Missing: (error.text, Exit.noPermission)
      case let error as ArchiveError:
        (error.text, error.kind == .io || error.kind == .full ? Exit.ioError : Exit.refused)
      case let error as StoreError:
        (error.description, error.kind == .busy ? Exit.refused : Exit.ioError)
      default: ("\(error)", Exit.ioError)
      }
    StandardStream.complain("a2a-relay: \(text)\n")
    return status
  }

  /// What an archive's command has to say comes last: its work is done by then.
  static func say(_ text: String) throws(StandardStream.Unprinted) {
    do throws(StandardStream.Unprinted) { try StandardStream.print(text + "\n") } catch {
      throw StandardStream.Unprinted(text: error.text + "; the command itself has been carried out")
    }
  }

  // MARK: backup, export, import

  /// The data directory when nobody uses it; `nil` when a relay does, or when there is none here.
  private static func unused(_ options: CommandLineOptions) throws -> DataDirectory? {
    let data = options.data
    guard options.relay == nil, Files.exists(data + "/relay.db") else { return nil }
    do throws(StoreError) {
      // Before anything is written there, which may be the wrong user's to write.
      if Files.exists(data + "/relay.lock") { _ = try DirectoryLock(reading: data) }
    } catch {
      if error.kind == .busy { return nil }
      throw error
    }
    try checkOwner(of: data)
    do throws(StoreError) { return try DataDirectory(path: data, limits: Limits()) } catch {
      if error.kind == .busy { return nil }
      throw error
    }
  }

  private static func backUp(
    _ options: CommandLineOptions, _ id: WorkspaceID?, to folder: String
  ) throws -> Int32 {
    let folder = try absolute(folder)
    guard let data = try unused(options) else { return try askFor(options, id, folder) }
    let source = DirectorySource(data)
    if let id, data.place(of: id) == nil {
      throw ArchiveError(.refused, "there is no workspace \(id.text) in \(options.data)")
    }
    try data.registry.commit([
      .audit(
        AuditEntry(
          at: Clock.wall(), actor: AuditEntry.commandLine,
          action: id == nil ? .relayBackup : .workspaceExport,
          target: id.map { .workspace($0) } ?? .relay, detail: folder))
    ])
    try data.registry.sync()
    let job = BackupJob(
      id.map { .workspace($0) } ?? .relay, of: source, to: folder, limits: Limits(),
      relayVersion: RelayVersion.text, now: Clock.wall())
    try job.run(now: Clock.wall)
    try source.close()
    return try tell(
      backup: .object(job.members), options,
      missing: job.unreadable.map { "workspace \($0.workspace.text) is not in it: \($0.error)" })
  }

  /// `missing`: what could not be read, and why, for people.
  private static func tell(
    backup json: JSON, _ options: CommandLineOptions, missing: [String]
  ) throws(StandardStream.Unprinted) -> Int32 {
    let count = { (name: String) in json[name]?.int ?? 0 }
    let line =
      "\(json["dir"]?.string ?? ""): \(count("files_done")) files, "
      + "\(count("messages")) messages, \(count("bytes")) bytes"
    try tell(json, missing + [line], options)
    return missing.isEmpty ? 0 : Exit.refused
  }

  /// One JSON text in one line for programs, or lines for people.
  private static func tell(
    _ json: JSON, _ lines: [String], _ options: CommandLineOptions
  ) throws(StandardStream.Unprinted) {
    let text = String(decoding: json.bytes, as: UTF8.self)
    try say(options.has("json") ? text : lines.joined(separator: "\n"))
  }

  /// The relay that uses the data makes it, and writes it on its own machine.
  private static func askFor(
    _ options: CommandLineOptions, _ id: WorkspaceID?, _ folder: String
  ) throws -> Int32 {
    let client = try options.client()
    var wish: JSON = ["dir": .string(folder)]
    if let id { wish["workspace"] = .string(id.text) }
    let begun = try client.call("POST", "/admin/backup", body: wish.bytes)
    guard begun.status == 202 else {
      // Strangers hear the same of what they may not do and of what there is not: who may ask how a
      // backup is getting on is no stranger.
      if begun.status == 404, let id, try client.call("GET", "/admin/backup").status == 200 {
        throw ArchiveError(.refused, "there is no workspace \(id.text) on this relay")
      }
      return refused(begun)
    }
    while true {
      let answer = try client.call("GET", "/admin/backup")
      guard answer.status == 200, let json = try? JSON(parsing: answer.body) else {
        return refused(answer)
      }
      switch json["state"]?.string {
      case "running": usleep(100_000)
      case "done":
        return try tell(
          backup: json, options,
          missing: (json["unreadable"]?.array ?? []).map {
            "workspace \($0.string ?? "") is not in it: see the relay's log"
          })
      default:
        StandardStream.complain("a2a-relay: \(json["error"]?.string ?? "the backup ended")\n")
        return Exit.refused
      }
    }
  }

  private static func importing(_ options: CommandLineOptions, _ folder: String) throws -> Int32 {
    let folder = try absolute(folder)
    guard let data = try unused(options) else {
      let wish: JSON = ["dir": .string(folder)]
      let answer = try options.client().call("POST", "/admin/import", body: wish.bytes)
      guard answer.status == 201, let json = try? JSON(parsing: answer.body) else {
        return refused(answer)
      }
      return try tell(imported: json, options)
    }
    let job = try ImportJob(folder, into: data, limits: Limits())
    try job.run(at: Clock.wall())
    try data.registry.close()
    return try tell(
      imported: ["workspace": .string(job.id.text), "messages": .number("\(job.messages)")],
      options)
  }

  private static func tell(
    imported json: JSON, _ options: CommandLineOptions
  ) throws(StandardStream.Unprinted) -> Int32 {
    let messages = json["messages"]?.int ?? 0
    try tell(json, ["\(json["workspace"]?.string ?? ""): \(messages) messages"], options)
    return 0
  }

  private static func refused(_ answer: BlockingClient.Answer) -> Int32 {
    let json = try? JSON(parsing: answer.body)
    let text = json?["error"]?.string ?? "the relay answered \(answer.status)"
    StandardStream.complain("a2a-relay: \(text)\n")
    return answer.status == 401 || answer.status == 404 && json?["code"]?.string == "not_found"
      ? Exit.noPermission : Exit.refused
  }

  /// The relay has another working directory than the command.
  private static func absolute(_ folder: String) throws(ArchiveError) -> String {
    var text = folder
    while text.count > 1, text.hasSuffix("/") { text.removeLast() }
    guard let parent = Files.real(Files.folder(of: text)) else {
      throw ArchiveError(
        .io, "the directory above \(text) does not exist, or its path is not UTF-8")
    }
    let name = text.split(separator: "/").last.map(String.init) ?? ""
    guard !name.isEmpty, name != ".", name != ".." else {
      throw ArchiveError(.refused, "\(folder) names no new directory")
    }
    return parent == "/" ? "/" + name : "\(parent)/\(name)"
  }

  /// What root writes into somebody's directory only root can open, and the service cannot start.
  private static func checkOwner(of data: String) throws {
    guard FileStatus.user == 0, Files.exists(data) else { return }
    let owner = try FileStatus(path: data).owner
    guard owner == 0 else {
      throw ArchiveError(
        .refused,
        "\(data) belongs to user \(owner), who could not open what root writes there: "
          + "sudo -u '#\(owner)' a2a-relay …")
    }
  }

  // MARK: restore, check

  private static func restore(_ options: CommandLineOptions, _ backup: String) throws -> Int32 {
    guard let data = options["data"] else {
      throw CommandLineOptions.Usage(text: "restore needs --data DIRECTORY, new or empty")
    }
    try checkOwner(of: data)
    let report = try Restore.restore(backup, to: data, random: Random().next(), at: Clock.wall())
    let manifest = report.manifest
    var lines = [
      "restored \(manifest.files.count - 1) workspaces with \(manifest.messages) messages, as of "
        + "\(manifest.startedAt), into \(data)",
      "unanswered messages count as possibly handed out: they go out as redelivered",
    ]
    if !Files.exists(data + "/admin-token") {
      lines.append(
        "the operator's token is not in a backup: the first start makes one, or set ADMIN_TOKEN")
    }
    lines += manifest.purged.map { "workspace \($0.text) was purged during the backup: removed" }
    lines += manifest.unreadable.map {
      "workspace \($0.workspace.text) has no file: it could not be read for the backup "
        + "(\($0.error))"
    }
    let json: JSON = [
      "data": .string(data), "workspaces": .number("\(manifest.files.count - 1)"),
      "messages": .number("\(manifest.messages)"), "as_of": .string("\(manifest.startedAt)"),
      "purged": .array(manifest.purged.map { .string($0.text) }),
      "unreadable": .array(manifest.unreadable.map { .string($0.workspace.text) }),
    ]
    try tell(json, lines, options)
    return manifest.unreadable.isEmpty ? 0 : Exit.refused
  }

  private static func check(_ options: CommandLineOptions, _ folder: String) throws -> Int32 {
    let check = try Check.run(folder)
    let json: JSON = [
      "dir": .string(folder), "kind": .string(check.kind.rawValue),
      "files": .number("\(check.files)"), "messages": .number("\(check.messages)"),
      "findings": .array(check.findings.map(\.json)), "notes": .array(check.notes.map(\.json)),
    ]
    let outcome = check.findings.isEmpty ? "sound" : "\(check.findings.count) findings"
    let last =
      "\(folder) (\(check.kind.rawValue)): \(check.files) files, \(check.messages) messages, "
      + outcome
    let notes = check.notes.map { "note: " + $0.text }
    try tell(json, check.findings.map(\.text) + notes + [last], options)
    return check.findings.isEmpty ? 0 : Exit.refused
  }
}
