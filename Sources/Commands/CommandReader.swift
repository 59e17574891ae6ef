import System

/// Reads a line of arguments against the table of commands.
package struct CommandReader {
  /// The command of a line that has flags and no word.
  static let unnamedCommand = "serve"

  let commands: [Command]

  package init(_ commands: [Command]) { self.commands = commands }

  /// The thing that a line asks for.
  package enum Request {
    case run(Command, Invocation)
    case help(String)
  }

  package func read(_ arguments: [String], console: Console) throws(CommandFailure) -> Request {
    let line = try split(arguments)
    var words = line.words
    if words.first == "help" {
      words.removeFirst()
      return .help(try help.page(words))
    }
    if line.wantsHelp { return .help(try help.page(words)) }
    if words.isEmpty, !line.values.isEmpty { words = [Self.unnamedCommand] }
    let (command, operands) = try find(words)
    try check(line, command)
    return .run(command, Invocation(command, arguments: operands, line: line, console: console))
  }

  package var help: CommandHelp { CommandHelp(commands) }

  private func split(_ arguments: [String]) throws(CommandFailure) -> ArgumentLine {
    do throws(ArgumentLine.Mistake) {
      return try ArgumentLine(arguments, flags: CommonFlags.all + commands.flatMap(\.flags))
    } catch {
      switch error {
      case .wrongValue(let text): throw .usage(text)
      case .unknownFlag(let flag):
        let name = arguments.first { argument in commands.contains { $0.name == argument } }
        let taken = commands.filter { $0.name == name ?? Self.unnamedCommand }
          .reduce(into: [String]()) { names, command in
            for flag in command.allFlags where !names.contains("--" + flag.name) {
              names.append("--" + flag.name)
            }
          }
        throw .usage(
          "unknown flag \"--\(flag)\"; \(name ?? Self.unnamedCommand) takes "
            + taken.joined(separator: ", "))
      }
    }
  }

  private func find(_ words: [String]) throws(CommandFailure) -> (Command, [String]) {
    let near = commands.filter { $0.name == words.first }
    let found = near.compactMap { command in
      command.match(words).map { (command, $0.arguments, $0.literal) }
    }
    if let best = found.max(by: { $0.2 < $1.2 }) { return (best.0, best.1) }
    guard !near.isEmpty else { throw help.unknown(words.first ?? "") }
    let forms = near.map { "a2a-relay \($0.pattern)" }.joined(separator: "\n  ")
    throw .usage(
      "\"\(words.joined(separator: " "))\" has too few or too many words; allowed is:\n  \(forms)")
  }

  /// Refuses a flag of another command.
  private func check(_ line: ArgumentLine, _ command: Command) throws(CommandFailure) {
    let taken = command.allFlags
    for name in line.values.keys.sorted() where !taken.contains(where: { $0.name == name }) {
      let list = taken.map { "--" + $0.name }.joined(separator: ", ")
      throw .usage("\(command.pattern) takes no --\(name); it takes \(list)")
    }
  }
}
