/// Every command that asks a relay, looks at what is wrong with one, or copies its files.
package enum CommandTable {
  package static let commands: [Command] =
    StatusCommands.all + Doctor.all + WorkspaceCommands.all + CredentialCommands.all
    + QueueCommands.all + VerbCommands.all + ArchiveCommands.all
}

extension CommandTable {
  /// Carries out one line, and hands back the exit status. `alsoThere`: commands of others.
  package static func run(
    _ line: [String], console: Console, alsoThere: [String] = []
  ) -> Int32 {
    do throws(CommandFailure) {
      switch try CommandReader(commands, alsoThere: alsoThere).read(line, console: console) {
      case .help(let text):
        try console.out(text)
        return 0
      case .run(let command, let invocation): return try command.run(invocation)
      }
    } catch {
      console.error("a2a-relay: \(error.text)\n")
      if case .usage = error { console.error("Try a2a-relay --help\n") }
      return error.status
    }
  }

  /// The commands and how they end, for the end of `--help`.
  package static var help: String {
    CommandReader(commands).overview + """

      Every command takes --relay URL, --token-file FILE, --data DIRECTORY and --json.

      Exit status of commands: 0 done, 1 the relay refused or a check found something,
      64 wrong command line, 69 no relay can be reached, 74 a file cannot be read or
      written, 77 the credential is missing or not accepted.

      """
  }
}
