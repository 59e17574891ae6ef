import Server

/// Commands about files: they do without a relay where none uses the data.
enum ArchiveCommands {
  static let all = [
    Command(
      "backup DIR", "a copy of all, made while the relay works",
      notes: "DIR is new. The relay that uses the data directory writes it, on its own machine;\n"
        + "when none does, the command copies by itself.",
      run: run(.backup)),
    Command(
      "restore BACKUP", "makes a data directory out of a backup",
      notes: "--data names it: new or empty. Every hash is verified before anything is copied.",
      run: run(.restore)),
    Command(
      "check DIR", "looks at a backup, or at data that no relay uses",
      notes: "It changes nothing. Whatever it finds makes the exit status 1.", run: run(.check)),
    Command(
      "export ID DIR", "one workspace, on its way to another relay",
      notes: "Its messages, settings, secrets and the hashes of its tokens, in a new directory.",
      run: run(.export)),
    Command(
      "import DIR", "takes in a workspace that was exported",
      notes: "Refused if it is here already, removed ones too.", run: run(.import)),
  ]

  private static func run(
    _ command: ArchiveCommand
  ) -> @Sendable (Invocation) throws(CommandFailure) -> Int32 {
    { line in
      // What is looked at here, it reads for itself: its errors have the same statuses.
      var words = line.arguments
      for name in ["data", "relay", "token-file"] {
        if let value = line.value(name) { words.append("--\(name)=\(value)") }
      }
      if line.isJSON { words.append("--json") }
      return command.run(words, environment: line.console.environment)
    }
  }
}
