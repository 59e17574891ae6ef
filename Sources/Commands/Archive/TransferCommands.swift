import Archive
import Relay
import Store
import System
import Wire

/// `backup`, `export` and `import`, which a relay carries out if it uses the data directory.
enum TransferCommands {
  @Sendable static func backup(_ line: Invocation) throws -> ExitStatus {
    try backUp(nil, to: line.arguments[0], line)
  }

  @Sendable static func export(_ line: Invocation) throws -> ExitStatus {
    let id = WorkspaceID(try line.workspace())
    return try backUp(id, to: line.arguments[1], line)
  }

  @Sendable static func importing(_ line: Invocation) throws -> ExitStatus {
    let folder = try absolute(line.arguments[0])
    guard let data = try unused(line) else {
      let body: JSON = ["dir": .string(folder)]
      let answer = try askAsOperator("POST", "/admin/import", body, line)
      guard answer.status == 201 else { throw unexpected(answer) }
      return try report(imported: answer.json, line)
    }
    let job = try ImportJob(folder, into: data, limits: Limits())
    try job.run(at: Clock.wall())
    try data.registry.close()
    return try report(
      imported: ["workspace": .string(job.id.text), "messages": .number("\(job.messages)")], line)
  }

  private static func report(
    imported json: JSON, _ line: Invocation
  ) throws(CommandFailure) -> ExitStatus {
    let messages = json["messages"]?.int ?? 0
    try ArchiveCommands.report(
      json, ["\(json["workspace"]?.string ?? ""): \(messages) messages"], line)
    return .done
  }

  // MARK: backup

  /// Copies one workspace, or everything.
  private static func backUp(
    _ id: WorkspaceID?, to folder: String, _ line: Invocation
  ) throws -> ExitStatus {
    let folder = try absolute(folder)
    guard let data = try unused(line) else { return try askForBackup(id, folder, line) }
    let source = DirectorySource(data)
    if let id, data.place(of: id) == nil {
      throw ArchiveError(.refused, "there is no workspace \(id.text) in \(line.data)")
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
    return try report(
      backup: .object(job.report.members),
      missing: job.report.unreadable.map {
        "workspace \($0.workspace.text) is not in it: \($0.error)"
      },
      line)
  }

  /// Asks the relay that uses the data for a backup, which it writes on its own machine, and waits
  /// for its end.
  private static func askForBackup(
    _ id: WorkspaceID?, _ folder: String, _ line: Invocation
  ) throws(CommandFailure) -> ExitStatus {
    var body: JSON = ["dir": .string(folder)]
    if let id { body["workspace"] = .string(id.text) }
    let begun = try line.ask("POST", "/admin/backup", body, taking: [404])
    if begun.status == 404 {
      // The relay answers alike for a workspace that does not exist and to a caller who may not
      // ask. A caller who may ask for the progress of a backup is the operator.
      if let id, try line.ask("GET", "/admin/backup", taking: [404]).status == 200 {
        throw .refused("there is no workspace \(id.text) on this relay")
      }
      throw denied(begun)
    }
    guard begun.status == 202 else { throw unexpected(begun) }
    while true {
      let answer = try askAsOperator("GET", "/admin/backup", nil, line)
      switch answer.json["state"]?.string {
      case "running": line.console.pause(Limits.backupLookEvery)
      case "done":
        return try report(
          backup: answer.json,
          missing: (answer.json["unreadable"]?.array ?? []).map {
            "workspace \($0.string ?? "") is not in it: see the relay's log"
          }, line)
      default: throw .refused(Plain.text(answer.json["error"]?.string ?? "the backup ended"))
      }
    }
  }

  /// - `missing`: says for each workspace that could not be read why not.
  private static func report(
    backup json: JSON, missing: [String], _ line: Invocation
  ) throws(CommandFailure) -> ExitStatus {
    let count = { (name: String) in json[name]?.int ?? 0 }
    let last =
      "\(json["dir"]?.string ?? ""): \(count("files_done")) files, "
      + "\(count("messages")) messages, \(count("bytes")) bytes"
    try ArchiveCommands.report(json, missing + [last], line)
    return missing.isEmpty ? .done : .refused
  }

  // MARK: the relay

  private static func askAsOperator(
    _ method: String, _ path: String, _ body: JSON?, _ line: Invocation
  ) throws(CommandFailure) -> Invocation.Answer {
    let answer = try line.ask(method, path, body, taking: [404])
    guard answer.status == 404 else { return answer }
    throw denied(answer)
  }

  /// The error for a 404, which is also the relay's answer to a credential that may not ask.
  private static func denied(_ answer: Invocation.Answer) -> CommandFailure {
    let text = Plain.text(answer.json["error"]?.string ?? "the relay answered 404")
    guard answer.json["code"]?.string == "not_found" else { return .refused(text) }
    return .credential(text)
  }

  private static func unexpected(_ answer: Invocation.Answer) -> CommandFailure {
    .refused(Plain.text(answer.json["error"]?.string ?? "the relay answered \(answer.status)"))
  }

  // MARK: directories

  /// Opens the data directory if no relay uses it; returns `nil` if one does, if the line names a
  /// relay, or if there is no data here.
  private static func unused(_ line: Invocation) throws -> DataDirectory? {
    let data = line.data
    guard !line.namesRelay, Files.exists(data + "/relay.db") else { return nil }
    do throws(StoreError) {
      // Before anything is written to a directory that may belong to another user.
      if Files.exists(data + "/relay.lock") { _ = try DirectoryLock(reading: data) }
    } catch {
      if error.kind == .busy { return nil }
      throw error
    }
    try ArchiveCommands.checkOwner(of: data)
    do throws(StoreError) { return try DataDirectory(path: data, limits: Limits()) } catch {
      if error.kind == .busy { return nil }
      throw error
    }
  }

  /// Makes a path absolute, because the relay has another working directory than the command.
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
}
