import Archive
import Relay
import Store
import System
import Wire

/// The commands that copy and check files: `backup`, `restore`, `check`, `export` and `import`.
///
/// They work on the data directory themselves if no relay uses it; else that relay does the work.
enum ArchiveCommands {
  static let all = [
    Command(
      "backup DIR", "a copy of all, made while the relay works",
      notes: "DIR is new. The relay that uses the data directory writes it, on its own machine;\n"
        + "when none does, the command copies by itself.",
      run: run(TransferCommands.backup)),
    Command(
      "restore BACKUP", "makes a data directory out of a backup",
      notes: "--data names it: new or empty. Every hash is verified before anything is copied.",
      run: run(restore)),
    Command(
      "check DIR", "looks at a backup, or at data that no relay uses",
      notes: "It changes nothing. Whatever it finds makes the exit status 1.", run: run(check)),
    Command(
      "export ID DIR", "one workspace, on its way to another relay",
      notes: "Its messages, settings, secrets and the hashes of its tokens, in a new directory.",
      run: run(TransferCommands.export)),
    Command(
      "import DIR", "takes in a workspace that was exported",
      notes: "Refused if it is here already, removed ones too.",
      run: run(TransferCommands.importing)),
  ]

  /// Gives each error of the files its exit status.
  private static func run(
    _ command: @escaping @Sendable (Invocation) throws -> ExitStatus
  ) -> @Sendable (Invocation) throws(CommandFailure) -> ExitStatus {
    { line throws(CommandFailure) in
      do { return try command(line) } catch { throw failure(error) }
    }
  }

  private static func failure(_ error: any Error) -> CommandFailure {
    switch error {
    case let error as CommandFailure: error
    case let error as ArchiveError:
      error.kind == .io || error.kind == .full ? .io(error.text) : .refused(error.text)
    case let error as StoreError:
      error.kind == .busy ? .refused(error.description) : .io(error.description)
    default: .io("\(error)")
    }
  }

  // MARK: what they share

  /// Prints one JSON text in one line for programs, or `lines` for people. The command's work is
  /// done by then, which an error says.
  static func report(
    _ json: JSON, _ lines: [String], _ line: Invocation
  ) throws(CommandFailure) {
    let text = String(decoding: json.bytes, as: UTF8.self)
    do throws(CommandFailure) {
      try line.console.out((line.isJSON ? text : lines.joined(separator: "\n")) + "\n")
    } catch {
      throw .io(error.text + "; the command itself has been carried out")
    }
  }

  /// Refuses to write as root into a directory of another user: only root could open what is
  /// written there, and the service could not start.
  static func checkOwner(of data: String) throws {
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

  @Sendable private static func restore(_ line: Invocation) throws -> ExitStatus {
    guard let data = line.value("data") else {
      throw CommandFailure.usage("restore needs --data DIRECTORY, new or empty")
    }
    try checkOwner(of: data)
    let restored = try Restore.restore(
      line.arguments[0], to: data, random: Random().next(), at: Clock.wall())
    let manifest = restored.manifest
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
    try report(json, lines, line)
    return manifest.unreadable.isEmpty ? .done : .refused
  }

  @Sendable private static func check(_ line: Invocation) throws -> ExitStatus {
    let folder = line.arguments[0]
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
    try report(json, check.findings.map(\.text) + notes + [last], line)
    return check.findings.isEmpty ? .done : .refused
  }
}
