import Commands
import Engine
import Glibc
import HTTPClient
import Relay
import Server
import System

/// What the command line says, done; ends the process.
func run() {
  StandardStream.openClosed()
  Signals.ignoreWriteSignals()
  let input: ProcessInput
  do throws(ProcessInput.NotUTF8) {
    input = try ProcessInput(isOurs: RelayVariables.isOurs)
  } catch {
    usage(error.text)
  }
  var arguments = input.arguments
  switch arguments.first {
  case "--help", "-h": show(help)
  case "help" where ["serve", "health", nil].contains(arguments.dropFirst().first): show(help)
  case "--version": show("a2a-relay \(RelayVersion.text)\n")
  case "health":
    arguments.removeFirst()
    health(arguments, input)
  case "serve": arguments.removeFirst()
  case nil:
    StandardStream.complain(help)
    exit(64)
  case let first? where first.hasPrefix("--"): break
  default: command(arguments, input)
  }
  if arguments.contains("--help") { show(help) }
  checkVariables(input)
  do throws(ServeOptions.Usage) {
    let options = try ServeOptions(
      arguments: arguments, environment: { input.variables[$0] })
    exit(RelayProcess.serve(options))
  } catch {
    usage(error.text)
  }
}

/// Prints and ends the process.
private func show(_ text: String) -> Never {
  do throws(StandardStream.Unprinted) { try StandardStream.print(text) } catch {
    StandardStream.complain("a2a-relay: \(error.text)\n")
    exit(74)
  }
  exit(0)
}

/// A command that asks a relay; ends the process.
private func command(_ arguments: [String], _ input: ProcessInput) -> Never {
  checkVariables(input)
  let console = Console(
    out: { text throws(CommandFailure) in
      do throws(StandardStream.Unprinted) { try StandardStream.print(text) } catch {
        throw .io(error.text)
      }
    }, error: { StandardStream.complain($0) },
    environment: { input.variables[$0] },
    isWatched: StandardStream.error.isTerminal, pause: Pause.wait)
  exit(CommandTable.run(arguments, console: console, alsoThere: ["serve", "health"]))
}

/// For the health check of a container, which has no curl. It takes the flags of the server that it
/// asks, and needs only `--listen`.
private func health(_ arguments: [String], _ input: ProcessInput) -> Never {
  checkVariables(input)
  do throws(ServeOptions.Usage) {
    let options = try ServeOptions(
      arguments: arguments, environment: { input.variables[$0] })
    if let failure = HealthCheck.failure(at: options.listen) {
      StandardStream.complain("a2a-relay: \(failure)\n")
      exit(1)
    }
    exit(0)
  } catch {
    usage(error.text)
  }
}

private func checkVariables(_ input: ProcessInput) {
  if let refusal = RelayVariables.refusal(of: input.variables) { usage(refusal) }
}

private func usage(_ text: String) -> Never {
  StandardStream.complain("a2a-relay: \(text)\nTry a2a-relay --help\n")
  exit(64)
}

private var help: String {
  var text = """
    a2a-relay \(RelayVersion.text): messages for AI agents that nobody can reach

    Usage: a2a-relay serve [flags]
           a2a-relay health [--listen ADDRESS:PORT]   0 if a relay answers there, else 1
           a2a-relay COMMAND [arguments] [flags]      asks a relay; see below

    Any A2A client calls an agent at URL/w/ID/; the relay stores the call, the agent
    fetches it by long poll and posts its result; the relay answers the caller.
    No flag is needed. Each can be set as A2A_RELAY_NAME in the environment too.


    """
  for flag in ServeOptions.flags {
    let name = "  --\(flag.name) \(flag.value)"
    text += name + String(repeating: " ", count: max(1, 34 - name.count)) + flag.text + "\n"
  }
  var line = "     "
  for name in ServeOptions.limitNames {
    if line.count + name.count > 86 {
      text += line + "\n"
      line = "     "
    }
    line += " " + name
  }
  text += line + "\n"
  text += """
      --after-rollback                the data is an older state (a snapshot, a machine rolled
                                      back): what is unanswered counts as possibly handed out
      --accept-loss ID                the file of this workspace is lost: begin with an empty one;
                                      a damaged file is moved to DATA/removed; may be repeated

      ADMIN_TOKEN in the environment is the operator's token; without it one is made at
      the first start and kept in DATA/admin-token.

    Exit status of serve: 0 after SIGTERM or SIGINT, 64 for a wrong command line or limits
    that do not fit, 74 after a write or sync that failed for good (start again: what was
    acknowledged is on disk), 1 otherwise, such as when the address is in use.

    Commands (a2a-relay help COMMAND says more of each):

    """
  return text + CommandTable.help
}
