import Relay
import System

/// The texts of `--help` and `help COMMAND`, made from the table of commands.
package struct CommandHelp {
  let commands: [Command]

  init(_ commands: [Command]) { self.commands = commands }

  /// The commands' names in the order of the table.
  var names: [String] {
    commands.reduce(into: []) { names, command in
      if !names.contains(command.name) { names.append(command.name) }
    }
  }

  func unknown(_ name: String) -> CommandFailure {
    .usage("unknown command \"\(name)\"; the commands are \(names.joined(separator: ", "))")
  }

  /// The help of the command whose words these are; without words that of all commands.
  package func page(_ words: [String]) throws(CommandFailure) -> String {
    guard let name = words.first else { return overview }
    let named = commands.filter { $0.name == name }
    guard let first = named.first else { throw unknown(name) }
    guard first.asksRelay else { return overview }
    let matching = words.count == 1 ? named : named.filter { $0.match(words) != nil }
    let chosen = matching.isEmpty ? named : matching
    return chosen.map(section).joined(separator: "\n") + "\nEvery command of the relay takes:\n"
      + Self.lines(CommonFlags.all.map { ($0.shown, $0.text) })
  }

  private func section(_ command: Command) -> String {
    var text = "a2a-relay \(command.pattern)\n  \(command.summary)\n"
    if !command.notes.isEmpty { text += "  \(command.notes.replacing("\n", with: "\n  "))\n" }
    return text + Self.lines(command.flags.map { ($0.shown, $0.text) })
  }

  /// The whole of `--help`.
  package var overview: String {
    Self.head + Self.serveFlags + Self.afterFlags
      + Self.lines(commands.filter(\.asksRelay).map { ($0.pattern, $0.summary) })
      + "\nEvery command takes --relay URL, --token-file FILE, --data DIRECTORY and --json.\n\n"
      + Self.wrapped("Exit status of commands: \(Self.statuses).", width: 82)
  }

  private static let head = """
    a2a-relay \(RelayVersion.text): messages for AI agents that nobody can reach

    Usage: a2a-relay serve [flags]
           a2a-relay health [--listen ADDRESS:PORT]   0 if a relay answers there, else 1
           a2a-relay COMMAND [arguments] [flags]      asks a relay; see below

    Any A2A client calls an agent at URL/w/ID/; the relay stores the call, the agent
    fetches it by long poll and posts its result; the relay answers the caller.
    No flag is needed. Each can be set as A2A_RELAY_NAME in the environment too.


    """

  private static let afterFlags = """

      ADMIN_TOKEN in the environment is the operator's token; without it one is made at
      the first start and kept in DATA/admin-token.

    Exit status of serve: 0 after SIGTERM or SIGINT, 64 for a wrong command line or limits
    that do not fit, 74 after a write or sync that failed for good (start again: what was
    acknowledged is on disk), 1 otherwise, such as when the address is in use.

    Commands (a2a-relay help COMMAND says more of each):

    """

  /// The flags of `serve`, and below `--limit` the names that it takes.
  private static var serveFlags: String {
    ServeFlag.all.map { flag in
      let name = "  " + flag.flag.shown
      // Further lines of a text stand below its first.
      let text = flag.flag.text.replacing("\n", with: "\n" + String(repeating: " ", count: 34))
      let line = name + String(repeating: " ", count: max(1, 34 - name.count)) + text + "\n"
      guard flag.flag.name == ServeFlag.limit.flag.name else { return line }
      return line
        + wrapped(LimitFlag.names.joined(separator: " "), width: 87, indent: "      ")
    }.joined()
  }

  private static var statuses: String {
    ExitStatus.allCases.filter { $0 != .systemError }
      .map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")
  }

  private static func wrapped(_ text: String, width: Int, indent: String = "") -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent.count + line.count + 1 + word.count > width {
        lines.append(indent + line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return (lines + [indent + line]).joined(separator: "\n") + "\n"
  }

  private static func lines(_ rows: [(String, String)]) -> String {
    rows.map { left, right in
      let pad = String(repeating: " ", count: max(1, 36 - left.count))
      return "  " + left + pad + right + "\n"
    }.joined()
  }
}
