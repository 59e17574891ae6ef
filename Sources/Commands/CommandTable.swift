import Relay
package import System

/// All commands of the program, and how a line of them is carried out.
package enum CommandTable {
  package static let commands: [Command] =
    ServeCommands.all + StatusCommands.all + Doctor.all + WorkspaceCommands.all
    + CredentialCommands.all + QueueCommands.all + VerbCommands.all + ArchiveCommands.all

  /// Carries out the line that this process was started with.
  package static func runProcess() -> ExitStatus {
    StandardStream.openClosed()
    Signals.ignoreWriteSignals()
    do throws(ProcessInput.NotUTF8) {
      let input = try ProcessInput(isOurs: RelayVariables.isOurs)
      return run(input.arguments, console: .standard(variables: input.variables))
    } catch {
      return failed(.usage(error.text), .standard(variables: [:]))
    }
  }

  /// Carries out one line.
  package static func run(_ line: [String], console: Console) -> ExitStatus {
    let reader = CommandReader(commands)
    do throws(CommandFailure) {
      switch line.first {
      case nil:
        console.error(reader.help.overview)
        return .usage
      case "--version":
        try console.out("a2a-relay \(RelayVersion.text)\n")
        return .done
      default: break
      }
      switch try reader.read(line, console: console) {
      case .help(let text):
        try console.out(text)
        return .done
      case .run(let command, let invocation):
        if let refusal = RelayVariables.refusal(of: console.variables) { throw .usage(refusal) }
        return try command.run(invocation)
      }
    } catch {
      return failed(error, console)
    }
  }

  private static func failed(_ failure: CommandFailure, _ console: Console) -> ExitStatus {
    console.error("a2a-relay: \(failure.text)\n")
    if case .usage = failure { console.error("Try a2a-relay --help\n") }
    return failure.status
  }
}
